"""Diagonals of matrices of dynamic size, and several at once: each element's place is calculated, and gathered.

TensorFlow packs diagonals k[0] to k[1], the uppermost first, in rows as long as the longest; `align` says to which side the
shorter ones are moved.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.index import Index, count_to, index, rows_at, shaped, size_of
from exporter.formats.onnx.builder.sizes import joined, vector
from exporter.formats.onnx.builder.value import Value


@dataclass(frozen=True)
class Band:
    """Diagonals of matrices.

    Args:
        low: the offset of the lowest diagonal, columns to the right.
        high: of the uppermost.
        align: "LEFT_RIGHT" moves those above the main diagonal to the left and those below to the right; and so on.
        rows: of the matrices.
        columns: of the matrices.
    """

    low: int
    high: int
    align: str
    rows: Index
    columns: Index

    @property
    def longest(self) -> Index:
        """The length of the rows that diagonals are packed in."""
        return (self.rows + min(self.high, 0)).at_most(self.columns - max(self.low, 0))

    def _length(self, offsets: Index) -> Index:
        return (self.rows + offsets.at_most(0)).at_most(self.columns - offsets.at_least(0))

    def _moved(self, offsets: Index) -> Index:
        """Return by how much each diagonal is moved to the right in its row."""
        above, below = self.align.split("_")
        gap = self.longest - self._length(offsets)
        return (offsets < 0).where(gap if below == "RIGHT" else 0, gap if above == "RIGHT" else 0)

    def taken(self, g: Graph, x: Value, padding: Value) -> Value:
        """Return the diagonals of `x`: (..., diagonals, longest), or (..., longest) of a single one."""
        count = self.high - self.low + 1
        offsets = index(g, g.constant(np.arange(self.high, self.low - 1, -1))).column()
        steps = count_to(g, self.longest) - self._moved(offsets)
        inside = (index(g, -1) < steps) & (steps < self._length(offsets))
        places = (steps - offsets.at_most(0)) * self.columns + steps + offsets.at_least(0)
        leading = [size_of(g, x, axis) for axis in range(x.rank - 2)]
        taken = _gathered(g, x, leading, self.rows * self.columns, inside, places, padding)
        return taken if count > 1 else shaped(g, taken, [*leading, self.longest])

    def spread(self, g: Graph, diagonals: Value, padding: Value) -> Value:
        """Return matrices with packed `diagonals`, and `padding` (a scalar) elsewhere."""
        held = 2 if self.high > self.low else 1
        leading = [size_of(g, diagonals, axis) for axis in range(diagonals.rank - held)]
        inside, places = self._packed(g)
        return _gathered(g, diagonals, leading, self.longest * (self.high - self.low + 1), inside, places, padding)

    def mask(self, g: Graph) -> Value:
        """Return where in a matrix the diagonals are."""
        return self._packed(g)[0].value

    def _packed(self, g: Graph) -> tuple[Index, Index]:
        """Return which elements of a matrix lie on the diagonals, and where in the packed ones."""
        row, column = count_to(g, self.rows).column(), count_to(g, self.columns)
        offset = column - row
        inside = (offset <= self.high) & (index(g, self.low) <= offset)
        step = (row + offset.at_most(0)) + self._moved(offset)
        return inside, (index(g, self.high) - offset) * self.longest + step


def _gathered(
    g: Graph, x: Value, leading: list[Index], count: Index, inside: Index, places: Index, padding: Value
) -> Value:
    """Return elements of the last axes of `x`, which hold `count`; `padding` where they are not `inside`."""
    flat = shaped(g, g.keras_order(x), [*leading, count])
    ends = g.op("Expand", padding, _ones(g, leading), shape=(*flat.shape[:-1], 1), dtype=x.dtype)
    shape = (*flat.shape[:-1], None if count.known is None else count.known + 1)
    both = g.op("Concat", flat, ends, shape=shape, axis=flat.rank - 1)
    return rows_at(g, both, inside.where(places, count), flat.rank - 1)


def _ones(g: Graph, leading: list[Index]) -> Value:
    return joined(g, [*(vector(g, size.value) for size in leading), g.constant([1], np.int64)])
