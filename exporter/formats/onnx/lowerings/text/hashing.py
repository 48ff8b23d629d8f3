"""Hashes of integers, as Keras's Hashing and HashedCrossing have them; ONNX cannot look into strings.

Hashing: FarmHash's Fingerprint64 of the decimal form, at most 20 letters, modulo the number of bins. There is a formula for
each of up to 3, 7, 16 and 32 letters. HashedCrossing: the integers themselves, mixed one after the other.
"""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.sizes import counted, wide
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.lowerings.array.reshaping import squeezed, unsqueezed
from exporter.formats.onnx.lowerings.text.decimals import LENGTH, Decimal, letters
from exporter.formats.onnx.lowerings.text.uint64 import Words
from exporter.formats.onnx.registry import lowers_op

K0, K1, K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F
CROSSING = 0xC6A4A7935BD1E995
STRINGS = (
    "ONNX cannot hash strings; use StringLookup with a vocabulary and one index for others, or hash before the model"
)


@lowers_op("StringToHashBucketFast")
def fast(g: Graph, op: Any, x: Value) -> Value:
    """FarmHash of integers in decimal form."""
    if not isinstance(x, Decimal):
        raise NotImplementedError(STRINGS)
    codes, length = letters(g, x.number)
    words = Words(g)
    return squeezed(g, words.remainder(Farm(words, codes, length).hash(), op.get_attr("num_buckets")), [x.rank])


@lowers_op("StringToHashBucketStrong", "StringToHashBucket")
def strong(g: Graph, op: Any, *_: Any) -> NoReturn:
    """Refuse: SipHash, which a salt asks for."""
    raise NotImplementedError("ONNX has no salted hash; use Hashing without a salt on integers, or a lookup layer")


class Farm:
    """FarmHash's Fingerprint64 of short strings.

    Args:
        words: the arithmetic.
        codes: of the letters, (..., 20).
        length: the number of letters, (..., 1).
    """

    def __init__(self, words: Words, codes: Value, length: Value) -> None:
        self.words, self.g, self.codes, self.length = words, words.g, codes, length
        self.scale = words.add(words.word(K2), words.multiply(length, words.word(2)))

    def hash(self) -> Value:
        """Return the hash, (..., 1)."""
        result = self._up_to_32()
        for limit, part in ((16, self._up_to_16), (7, self._up_to_7), (3, self._up_to_3)):
            short = self.g.op("LessOrEqual", self.length, self.words.word(limit))
            result = self.g.op("Where", short, part(), result, dtype=ir.DataType.INT64)
        return result

    def _letter(self, place: Value) -> Value:
        return self.g.op("GatherElements", self.codes, place, shape=self.length.shape, axis=-1)

    def _fetched(self, size: int, start: int, from_end: bool = False) -> Value:
        """Return `size` letters as one number, the first one lowest, from `start` on or from length - start on."""
        g, words = self.g, self.words
        if from_end:
            places = g.op("Add", self.length, g.constant(np.arange(size) - start))
            places = g.op("Clip", places, words.word(0), words.word(LENGTH - 1))
            taken = g.op("GatherElements", self.codes, places, shape=places.shape, axis=-1)
        else:
            first = g.constant(np.arange(size) + start)
            taken = g.op("Gather", self.codes, first, shape=(*self.codes.shape[:-1], size), axis=-1)
        weights = g.constant(256 ** np.arange(size, dtype=np.int64).reshape(size, 1))
        return g.op("MatMul", taken, weights, shape=self.length.shape)  # ReduceSum adds int64 as float64

    def _mixed(self, u: Value, v: Value, scale: Value) -> Value:
        w = self.words
        a = w.folded(w.multiply(w.xor(u, v), scale))
        b = w.folded(w.multiply(w.xor(v, a), scale))
        return w.multiply(b, scale)

    def _up_to_3(self) -> Value:
        w = self.words
        first = self._fetched(1, 0)
        middle = self._letter(w.shifted(self.length, 1))
        last = self._letter(w.add(self.length, w.word(-1)))
        y = w.add(first, w.multiply(middle, w.word(256)))
        z = w.add(self.length, w.multiply(last, w.word(4)))
        mixed = w.folded(w.xor(w.multiply(y, w.word(K2)), w.multiply(z, w.word(K0))))
        return w.multiply(mixed, w.word(K2))

    def _up_to_7(self) -> Value:
        w = self.words
        u = w.add(self.length, w.multiply(self._fetched(4, 0), w.word(8)))
        return self._mixed(u, self._fetched(4, 4, from_end=True), self.scale)

    def _up_to_16(self) -> Value:
        w = self.words
        a, b = w.add(self._fetched(8, 0), w.word(K2)), self._fetched(8, 8, from_end=True)
        c = w.add(w.multiply(w.rotated(b, 37), self.scale), a)
        d = w.multiply(w.add(w.rotated(a, 25), b), self.scale)
        return self._mixed(c, d, self.scale)

    def _up_to_32(self) -> Value:
        w = self.words
        a, b = w.multiply(self._fetched(8, 0), w.word(K1)), self._fetched(8, 8)
        c = w.multiply(self._fetched(8, 8, from_end=True), self.scale)
        d = w.multiply(self._fetched(8, 16, from_end=True), w.word(K2))
        u = w.add(w.add(w.rotated(w.add(a, b), 43), w.rotated(c, 30)), d)
        v = w.add(w.add(a, w.rotated(w.add(b, w.word(K2)), 18)), c)
        return self._mixed(u, v, self.scale)


@lowers_op("SparseCross")
def crossed(g: Graph, op: Any, *inputs: Value) -> list[Value]:
    """The hash of one integer from each of several (batch, 1) inputs, as a sparse matrix: indices, values, shape."""
    if not op.get_attr("hashed_output") or any(x.dtype == ir.DataType.STRING for x in inputs):
        raise NotImplementedError(STRINGS)
    if any(x.shape[1] != 1 for x in inputs):
        raise NotImplementedError("crossing more than one value of a row")
    w = Words(g)
    result = w.word(op.get_attr("hash_key"))
    for x in inputs:
        result = _concatenated(w, result, squeezed(g, wide(g, x), [1]))
    bins = op.get_attr("num_buckets") or 2**63 - 1
    rows = unsqueezed(g, counted(g, inputs[0], 0), 1)
    zeros = g.op("Sub", rows, rows)
    indices = g.op("Concat", rows, zeros, shape=(rows.shape[0], 2), axis=1)
    shape = g.op("Concat", g.dimension(inputs[0], 0), g.constant([1], np.int64), shape=(2,), axis=0)
    return [indices, w.remainder(result, bins), shape]


def _concatenated(w: Words, first: Value, second: Value) -> Value:
    scale = w.word(CROSSING)
    result = w.xor(first, scale)
    result = w.xor(result, w.multiply(w.folded(w.multiply(second, scale)), scale))
    result = w.multiply(w.folded(w.multiply(result, scale)), scale)
    return w.folded(result)


@lowers_op("SparseCrossV2", "SparseCrossHashed")
def crossed_strings(g: Graph, op: Any, *_: Any) -> NoReturn:
    """Refuse: crosses of strings."""
    raise NotImplementedError(STRINGS)
