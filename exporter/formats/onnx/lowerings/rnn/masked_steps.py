"""Masked time steps: a recurrent layer passes over them, its state unchanged.

Passing over a step is the same as not having it. So the steps that count are moved to the front of each row, in their
order; ONNX's recurrent ops run over as many as there are (`sequence_lens`); and each step of the output takes the result of
the last step that counted up to it. Exact for any mask, and no loop.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Value

INT32, INT64 = ir.DataType.INT32, ir.DataType.INT64


@dataclass(frozen=True)
class Steps:
    """Which steps of a batch of sequences count.

    Args:
        mask: (batch, time), bool.
        ones: the same as int64.
        lengths: how many count, int32 of shape (batch,).
    """

    mask: Value
    ones: Value
    lengths: Value

    def gather(self, g: Graph, x: Value) -> Value:
        """Return (batch, time, …) with the steps that count first, in their order."""
        time = g.dimension(self.mask, 1)
        # TopK gives equal numbers in the order of their positions
        _, places = g.ops("TopK", self.ones, time, outputs=[(self.mask.shape, INT64)] * 2, axis=1)
        return self._taken(g, x, places)

    def spread(self, g: Graph, y: Value, *, zeros: bool, backward: bool) -> Value:
        """Return to each step of (batch, time, …) its output: that of the last step that counted, as time runs.

        Args:
            g: the graph.
            y: outputs of the gathered steps; zeros beyond the length of each row, as ONNX Runtime leaves them.
            zeros: whether masked steps give zeros instead.
            backward: whether time runs backward.
        """
        counted = g.op("CumSum", self.ones, g.constant(1, np.int64))
        if zeros:  # -1 is the last step, which is zeros in every row that has a masked step
            counted = g.op("Mul", counted, self.ones)
        elif backward:
            counted = g.op("Add", g.op("Sub", counted, self.ones), 1)
        return self._taken(g, y, g.op("Sub", counted, 1))

    def at_end(self, g: Graph, backward: bool) -> Value:
        """Return whether the step that is run last counts, (batch, 1)."""
        start, end = (0, 1) if backward else (-1, np.iinfo(np.int64).max)
        bounds = [g.constant([n], np.int64) for n in (start, end, 1)]
        return g.op("Slice", self.mask, *bounds, shape=(self.mask.shape[0], 1))

    def any(self, g: Graph) -> Value:
        """Return whether a row has a step that counts, (batch, 1)."""
        some = g.op("Greater", self.lengths, 0)
        return g.op("Unsqueeze", some, g.constant([1], np.int64), shape=(self.mask.shape[0], 1))

    def _taken(self, g: Graph, x: Value, places: Value) -> Value:
        index = g.op("Unsqueeze", places, g.constant([2], np.int64), shape=(*places.shape, 1))
        return g.op("GatherND", x, index, shape=x.shape, batch_dims=1)


def find_steps(g: Graph, mask: Value) -> Steps:
    """Return what a mask of shape (batch, time) says, of any dtype."""
    mask = g.cast(mask, ir.DataType.BOOL)
    ones = g.cast(mask, INT64)
    count = g.op("ReduceSum", ones, g.constant([1], np.int64), keepdims=0, shape=mask.shape[:1])
    return Steps(mask, ones, g.cast(count, INT32))
