"""One layer of a file while it is translated: its name, its arguments, and what is to be said about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from exporter.loading.finding import Finding, printable
from exporter.spec import Problem


@dataclass
class Remarks:
    """What the user is to know of a file: what was kept by other means, and what cannot be kept."""

    notes: list[Problem] = field(default_factory=list)
    refusals: list[Finding] = field(default_factory=list)

    def note(self, where: str, reason: str, remedy: str = "", *, severity: Any = "info") -> None:
        """Tell how something was kept, or (as a warning) that it is gone; each thing once."""
        problem = Problem(printable(where), printable(reason, 400), remedy, severity=severity)
        if problem not in self.notes:
            self.notes.append(problem)

    def refuse(self, where: str, reason: str, remedy: str = "") -> None:
        """Tell why the file does not load."""
        self.refusals.append(Finding(reason, where, remedy, unsafe=False))


@dataclass
class LayerConfig:
    """A layer as a family's rule sees it; the rule changes it in place.

    Args:
        class_name: the name that Keras 3 is to look up.
        config: the arguments, a copy of those in the file.
        remarks: what is told of the file.
        module: the Keras 3 module when it is another than `keras.layers`.
        registered_name: for classes of this package.
    """

    class_name: str
    config: dict[str, Any]
    remarks: Remarks
    module: str | None = None
    registered_name: str | None = None

    @property
    def where(self) -> str:
        """How messages call the layer."""
        return f"{self.config.get('name', '?')} ({self.class_name})"

    def note(self, reason: str, remedy: str = "", *, severity: Any = "info") -> None:
        """Tell how something of this layer was kept, or that it is gone."""
        self.remarks.note(self.where, reason, remedy, severity=severity)

    def refuse(self, reason: str, remedy: str = "train and save the model with Keras 3") -> None:
        """Tell why this layer cannot be carried over."""
        self.remarks.refuse(self.where, reason, remedy)

    def rename(self, old: str, new: str) -> None:
        """Give an argument the name that it has in Keras 3."""
        if old in self.config:
            self.config[new] = self.config.pop(old)

    def drop(self, *keys: str) -> None:
        """Leave out arguments that say how to compute, not what."""
        for key in keys:
            self.config.pop(key, None)

    def require(self, key: str, *values: Any, reason: str) -> None:
        """Leave out an argument that has no effect at these values, and refuse all others."""
        value = self.config.pop(key, values[0])
        if not any(value is wanted or (value == wanted and type(value) is type(wanted)) for wanted in values):
            self.refuse(f"{key}={value!r}: {reason}")
