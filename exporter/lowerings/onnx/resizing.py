"""Resizing of images, (batch, height, width, channels) in Keras's order.

Nearest and bilinear: the op Resize, or Gather where rows and columns are just chosen. Any other method is linear in the rows
and in the columns, so an image of fixed size is multiplied by two small matrices. Their entries are what TensorFlow makes of
the unit vectors: exact for its bicubic, whose weights come from a table of 1024 steps, and for antialiasing.

Where each pixel is repeated, Resize is told so by four scales: only then does ONNX Runtime 1.32 do it between convolutions
without leaving its blocked layout. With sizes, those convolutions and Resize take 1.04 (64 channels, 32 x 32) to 1.09 times as
long (32 channels, 64 x 64).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import onnx_ir as ir

from exporter.lowerings.onnx.graph import Graph
from exporter.lowerings.onnx.registry import lowers_layer, lowers_op
from exporter.lowerings.onnx.static import known, known_ints
from exporter.lowerings.onnx.value import Value, channels_first


@lowers_op("ResizeNearestNeighbor")
def nearest(g: Graph, op: Any, images: Value, size: Value) -> Value:
    """The nearest pixel: Resize where every pixel is repeated, else Gather; both are exact for every dtype."""
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
    target = known_ints(size, "the size of an image")
    if not op.get_attr("half_pixel_centers") or op.get_attr("align_corners"):
        return _by_matrices(g, op, images, target)
    return _resize(g, g.cast(images, _computed(images)), target, "linear")


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


def _resize(g: Graph, images: Value, target: Sequence[int], mode: str, **attributes: Any) -> Value:
    """Write Resize; below opset 18 the batch and the channels are part of the size."""
    shape = (images.shape[0], *target, images.shape[3])
    attributes = {"coordinate_transformation_mode": "half_pixel", "mode": mode, **attributes}
    if g.wants(18):
        places = [images.axis(1), images.axis(2)]
        pairs = sorted(zip(places, target, strict=True))
        sizes: Any = g.constant([n for _, n in pairs], np.int64)
        attributes["axes"] = [place for place, _ in pairs]
    else:
        each = [g.dimension(images, axis) for axis in images.order if axis in (0, 3)]
        spatial = [g.constant([n], np.int64) for n in target]
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
