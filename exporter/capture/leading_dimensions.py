"""First dimensions that are one and the same: a batch, or nodes beside edges, each of a size of its own.

Keras writes None for all of them. Which inputs go together is found out by running the model on unequal sizes: what then
fails belongs together. A file that declares two independent sizes to be one fails in ONNX Runtime for others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from exporter.errors import ExporterError
from exporter.tfgraph.ancestors import ops_behind

if TYPE_CHECKING:
    from exporter.capture.inference import Inference
    from exporter.spec import TensorInfo

BATCH = "batch"
PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)  # two sizes of one group differ, and so do those of two groups
FEW = 6  # inputs: of more, pairs that belong together are not looked for
# Ops whose outputs have a size that depends on values: no run tells which it will be the next time.
COUNTING = ("DynamicPartition", "NonMaxSuppression", "Ragged", "Sparse", "StringSplit", "Unique", "Where")


@dataclass(frozen=True)
class Leading:
    """The names of dynamic first dimensions.

    Args:
        inputs: by the name of the input; inputs of one batch have one name.
        outputs: by the name of the output, where it is known to have the size of an input.
        apart: whether the model mixes inputs of several sizes, so that there is no batch to cut or to fix.
    """

    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    apart: bool = False

    @property
    def groups(self) -> tuple[str, ...]:
        """The distinct names, in the order of the inputs."""
        return tuple(dict.fromkeys(self.inputs.values()))


def leading_of(inference: Inference) -> Leading:
    """Return the names of a model's dynamic first dimensions.

    The first group of inputs has the name `batch`, a further one that of its first input with `_batch` behind it.
    """
    groups = _groups(inference)
    names = {n: BATCH if not k else f"{group[0]}_{BATCH}" for k, group in enumerate(groups) for n in group}
    apart = len(groups) > 1 and _mixed(inference, names)
    return Leading(names, _outputs(inference, groups, names), apart)


def free_inputs(inputs: Sequence[TensorInfo]) -> list[str]:
    """Return the names of the inputs whose first dimension is dynamic."""
    return [i.name for i in inputs if i.shape and i.shape[0] is None]


def _groups(inference: Inference) -> list[tuple[str, ...]]:
    """Return the inputs of dynamic first dimension, those of one size together, in Keras's order."""
    names = free_inputs(inference.inputs)
    probe = _Probe(inference)
    if len(names) < 2 or probe.run(dict.fromkeys(names, PRIMES[0])) is None:
        return [tuple(names)] if names else []
    if len(names) <= len(PRIMES) and probe.run(dict(zip(names, PRIMES, strict=False))) is not None:
        return [(name,) for name in names]
    left, found = list(names), []
    for count in (1, 2) if len(names) <= FEW else (1,):
        for chosen in combinations(names, count):
            if set(chosen) < set(left) and probe.run({n: PRIMES[1 if n in chosen else 0] for n in names}) is not None:
                found.append(chosen)
                left = [n for n in left if n not in chosen]
    return sorted([*found, tuple(left)], key=lambda group: names.index(group[0]))


def _mixed(inference: Inference, names: Mapping[str, str]) -> bool:
    """Whether some output depends on inputs of different groups."""
    graph = inference.concrete().graph
    group_of = {t.op.name: names.get(i.name) for i, t in zip(inference.inputs, graph.inputs, strict=False)}
    return any(
        len({group_of[op.name] for op in ops_behind([output]) if group_of.get(op.name)}) > 1 for output in graph.outputs
    )


def _outputs(inference: Inference, groups: Sequence[tuple[str, ...]], names: Mapping[str, str]) -> dict[str, str]:
    """Return the names of the outputs' first dimensions, of those that have the size of a group at two sets of sizes."""
    wanted = [o.name for o in inference.outputs if o.shape and o.shape[0] is None]
    if not groups or not wanted:
        return {}
    probe, found = _Probe(inference), []
    for offset, kind in ((0, "zeros"), (len(groups), "spikes")):
        rows = {n: PRIMES[(offset + k) % len(PRIMES)] for k, group in enumerate(groups) for n in group}
        sizes = probe.sizes(rows, kind)
        owner = {rows[group[0]]: names[group[0]] for group in groups}
        found.append({name: owner.get(sizes.get(name) or 0) for name in wanted})
    return {name: told for name in wanted if (told := found[0][name]) and told == found[1][name]}


class _Probe:
    """Runs a model on values that stand for anything, in sizes of our choice."""

    def __init__(self, inference: Inference) -> None:
        from exporter.verification.shapes import usable_shapes

        self._inference = inference
        try:
            self._shapes = usable_shapes(inference, inference.inputs)[0]
        except ExporterError:  # nothing is known of the sizes; the one who makes samples says so
            self._shapes = {}
        graph = inference.concrete().graph
        self._traced_only = inference.may_not_end or any(_is_counting(op) for op in _all_ops(graph))

    def run(self, rows: Mapping[str, int], kind: str = "zeros") -> dict[str, np.ndarray] | None:
        """Return the outputs for so many rows of each input; None if the model does not take them."""
        from exporter.capture.state import ModelState
        from exporter.verification.values import ValueMaker

        if not self._shapes:
            return None
        try:
            maker = ValueMaker(self._inference, 0)
            arrays = {
                name: maker.make(kind, name, tuple(rows[name] if d is None else d for d in shape))
                for name, shape in self._shapes.items()
            }
            with ModelState(self._inference.concrete()).used():
                return self._inference.predict(arrays)
        except Exception:  # a layer's own code, which may raise anything
            return None

    def sizes(self, rows: Mapping[str, int], kind: str) -> dict[str, int | None]:
        """Return the first dimensions of the outputs; those that depend on values are None."""
        computed = None if self._traced_only else self.run(rows, kind) or self.run(rows)
        if computed is not None:
            return {name: a.shape[0] if a.ndim else None for name, a in computed.items()}
        return self._traced(rows)

    def _traced(self, rows: Mapping[str, int]) -> dict[str, int | None]:
        """Return the first dimensions that follow from the inputs' shapes alone."""
        shapes = self._shapes or {i.name: i.shape for i in self._inference.inputs}
        fixed = [
            replace(i, shape=tuple(rows.get(i.name, d) if d is None and not axis else d for axis, d in enumerate(s)))
            for i, s in zip(self._inference.inputs, shapes.values(), strict=True)
        ]
        try:
            outputs = self._inference.outputs_of(self._inference.trace(self._inference, fixed).graph)
        except Exception:  # as above
            return {}
        return {o.name: o.shape[0] if o.shape else None for o in outputs}


def _all_ops(graph: Any) -> Iterator[str]:
    """Yield the types of all ops of a graph and of the functions that it calls."""
    definition = graph.as_graph_def()
    for nodes in (definition.node, *(function.node_def for function in definition.library.function)):
        yield from (node.op for node in nodes)


def _is_counting(op_type: str) -> bool:
    return op_type.startswith(COUNTING)
