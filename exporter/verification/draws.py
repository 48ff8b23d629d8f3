"""Draw what rounding makes of a model's outputs: how often, on how many rows, and of which kinds of draws.

Draws cost more than the model itself, so at first a few are made for all samples of one shape together, of their first rows.
Only where a file is beyond the bounds that follow, many are made of that one sample.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from typing import Any

import numpy as np

from exporter.capture.inference import Inference
from exporter.tfgraph.precision import Widened
from exporter.verification.batches import run_in_chunks
from exporter.verification.compare import compare
from exporter.verification.expectation import Draw
from exporter.verification.rounding_noise import PerturbedGraph

Arrays = Mapping[str, np.ndarray]
Drawn = dict[str, Draw]

ENOUGH = 32  # elements and draws of an output; the largest of so many is a fair measure of their spread
FEW, SEVERAL, MANY = 2, 8, 16  # draws of a sample: at first, at first where outputs are small, of one that a file fails
ROWS = 8  # of a sample that are drawn at first
ROWS_IN_TURN = 4  # that Keras itself computes one by one: another kernel, the one of a file for batch 1
WIDE = 4.0  # amplitude of every other draw of `MANY`: it crosses branches that rounding crosses seldom


class Draws:
    """Draws of one model, in the arithmetic of one kind of file.

    Args:
        inference: the model.
        arithmetic: in which dtypes the file computes, by Keras's dtypes; empty where it computes in Keras's own.
    """

    def __init__(self, inference: Inference, arithmetic: Mapping[str, str]) -> None:
        self._inference = inference
        self._arithmetic = dict(arithmetic)
        self._graph = cache(lambda amplitude: PerturbedGraph(inference, arithmetic, amplitude))

    @property
    def computed_in(self) -> dict[str, str]:
        """In which dtype the file computes each output, by its name; empty where that is Keras's own."""
        outputs = self._inference.outputs if self._arithmetic else ()
        return {o.name: self._arithmetic.get(o.dtype, o.dtype) for o in outputs}

    def few(self, arrays: Arrays, smallest: int) -> list[Drawn]:
        """Return a few draws, more where the smallest output has few elements."""
        count = min(SEVERAL, max(FEW, -(-ENOUGH // max(1, smallest))))
        return [*self._unmoved(arrays), *self._draw(arrays, [1.0] * count)]

    def many(self, arrays: Arrays, batched: frozenset[str], count: int) -> Iterator[Drawn]:
        """Yield `count` draws, half of them wide, and what Keras itself makes of single rows.

        Args:
            arrays: inputs.
            batched: those that can be cut into rows.
            count: how many draws.
        """
        yield from self._unmoved(arrays)
        if batched and not self._arithmetic:
            yield from self._row_by_row(arrays, batched)
        yield from self._draw(arrays, [1.0, WIDE] * (count // 2))

    def _row_by_row(self, arrays: Arrays, batched: frozenset[str]) -> Iterator[Drawn]:
        """Yield what Keras makes of single rows, unless that is something else altogether: rows that depend on each other."""
        predict, first = self._inference.predict, first_rows(arrays, batched, ROWS_IN_TURN)
        in_turn = run_in_chunks(predict, first, 1, sorted(batched))
        if all(result.ok for result in compare(in_turn, None, predict(first), "rows")):
            yield {name: Draw(values) for name, values in in_turn.items()}

    def _draw(self, arrays: Arrays, amplitudes: Sequence[float]) -> Iterator[Drawn]:
        for amplitude in amplitudes:
            drawn = self._graph(amplitude).draw(arrays)
            yield {name: Draw(values, amplitude) for name, values in drawn.items()}

    def _unmoved(self, arrays: Arrays) -> Iterator[Drawn]:
        """Yield what the graph gives in the file's arithmetic: Keras's own error says nothing of that."""
        import tensorflow as tf

        if not self._arithmetic:
            return
        tensors = [tf.constant(arrays[i.name], dtype=i.dtype) for i in self._inference.inputs]
        results = zip(self._inference.outputs, self._widened(*tensors), strict=True)
        yield {o.name: Draw(r.numpy()) for o, r in results}

    @cached_property
    def _widened(self) -> Any:
        return Widened(self._inference.concrete(), self._arithmetic).compile()


def first_rows(arrays: Arrays, batched: frozenset[str], rows: int) -> dict[str, np.ndarray]:
    """Return the first rows of the inputs that have some."""
    return {name: a[:rows] if name in batched else a for name, a in arrays.items()}


def joined(samples: Sequence[Arrays]) -> dict[str, np.ndarray]:
    """Return several samples of one shape as one, behind each other."""
    return {name: np.concatenate([arrays[name] for arrays in samples]) for name in samples[0]}


def split(drawn: Drawn, rows: Sequence[int]) -> list[Drawn]:
    """Return the parts of a draw that belong to each of the samples that were joined."""
    ends = np.cumsum(rows)
    return [
        {name: Draw(draw.values[end - count : end], draw.amplitude) for name, draw in drawn.items()}
        for count, end in zip(rows, ends, strict=True)
    ]
