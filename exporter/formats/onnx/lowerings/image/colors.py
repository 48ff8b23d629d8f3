"""Colours of (..., 3) images in [0, 1] between red, green, blue and hue, saturation, value."""

from __future__ import annotations

from typing import Any

import numpy as np

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.lowerings.array.joining import concatenated
from exporter.formats.onnx.lowerings.array.slicing import Range, sliced
from exporter.formats.onnx.registry import lowers_op


@lowers_op("RGBToHSV")
def rgb_to_hsv(g: Graph, op: Any, x: Value) -> Value:
    """Value is max, saturation (max - min) / max, hue a sixth of the distance along the edge that the maximum lies on."""
    red, green, blue = _channels(g, x)
    value = g.elementwise("Max", g.elementwise("Max", red, green), blue)
    spread = g.elementwise("Sub", value, g.elementwise("Min", g.elementwise("Min", red, green), blue))
    zero = g.constant(0, x.numpy_dtype)
    saturation = _where(g, g.elementwise("Greater", value, zero), g.elementwise("Div", spread, value), zero)
    scale = g.elementwise("Div", g.constant(1 / 6, x.numpy_dtype), spread)
    from_red = g.elementwise("Mul", scale, g.elementwise("Sub", green, blue))
    from_green = _edge(g, scale, blue, red, 2 / 6)
    from_blue = _edge(g, scale, red, green, 4 / 6)
    hue = _where(g, g.elementwise("Equal", green, value), from_green, from_blue)
    hue = _where(g, g.elementwise("Equal", red, value), from_red, hue)
    hue = _where(g, g.elementwise("Greater", spread, zero), hue, zero)
    hue = _where(g, g.elementwise("Less", hue, zero), g.elementwise("Add", hue, 1), hue)
    return concatenated(g, [hue, saturation, value], x.rank - 1, x.shape)


@lowers_op("HSVToRGB")
def hsv_to_rgb(g: Graph, op: Any, x: Value) -> Value:
    """(1 - s + s · d) · v, with d for each colour a trapezium over the hue."""
    hue, saturation, value = _channels(g, x)
    turned = g.elementwise("Mul", hue, 6)
    rest = g.elementwise("Sub", g.constant(1, x.numpy_dtype), saturation)
    red = g.elementwise("Sub", g.elementwise("Abs", g.elementwise("Sub", turned, 3)), 1)
    green, blue = (_falling(g, turned, centre) for centre in (2, 4))
    limits = (g.constant(0, x.numpy_dtype), g.constant(1, x.numpy_dtype))
    colours = []
    for colour in (red, green, blue):
        share = g.elementwise(
            "Mul", saturation, g.elementwise("Min", g.elementwise("Max", colour, limits[0]), limits[1])
        )
        colours.append(g.elementwise("Mul", g.elementwise("Add", rest, share), value))
    return concatenated(g, colours, x.rank - 1, x.shape)


def _channels(g: Graph, x: Value) -> list[Value]:
    return [sliced(g, x, [Range(x.rank - 1, n, n + 1)]) for n in range(3)]


def _edge(g: Graph, scale: Value, upper: Value, lower: Value, offset: float) -> Value:
    distance = g.elementwise("Mul", scale, g.elementwise("Sub", upper, lower))
    return g.elementwise("Add", distance, np.array(offset, scale.numpy_dtype))


def _falling(g: Graph, turned: Value, centre: int) -> Value:
    """Return 2 - |turned - centre|."""
    return g.elementwise(
        "Sub", g.constant(2, turned.numpy_dtype), g.elementwise("Abs", g.elementwise("Sub", turned, centre))
    )


def _where(g: Graph, condition: Value, x: Value, y: Value) -> Value:
    return g.elementwise("Where", condition, x, y, dtype=x.dtype)
