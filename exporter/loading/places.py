"""Places in a config: the way from the root to a node, and what the place demands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from exporter.loading import kinds

_SHOWN = 80  # characters of one step: a name in a hostile file may have millions

# Lists of layer names and numbers of nodes and tensors.
_WIRING = (".keras_history", ".input_layers", ".output_layers", ".inbound_nodes")


@dataclass(frozen=True)
class Place:
    """Where a node of the document stands.

    Args:
        step: the last step of the way from the root.
        parent: the place before; None for the root.
        demand: what may stand there; None where anything may.
        anything: whether it stands in the arguments of a class of the user, whose names mean what the user likes.
        names: how long the names of all objects on the way are together.
    """

    step: str
    parent: Place | None = None
    demand: kinds.Demand | None = None
    anything: bool = False
    names: int = 0

    def __str__(self) -> str:
        steps, place = [], self
        while place.parent is not None:
            steps.append(place.step)
            place = place.parent
        return "".join((place.step, *reversed(steps)))

    @property
    def key(self) -> str:
        """The key of the dictionary under which it stands, also inside of lists there."""
        place = self
        while place.step.startswith("[") and place.parent is not None:
            place = place.parent
        return place.step

    def is_reference(self) -> bool:
        """Whether a text is the name of a layer in the wiring of the graph, from which Keras looks no object up."""
        return self.key.endswith(_WIRING)


def children(node: Any, place: Place, own: bool, matters: Callable[[Any], bool]) -> list[tuple[Any, Place]]:
    """The nodes below with their places, last first, as a stack wants them; layers are called by their names.

    Args:
        node: a node of the document.
        place: where it stands.
        own: whether it is an object of a class of the user.
        matters: whether a node is looked at; most are numbers and words of vocabularies.
    """
    if isinstance(node, dict):
        return _values(node, place, own, matters)
    if isinstance(node, list):
        demand, anything, names = place.demand, place.anything, place.names
        return [
            (node[index], Place(f"[{index}]", place, demand, anything, names))
            for index in reversed(range(len(node)))
            if matters(node[index])
        ]
    return []


def _values(node: dict[str, Any], place: Place, own: bool, matters: Callable[[Any], bool]) -> list[tuple[Any, Place]]:
    below = [(key, child) for key, child in reversed(node.items()) if matters(child)]
    if "class_name" not in node:
        return [
            (child, Place(f".{key[:_SHOWN]}", place, _demand(key, place), place.anything, place.names))
            for key, child in below
        ]
    label, names = _label(node), place.names + _length_of_name(node)
    of_config = kinds.CALLED if node["class_name"] == "Lambda" else None
    return [
        (child, Place(f"{label}.{key[:_SHOWN]}", place, of_config if key == "config" else None, own, names))
        for key, child in below
    ]


def _demand(key: str, place: Place) -> kinds.Demand | None:
    return None if place.anything else kinds.demand_of(key) or place.demand


def _label(node: dict[str, Any]) -> str:
    """`<dense_1>` for a layer of this name."""
    name = _name(node)
    return f"<{name[:_SHOWN]}>" if name else ""


def _length_of_name(node: dict[str, Any]) -> int:
    return len(_name(node) or str(node["class_name"])[:_SHOWN]) + 1


def _name(node: dict[str, Any]) -> str:
    config = node.get("config")
    name = node.get("name") or (config.get("name") if isinstance(config, dict) else None)
    return name if isinstance(name, str) else ""
