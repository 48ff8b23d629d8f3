"""TensorFlow's own pooling, of layers that call tf.nn: MaxPool, AvgPool, in two and three dimensions, MaxPoolWithArgmax."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.index import count_to, index, size_of
from exporter.formats.onnx.builder.sizes import filled
from exporter.formats.onnx.builder.static import known_ints
from exporter.formats.onnx.builder.value import Order, Value, channels_first, identity
from exporter.formats.onnx.builder.window import Window, image_shape
from exporter.formats.onnx.lowerings.array.reshaping import unsqueezed
from exporter.formats.onnx.lowerings.nn.convolution_ops import with_padding
from exporter.formats.onnx.registry import lowers_op


@lowers_op("MaxPool", "MaxPool3D")
def max_pool(g: Graph, op: Any, images: Value) -> Value:
    """The maximum of each window."""
    return _pooled(g, op, "MaxPool", images, op.get_attr("ksize"), op.get_attr("strides"))


@lowers_op("MaxPoolV2")
def max_pool_of(g: Graph, op: Any, images: Value, sizes: Value, strides: Value) -> Value:
    """The maximum of each window, its size an input."""
    return _pooled(g, op, "MaxPool", images, known_ints(sizes, "the window"), known_ints(strides, "the strides"))


@lowers_op("AvgPool", "AvgPool3D")
def average_pool(g: Graph, op: Any, images: Value) -> Value:
    """The mean of each window; padding does not count."""
    return _pooled(g, op, "AveragePool", images, op.get_attr("ksize"), op.get_attr("strides"))


def _pooled(g: Graph, op: Any, kind: str, images: Value, sizes: list[int], strides: list[int]) -> Value:
    order = _order(op, images.rank)
    if any(n[axis] != 1 for n in (sizes, strides) for axis in order[:2]):
        raise NotImplementedError("pooling over the batch or the channels")
    view = _window(op, sizes, strides, order)
    if kind == "MaxPool":
        images, view, pads = with_padding(g, op, images, view, order, _least(g, images))
        return _written(g, kind, images, view, order, pads)
    padded, inner, pads = with_padding(g, op, images, view, order)
    result = _written(g, kind, padded, inner, order, pads)
    if padded is images:
        return result
    ones, _, _ = with_padding(g, op, filled(g, g.constant(1, images.numpy_dtype), images), view, order)
    return g.elementwise("Div", result, _written(g, kind, ones, inner, order, []))


def _least(g: Graph, images: Value) -> Value:
    info: Any = -np.inf if images.is_float else np.iinfo(images.numpy_dtype).min
    return g.constant(info, images.numpy_dtype)


def _written(g: Graph, kind: str, images: Value, view: Window, order: Order, pads: list[int]) -> Value:
    x = g.in_order(images, order)
    batch, channels, *spatial = x.file_shape
    half = len(pads) // 2
    padded = zip(spatial, pads[:half] or [0] * len(spatial), pads[half:] or [0] * len(spatial), strict=True)
    sizes = tuple(None if n is None else n + a + b for n, a, b in padded)
    attributes = view.attributes(tuple(spatial)) | ({"pads": pads} if pads else {})
    shape = image_shape(order, batch, channels, view.places(sizes))
    return g.raw(kind, x, shape=shape, order=order, **attributes)


def _window(op: Any, sizes: list[int], strides: list[int], order: Order) -> Window:
    size, step = (tuple(n[axis] for axis in order[2:]) for n in (sizes, strides))
    return Window(size, step, (1,) * len(size), op.get_attr("padding").decode().lower())


def _order(op: Any, rank: int) -> Order:
    return identity(rank) if op.get_attr("data_format") in (b"NCHW", b"NCDHW") else channels_first(rank)


@lowers_op("MaxPoolWithArgmax")
def max_pool_with_places(g: Graph, op: Any, images: Value) -> list[Value]:
    """The maximum of each window and where it stands: ONNX counts rows and columns of a channel, TensorFlow channels last."""
    order = channels_first(images.rank)
    view = _window(op, op.get_attr("ksize"), op.get_attr("strides"), order)
    if view.padding == "same" and None in images.shape[1:3]:
        raise NotImplementedError(
            "the places of the largest elements of padded images whose size is not known while exporting"
        )
    x = g.in_order(images, order).as_filed()
    shape = (*x.shape[:2], *view.places(x.shape[2:]))
    outputs = [(shape, x.dtype), (shape, ir.DataType.INT64)]
    largest, places = g.ops("MaxPool", x, outputs=outputs, **view.attributes(x.shape[2:]))
    area, channels = size_of(g, x, 2) * size_of(g, x, 3), size_of(g, x, 1)
    within = g.op("Mod", places, area.value)
    channel = count_to(g, channels).column().column()
    found = index(g, within) * channels + index(g, channel.value)
    if op.get_attr("include_batch_in_index"):
        row = unsqueezed(g, (count_to(g, size_of(g, x, 0)).column() * (area * channels)).column().value, 3)
        found = found + index(g, row)
    result = g.cast(found.value, ir.DataType.from_numpy(np.dtype(op.get_attr("Targmax").as_numpy_dtype)))
    return [largest.meant_as(order), result.meant_as(order)]
