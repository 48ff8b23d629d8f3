"""Integers written as decimal numbers: strings that remember the integer, so that what follows can work on the digits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.sizes import wide
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.lowerings.array.reshaping import unsqueezed
from exporter.formats.onnx.registry import lowers_op

DIGITS, LENGTH = 19, 20  # of the longest int64; with its sign


@dataclass(eq=False)
class Decimal(Value):
    """Strings that are the decimal form of `number`."""

    number: Value = field(kw_only=True)


@lowers_op("AsString")
def as_string(g: Graph, op: Any, x: Value) -> Value:
    """Cast, for integers: ONNX Runtime writes floats otherwise than TensorFlow does."""
    plain = op.get_attr("width") == -1 and not op.get_attr("fill")
    if plain and x.dtype == ir.DataType.BOOL:
        places = g.cast(x, ir.DataType.INT64)
        words = g.constant(np.array(["false", "true"], dtype=object))
        return g.op("Gather", words, places, shape=x.shape, dtype=ir.DataType.STRING, axis=0)
    if not plain or not x.dtype.is_integer():
        raise NotImplementedError(
            "only integers and truth values, without padding, become strings as TensorFlow writes them; "
            "return the numbers and write them after the model"
        )
    text = g.cast(x, ir.DataType.STRING)
    return Decimal(text.ir, text.shape, text.dtype, text.order, number=x)


def letters(g: Graph, number: Value) -> tuple[Value, Value]:
    """Return the codes of the letters of each integer, (..., 20), and their number, (..., 1).

    Digits are taken from -|n|, which every int64 has: 10 · (m / 10) - m for m, m / 10, … with ONNX's truncating division.
    What follows the last letter is of no meaning.
    """
    n = unsqueezed(g, g.keras_order(wide(g, number)), number.rank)
    zero, one = g.constant(0, np.int64), g.constant(1, np.int64)
    negative = g.op("Less", n, zero)
    lowered = g.op("Where", negative, n, g.op("Neg", n), dtype=ir.DataType.INT64)
    powers = g.constant(10 ** np.arange(DIGITS, dtype=np.int64))
    rest, ten = g.op("Div", lowered, powers), g.constant(10, np.int64)
    digits = g.op("Sub", g.op("Mul", g.op("Div", rest, ten), ten), rest)
    reached = g.cast(g.op("LessOrEqual", lowered, g.op("Neg", powers)), ir.DataType.INT64)
    last = g.constant([number.rank], np.int64)
    counted = g.op("ReduceSum", reached, last, shape=n.shape, keepdims=1)
    count = g.op("Max", counted, one)  # 0 has one digit
    sign = g.cast(negative, ir.DataType.INT64)
    position = g.constant(np.arange(LENGTH))
    place = g.op("Sub", g.op("Sub", g.op("Add", count, sign), one), position)
    place = g.op("Clip", place, zero, g.constant(DIGITS - 1, np.int64))
    codes = g.op(
        "Add", g.op("GatherElements", digits, place, shape=place.shape, axis=-1), g.constant(ord("0"), np.int64)
    )
    leading = g.op("And", negative, g.op("Equal", position, zero))
    return g.op("Where", leading, g.constant(ord("-"), np.int64), codes, dtype=ir.DataType.INT64), g.op(
        "Add", count, sign
    )
