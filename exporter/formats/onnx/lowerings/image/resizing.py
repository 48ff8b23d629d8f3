"""Resizing of images, (batch, height, width, channels) in Keras's order.

Nearest and bilinear: the op Resize, or Gather where rows and columns are just chosen. Any other method is linear in the rows
and in the columns, so an image of fixed size is multiplied by two small matrices. Their entries are what TensorFlow makes of
the unit vectors: exact for its bicubic, whose weights come from a table of 1024 steps, and for antialiasing.

Where each pixel is repeated, Resize is told so by four scales: only then does ONNX Runtime 1.32 do it between convolutions
without leaving its blocked layout. With sizes, those convolutions and Resize take 1.04 (64 channels, 32 x 32) to 1.09 times as
long (32 channels, 64 x 64).
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.index import Index, count_to, entry, index, size_of
from exporter.formats.onnx.builder.sizes import joined
from exporter.formats.onnx.builder.static import known, known_ints
from exporter.formats.onnx.builder.value import Constant, Value, channels_first
from exporter.formats.onnx.registry import lowers_layer, lowers_op


@lowers_op("ResizeNearestNeighbor")
def nearest(g: Graph, op: Any, images: Value, size: Value) -> Value:
    """The nearest pixel: Resize where every pixel is repeated, else Gather; both are exact for every dtype."""
    if not isinstance(size, Constant) or (None in images.shape[1:3] and not op.get_attr("half_pixel_centers")):
        return _chosen(g, op, images, [entry(g, size, n) for n in (0, 1)])
    target = known_ints(size, "the size of an image")
    if None in images.shape[1:3]:
        return _resize(g, images, target, "nearest", nearest_mode="round_prefer_ceil")
    sizes = [n or 1 for n in images.shape[1:3]]
    if images.dtype == ir.DataType.FLOAT and all(m % n == 0 for m, n in zip(target, sizes, strict=True)):
        return repeated(g, images, [m // n for m, n in zip(target, sizes, strict=True)], (1, 2))
    for axis, count in zip((1, 2), target, strict=True):
        chosen = _sampled(op, np.arange(images.shape[axis] or 0, dtype=np.float32), count).astype(np.int64)
        shape = (*images.shape[:axis], count, *images.shape[axis + 1 :])
        order, place = images.order, images.axis(axis)
        images = g.raw("Gather", images, g.constant(chosen), shape=shape, order=order, axis=place)
    return images


def _chosen(g: Graph, op: Any, images: Value, target: Sequence[Index]) -> Value:
    """Gather the rows and columns that TensorFlow's float32 arithmetic picks, of sizes that only running tells."""
    for axis, count in zip((1, 2), target, strict=True):
        size = size_of(g, images, axis)
        places = _nearest_places(g, op, size, count)
        chosen = index(g, g.cast(places, ir.DataType.INT64)).at_most(size - 1).at_least(0).value
        shape = (*images.shape[:axis], count.known, *images.shape[axis + 1 :])
        order, place = images.order, images.axis(axis)
        images = g.raw("Gather", images, chosen, shape=shape, order=order, axis=place)
    return images


def _nearest_places(g: Graph, op: Any, size: Index, count: Index) -> Value:
    """Return the place of the nearest pixel for each of `count`, whole numbers as float32."""
    corners, half = op.get_attr("align_corners"), op.get_attr("half_pixel_centers")
    pair = (size - 1, (count - 1).at_least(1)) if corners else (size, count)
    scale = g.op("Div", *(g.cast(n.value, ir.DataType.FLOAT) for n in pair))
    number = g.cast(count_to(g, count).value, ir.DataType.FLOAT)
    place = g.op("Mul", g.op("Add", number, 0.5) if half else number, scale)
    return g.op("Floor", g.op("Add", place, 0.5) if corners else place)


def repeated(g: Graph, images: Value, times: Sequence[int], axes: Sequence[int]) -> Value:
    """Return images (of floats) whose pixels are repeated `times` along Keras's `axes`."""
    modes = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return _scaled(g, images, times, axes, modes)


def _scaled(g: Graph, images: Value, times: Sequence[int], axes: Sequence[int], modes: dict[str, Any]) -> Value:
    """Write Resize with scales."""
    factors = dict(zip(axes, times, strict=True))
    shape = tuple(None if d is None else d * factors.get(axis, 1) for axis, d in enumerate(images.shape))
    scales = g.constant([factors.get(axis, 1) for axis in images.order], np.float32)
    return g.raw("Resize", images, None, scales, shape=shape, order=images.order, **modes)


def _scalable(layer: Any, inputs: Any) -> bool:
    """Whether Resize takes the scales: pixels repeated, or interpolated where their number is not known."""
    if not inputs.dtype.is_floating or inputs.dtype == "float64":
        return False
    return layer.interpolation == "nearest" or (layer.interpolation == "bilinear" and None in inputs.shape[1:])


