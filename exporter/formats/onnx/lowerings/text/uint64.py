"""Arithmetic of 64-bit words: int64 in ONNX, whose sums and products wrap; shifts and remainders are those of uint64."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.lowerings.math.bitwise import combined

UINT64, INT64 = ir.DataType.UINT64, ir.DataType.INT64


class Words:
    """Operations on words, written into a graph.

    Args:
        g: the graph.
    """

    def __init__(self, g: Graph) -> None:
        self.g = g

    def word(self, number: int) -> Value:
        """Return a constant; numbers are taken modulo 2⁶⁴."""
        return self.g.constant(np.array(number % 2**64, np.uint64).astype(np.int64))

    def add(self, x: Value, y: Value) -> Value:
        """Compute x + y."""
        return self.g.op("Add", x, y)

    def multiply(self, x: Value, y: Value) -> Value:
        """Compute x · y."""
        return self.g.op("Mul", x, y)

    def xor(self, x: Value, y: Value) -> Value:
        """Compute x ⊕ y."""
        return combined(self.g, "BitwiseXor", x, y)

    def shifted(self, x: Value, bits: int) -> Value:
        """⌊x / 2^bits⌋."""
        shifted = self.g.op("BitShift", self.g.cast(x, UINT64), np.array(bits, np.uint64), direction="RIGHT")
        return self.g.cast(shifted, INT64)

    def rotated(self, x: Value, bits: int) -> Value:
        """Return x, its bits moved right, those that fall out coming in on the left."""
        return self.add(self.shifted(x, bits), self.multiply(x, self.word(1 << (64 - bits))))

    def folded(self, x: Value, bits: int = 47) -> Value:
        """Compute x ⊕ ⌊x / 2^bits⌋."""
        return self.xor(x, self.shifted(x, bits))

    def remainder(self, x: Value, divisor: int) -> Value:
        """Compute x mod divisor, x taken as unsigned."""
        return self.g.cast(self.g.op("Mod", self.g.cast(x, UINT64), np.array(divisor, np.uint64)), INT64)
