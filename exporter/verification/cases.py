"""Which samples a model gets: the kinds and batch sizes of the plan, and what only some models need.

Those are tables of which every row is to be looked up, a length beyond which the model has nothing (positions of an
embedding), and values about the model's own normalization.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from exporter.capture.inference import Inference
from exporter.capture.state import ModelState
from exporter.spec import TensorInfo
from exporter.verification.batches import batched, fixed_batch
from exporter.verification.domains import Domain
from exporter.verification.plan import BUDGET, affordable, cost_of_row
from exporter.verification.shapes import Shapes
from exporter.verification.values import EVERY_ROW, OWN_SCALE, ValueMaker

STEP = 2  # rows that one group of inputs has more than the one before it, in samples of unequal sizes
LONG = 64  # steps that a sequence of any length gets, that what adds up over time is seen
LONGEST = 1100  # the greatest length is looked for up to here


@dataclass(frozen=True)
class Case:
    """A sample to be made.

    Args:
        kind: of the values.
        sizes: what is said of its sizes: "batch 3, size 5".
        shapes: of the inputs, by name.
        smallest: the smallest dynamic dimension.
    """

    kind: str
    sizes: str
    shapes: Mapping[str, tuple[int, ...]]
    smallest: int | None

    @property
    def name(self) -> str:
        """The kind of values and the sizes."""
        return f"{self.kind}, {self.sizes}"

    def arrays(self, maker: ValueMaker) -> dict[str, np.ndarray]:
        """Return the values, by input."""
        return {name: maker.make(self.kind, name, shape, self.smallest) for name, shape in self.shapes.items()}


def planned(
    inference: Inference, inputs: Sequence[TensorInfo], shapes: Sequence[Shapes], domains: Mapping[str, Domain]
) -> list[Case]:
    """Return the samples to be made.

    Args:
        inference: the model.
        inputs: its inputs, perhaps with a fixed batch.
        shapes: what the model accepts, by input; only the batch may be None.
        domains: which values the inputs take.
    """
    fixed, cost = fixed_batch(inputs, inference.inputs), cost_of_row(shapes[-1].values(), inference.model)
    plan = [(kind, rows, shapes[n % len(shapes)]) for n, (kind, rows) in enumerate(affordable(fixed, cost))]
    plan += list(_further(inference, inputs, shapes, domains))
    cases = [_case(inference, inputs, *chosen, unequal=not n % 2) for n, chosen in enumerate(plan)]
    return list({case.name: case for case in cases}.values())


def _case(
    inference: Inference, inputs: Sequence[TensorInfo], kind: str, rows: int, shapes: Shapes, *, unequal: bool
) -> Case:
    """Return a case of so many rows; of unequal numbers where the model has inputs of independent sizes."""
    several = len([i for i in inputs if i.shape and i.shape[0] is None]) > 1
    leading = inference.leading if several else None
    groups = leading.groups if leading else ()
    more = {name: STEP * groups.index(group) for name, group in leading.inputs.items()} if leading else {}
    counts = {name: rows + more.get(name, 0) * (unequal and rows > 0) for name in shapes}
    filled = {name: tuple(counts[name] if d is None else d for d in shape) for name, shape in shapes.items()}
    dynamic = [d for i in inference.inputs for d, own in zip(filled[i.name], i.shape, strict=True) if own is None]
    return Case(kind, _sizes(counts, filled, inference.inputs), filled, min(dynamic, default=None))


def _sizes(counts: Mapping[str, int], filled: Mapping[str, tuple[int, ...]], inputs: Sequence[TensorInfo]) -> str:
    """Say what batch and which other sizes were chosen."""
    rows = dict.fromkeys(counts[name] for name in batched(inputs)) or dict.fromkeys(counts.values())
    chosen = [d for i in inputs for d, own in zip(filled[i.name][1:], i.shape[1:], strict=True) if own is None]
    other = f", size {' x '.join(map(str, dict.fromkeys(chosen)))}" if chosen else ""
    return f"batch {' and '.join(map(str, rows))}{other}"


def _further(
    inference: Inference, inputs: Sequence[TensorInfo], shapes: Sequence[Shapes], domains: Mapping[str, Domain]
) -> Iterator[tuple[str, int, Shapes]]:
    """Yield what only some models need: the kind, the number of rows, the shapes."""
    fixed = fixed_batch(inputs, inference.inputs)
    if any(domain.mean is not None for domain in domains.values()):
        yield OWN_SCALE, fixed or 7, shapes[0]
    long = _longest(inference, inputs, shapes) if any(None in i.shape[1:] for i in inputs) else None
    if long is not None:
        yield "levels", fixed or 1, long
        yield "normal", fixed or 1, long
    if rows := _rows_for_tables(inference, shapes[-1], domains):
        yield EVERY_ROW, fixed or rows, shapes[-1]


def _rows_for_tables(inference: Inference, shapes: Shapes, domains: Mapping[str, Domain]) -> int:
    """Return the number of rows that look up every row of all tables, or as many as the budget allows; 0 without tables."""
    sizes = {n: d.limit or len(d.vocabulary) for n, d in domains.items() if (d.limit or d.vocabulary) and n in shapes}
    needed = [math.ceil(size / math.prod(d or 1 for d in shapes[name])) for name, size in sizes.items() if shapes[name]]
    tables = sum(math.prod(v.shape) for v in inference.model.variables if len(v.shape) and v.shape[0] in sizes.values())
    cost = max(
        1, cost_of_row(shapes.values(), inference.model) - tables // 16
    )  # what is looked up costs next to nothing
    return min(max(needed, default=0), max(2, BUDGET // cost))


def _longest(inference: Inference, inputs: Sequence[TensorInfo], shapes: Sequence[Shapes]) -> Shapes | None:
    """Return the shapes of the greatest length that the model has, or of `LONG` steps where it has none.

    A length beyond which it has nothing is that of a table of weights: a row for each position.
    """
    known = max(
        d or 0 for s in shapes for i in inputs for d, own in zip(s[i.name], i.shape, strict=True) if own is None
    )
    images = any(i.shape[1:].count(None) > 1 for i in inputs)
    lengths = {
        int(v.shape[1] if v.shape[0] == 1 else v.shape[0]) for v in inference.model.variables if len(v.shape) > 1
    }
    found = sorted((n for n in lengths if known < n < LONGEST), reverse=True)
    long = _of_length(inputs, LONG)
    if images or not found or _runs(inference, _of_length(inputs, found[0] + 1)):
        return long if known < LONG and not images and _runs(inference, long) else None
    greatest = next((n for n in found if _runs(inference, _of_length(inputs, n))), None)
    return None if greatest is None else _of_length(inputs, greatest)


def _of_length(inputs: Sequence[TensorInfo], length: int) -> Shapes:
    return {i.name: tuple(length if d is None and axis else d for axis, d in enumerate(i.shape)) for i in inputs}


def _runs(inference: Inference, shapes: Shapes) -> bool:
    """Whether Keras computes a row of these shapes."""
    try:
        case = _case(
            inference, [replace(i, shape=shapes[i.name]) for i in inference.inputs], "zeros", 1, shapes, unequal=False
        )
        with ModelState(inference.concrete()).used():
            inference.try_on(case.arrays(ValueMaker(inference, 0)))
    except Exception:  # a layer's own code, which may raise anything
        return False
    return True