@lowers_layer(keras.layers.UpSampling2D, when=_scalable)
def upsampling(g: Graph, layer: Any, inputs: Value) -> Value:
    """Repeat rows and columns, or interpolate between them."""
    axes = (1, 2) if layer.data_format == "channels_last" else (2, 3)
    if layer.interpolation == "nearest":
        return repeated(g, inputs, layer.size, axes)
    modes = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
    return _scaled(g, g.in_order(inputs, (0, *(a for a in (1, 2, 3) if a not in axes), *axes)), layer.size, axes, modes)


@lowers_op("ResizeBilinear")
def bilinear(g: Graph, op: Any, images: Value, size: Value) -> Value:
    """The weighted mean of the four nearest pixels: Resize, linear, whose half_pixel coordinates are TensorFlow's."""
    target = [entry(g, size, n) for n in (0, 1)]
    images = g.cast(images, _computed(images))
    if op.get_attr("half_pixel_centers") and not op.get_attr("align_corners"):
        return _resize(g, images, target, "linear")
    if isinstance(size, Constant) and None not in images.shape[1:3]:
        return _by_matrices(g, op, images, known_ints(size, "the size of an image"))
    return _resize(g, images, target, "linear", coordinate_transformation_mode=_legacy(op))


def _legacy(op: Any) -> str:
    return "align_corners" if op.get_attr("align_corners") else "asymmetric"


@lowers_op("ResizeBicubic", "ResizeArea")
def matrices(g: Graph, op: Any, images: Value, size: Value) -> Value:
    """Two products with constant matrices."""
    return _by_matrices(g, op, images, known_ints(size, "the size of an image"))


@lowers_op("ScaleAndTranslate")
def scale_and_translate(g: Graph, op: Any, images: Value, size: Value, scale: Value, translation: Value) -> Value:
    """Two products with constant matrices: lanczos, gaussian, and every antialiased method."""
    scales = known(scale, "the scale of an image")
    shifts = known(translation, "the translation of an image")
    return _by_matrices(g, op, images, known_ints(size, "the size of an image"), scales, shifts)


def _computed(images: Value) -> ir.DataType:
    """Return the dtype of what TensorFlow's ops return: float32, whatever the images are."""
    return ir.DataType.DOUBLE if images.dtype == ir.DataType.DOUBLE else ir.DataType.FLOAT


def _resize(g: Graph, images: Value, target: Sequence[int | Index], mode: str, **attributes: Any) -> Value:
    """Write Resize; below opset 18 the batch and the channels are part of the size."""
    numbers = [n if isinstance(n, Index) else index(g, n) for n in target]
    shape = (images.shape[0], *(n.known for n in numbers), images.shape[3])
    attributes = {"coordinate_transformation_mode": "half_pixel", "mode": mode, **attributes}
    if g.supports_opset(18):
        places = [images.axis(1), images.axis(2)]
        pairs = sorted(zip(places, numbers, strict=True), key=operator.itemgetter(0))
        sizes: Any = joined(g, [n.vector() for _, n in pairs])
        attributes["axes"] = [place for place, _ in pairs]
    else:
        each = [g.dimension(images, axis) for axis in images.order if axis in (0, 3)]
        spatial = [n.vector() for n in numbers]
        by_axis = {0: each[0], 1: spatial[0], 2: spatial[1], 3: each[1]}
        sizes = g.op("Concat", *(by_axis[axis] for axis in images.order), shape=(4,), axis=0)
    return g.raw("Resize", images, None, None, sizes, shape=shape, order=images.order, **attributes)


def _by_matrices(
    g: Graph, op: Any, images: Value, target: Sequence[int], scales: Any = (None, None), shifts: Any = (0, 0)
) -> Value:
    fixed = [n for n in images.shape[1:3] if n is not None]
    if len(fixed) < 2:
        raise NotImplementedError(f"{op.type} needs images of a fixed height and width; give them in the Input")
    x = g.in_order(g.cast(images, _computed(images)), channels_first(4))
    weights = [
        _sampled(op, np.eye(n, dtype=np.float32), m, scale, shift).astype(x.numpy_dtype)
        for n, m, scale, shift in zip(fixed, target, scales, shifts, strict=True)
    ]
    wide = (images.shape[0], images.shape[1], target[1], images.shape[3])
    x = g.raw("MatMul", x, g.constant(weights[1].T), shape=wide, order=x.order)
    return g.raw(
        "MatMul", g.constant(weights[0]), x, shape=(wide[0], target[0], *wide[2:]), dtype=x.dtype, order=x.order
    )


def _sampled(op: Any, columns: np.ndarray, count: int, scale: Any = None, shift: Any = 0) -> np.ndarray:
    """Return what the op makes of columns (n,) or (n, k), resized to `count` rows."""
    import tensorflow as tf

    arguments = {a.name: op.get_attr(a.name) for a in op.op_def.attr if a.name != "T"}
    width = columns.reshape(len(columns), -1).shape[1]
    with tf.init_scope():
        fed: dict[str, Any] = {"images": columns.reshape(1, len(columns), 1, width), "size": [count, 1]}
        if op.type == "ScaleAndTranslate":
            fed |= {"scale": np.array([scale, 1], np.float32), "translation": np.array([shift, 0], np.float32)}
        resized = getattr(tf.raw_ops, op.type)(**fed, **arguments).numpy()
    return np.asarray(resized).reshape(count, *columns.shape[1:])
