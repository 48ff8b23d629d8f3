"""The draws of each sample of a model: a few for all samples together at first, many for one that a file fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from exporter.capture.inference import Inference
from exporter.run.failures import message_of
from exporter.verification.batches import batched, fixed_batch, in_step, rows_of
from exporter.verification.compare import compare
from exporter.verification.draws import FEW, MANY, ROWS, Drawn, Draws, first_rows, joined, split
from exporter.verification.expectation import expect
from exporter.verification.samples import Sample

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Computed:
    """What is computed of one sample.

    Args:
        sample: the inputs.
        keras: what Keras makes of them, by output name.
        double: the same in float64; None where that cannot be.
    """

    sample: Sample
    keras: dict[str, np.ndarray]
    double: dict[str, np.ndarray] | None

    @property
    def smallest(self) -> int:
        """The number of elements of the smallest output that has some."""
        return min((a.size for a in self.keras.values() if a.size), default=1)


class SampleDraws:
    """Draws of the samples of one model, in the arithmetic of one kind of file.

    Args:
        inference: the model.
        arithmetic: in which dtypes the file computes (`Draws`).
        prepared: the samples for which a few draws are made together.
        run: what Keras makes of arrays.
        batch: the rows of each call; None: as many as there are.
        affordable: how many rows may be drawn at first, in all.

    Attributes:
        notes: why there are no draws, where there are none.
    """

    notes: tuple[str, ...] = ()

    def __init__(
        self,
        inference: Inference,
        arithmetic: Mapping[str, str],
        prepared: Sequence[Computed],
        run: Callable[[Arrays], dict[str, np.ndarray]],
        *,
        batch: int | None,
        affordable: int,
    ) -> None:
        self._inference, self._inputs = inference, inference.inputs
        self._draws = Draws(inference, arithmetic)
        self._prepared = prepared
        self._run = run
        self._batch = batch or fixed_batch(inference.inputs)
        self._affordable = affordable

    @property
    def computed_in(self) -> dict[str, str]:
        """In which dtype the file computes each output, by its name; empty where that is Keras's own."""
        return self._draws.computed_in

    def few(self, computed: Computed) -> list[Drawn]:
        """Return the draws of a sample; none where the budget was spent on others, whose `usual` spread then stands in."""
        name = computed.sample.name
        if any(computed is c for c in self._prepared):
            return self._ahead.get(name, [])
        arrays = first_rows(computed.sample.arrays, self._cut, ROWS)
        return self._tried(lambda: self._draws.few(arrays, computed.smallest))

    def many(self, computed: Computed) -> list[Drawn]:
        """Return many draws of a sample, of all of its rows."""
        arrays = computed.sample.arrays
        rows = max(1, rows_of(arrays, self._inputs))
        count = max(FEW, min(MANY, 4 * self._affordable // rows))
        cut = self._cut if in_step(arrays, self._inputs) else frozenset()
        return self._tried(lambda: list(self._draws.many(arrays, cut, count))) or self.few(computed)

    @cached_property
    def usual(self) -> dict[str, float]:
        """How far the draws of the prepared samples go at most, relative to the scale, by output."""
        usual: dict[str, float] = {}
        for computed in self._prepared:
            if computed.double is None or computed.sample.name not in self._ahead:
                continue
            for output, truth in computed.double.items():
                draws = [draw[output] for draw in self._ahead[computed.sample.name]]
                bound = expect(output, computed.keras[output], truth, draws).bound
                if bound.scale:
                    usual[output] = max(usual.get(output, 0.0), bound.furthest / bound.scale)
        return usual

    @cached_property
    def _ahead(self) -> dict[str, list[Drawn]]:
        """The draws of the prepared samples, by name, as far as the budget goes."""
        left, found = self._affordable, {}
        for group in self._groups():
            parts = []
            for computed in group:
                rows = rows_of(computed.sample.arrays, self._inputs)
                rows = min(ROWS, left, rows) if self._cut else rows * (rows <= left)
                left -= rows
                parts += [(computed, rows)] if rows else []
            found.update(self._drawn_together(parts))
        return found

    def _groups(self) -> list[list[Computed]]:
        """Return the prepared samples that can be joined: of one shape, if rows can be cut at all; else each alone."""
        groups: dict[Any, list[Computed]] = {}
        for computed in self._prepared:
            arrays = computed.sample.arrays
            if rows_of(arrays, self._inputs):
                together = self._cut and in_step(arrays, self._inputs)
                shapes = tuple(a.shape[1:] for a in arrays.values()) if together else computed.sample.name
                groups.setdefault(shapes, []).append(computed)
        return list(groups.values())

    def _drawn_together(self, parts: Sequence[tuple[Computed, int]]) -> dict[str, list[Drawn]]:
        """Return the draws of the first rows of several samples, by name; none where rows depend on each other."""
        if len(parts) == 1:
            ((computed, rows),) = parts
            arrays = first_rows(computed.sample.arrays, self._cut, rows)
            return {computed.sample.name: self._tried(lambda: self._draws.few(arrays, computed.smallest))}
        if not parts or not self._rows_are_independent([computed for computed, _ in parts]):
            return {}
        arrays = joined([first_rows(computed.sample.arrays, self._cut, rows) for computed, rows in parts])
        smallest = min(computed.smallest for computed, _ in parts)
        counts = [rows for _, rows in parts]
        divided = [split(drawn, counts) for drawn in self._tried(lambda: self._draws.few(arrays, smallest))]
        return {c.sample.name: list(drawn) for (c, _), drawn in zip(parts, zip(*divided, strict=True), strict=False)}

    def _rows_are_independent(self, group: Sequence[Computed]) -> bool:
        """Whether Keras gives for the first rows of all samples together what it gives for each sample."""
        import tensorflow as tf

        try:
            together = self._run(joined([first_rows(c.sample.arrays, self._cut, 1) for c in group]))
        except (ValueError, tf.errors.OpError):
            return False
        alone = {name: np.concatenate([c.keras[name][:1] for c in group]) for name in together}
        return all(result.ok for result in compare(together, None, alone, "rows"))

    @cached_property
    def _cut(self) -> frozenset[str]:
        """The inputs that can be cut to their first rows; none where an output needs all rows, or their number is fixed."""
        per_row = all(o.shape and o.shape[0] is None for o in self._inference.outputs)
        return frozenset(batched(self._inputs)) if per_row and self._batch is None else frozenset()

    def _tried(self, draw: Callable[[], list[Drawn]]) -> list[Drawn]:
        """Return draws; none where there cannot be any, and then Keras's own error is all that is known."""
        import tensorflow as tf

        try:
            return draw()
        except (KeyError, NotImplementedError, RuntimeError, TypeError, ValueError, tf.errors.OpError) as error:
            self.notes = (f"no spread of float32 is known, only what Keras gives: {message_of(error)}",)
            return []
