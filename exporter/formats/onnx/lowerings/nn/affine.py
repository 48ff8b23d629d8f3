"""Factor and offset for every channel of an image: Rescaling, Normalization, ImageNormalize.

ONNX: Mul and Add, of numbers where all channels have the same ones, channels-first where they have not: ONNX Runtime takes ten
times as long to broadcast three numbers along the last axis, and a convolution wants channels first anyway. Layers in a row
become one Mul and one Add.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Value, channels_first
from exporter.formats.onnx.registry import lowers_layer
from exporter.layers.image_normalize import ImageNormalize

FEW = 16  # channels; more of them are broadcast fast enough wherever they lie
LARGEST_OFFSET = 8.0  # beyond it x · factor + offset cancels more than (x + offset / factor) · factor


@dataclass(eq=False)
class Affine(Value):
    """factor · of + offset; both are float64 and broadcast against `of` in Keras's axis order."""

    of: Value = field(kw_only=True)
    factor: np.ndarray = field(kw_only=True)
    offset: np.ndarray = field(kw_only=True)


def affine(g: Graph, x: Value, factor: np.ndarray, offset: np.ndarray) -> Value:
    """Return factor · x + offset, joined with the same done to `x` before; the arrays broadcast against `x`."""
    factor, offset = _shortest(factor), _shortest(offset)
    if isinstance(x, Affine):
        joined = factor * x.factor, factor * x.offset + offset
        if np.all(np.abs(joined[1]) <= LARGEST_OFFSET):
            (factor, offset), x = joined, x.of
    x = _laid_out(g, x, factor, offset)
    if np.all(np.abs(offset) <= LARGEST_OFFSET):
        y = _applied(g, "Add", _applied(g, "Mul", x, factor, 1), offset, 0)
    else:
        y = _applied(g, "Mul", _applied(g, "Add", x, offset / factor, 0), factor, 1)
    return Affine(y.ir, y.shape, y.dtype, y.order, of=x, factor=factor, offset=offset) if y is not x else x


def _shortest(array: np.ndarray) -> np.ndarray:
    """Return a scalar for an array of equal numbers."""
    wide = np.asarray(array, np.float64)
    return np.asarray(wide.flat[0]) if wide.size and np.all(wide == wide.flat[0]) else wide


def _laid_out(g: Graph, x: Value, factor: np.ndarray, offset: np.ndarray) -> Value:
    image = x.rank >= 4 and x.in_keras_order and (x.shape[-1] or FEW) < FEW
    last = any(a.ndim and a.shape[-1] > 1 and a.size == a.shape[-1] for a in (factor, offset))
    return g.in_order(x, channels_first(x.rank)) if image and last else x


def _applied(g: Graph, kind: str, x: Value, array: np.ndarray, neutral: float) -> Value:
    return x if np.all(array == neutral) else g.elementwise(kind, x, array.astype(x.numpy_dtype))


def _float(g: Graph, layer: Any, x: Value) -> Value:
    return g.cast(x, ir.DataType.DOUBLE if layer.compute_dtype == "float64" else ir.DataType.FLOAT)


def _rounded(layer: Any, array: Any) -> np.ndarray:
    """Return the numbers as the layer's compute dtype has them."""
    return np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(array, layer.compute_dtype)), np.float64)


@lowers_layer(keras.layers.Rescaling)
def rescaling(g: Graph, layer: Any, inputs: Value) -> Value:
    """Compute scale · x + offset, each a number or one per channel."""
    scale, offset = _rounded(layer, layer.scale), _rounded(layer, layer.offset)
    if scale.ndim and keras.config.image_data_format() == "channels_first":
        scale = scale.reshape(*scale.shape, *[1] * (3 - scale.ndim))
    return affine(g, _float(g, layer, inputs), scale, offset)


@lowers_layer(keras.layers.Normalization)
def normalization(g: Graph, layer: Any, inputs: Value) -> Value:
    """(x - mean) / max(√variance, ε), or the inverse of it."""
    mean, variance = (np.asarray(keras.ops.convert_to_numpy(a), np.float64) for a in (layer.mean, layer.variance))
    deviation = np.maximum(np.sqrt(variance), keras.config.epsilon())
    x = _float(g, layer, inputs)
    return affine(g, x, deviation, mean) if layer.invert else affine(g, x, 1 / deviation, -mean / deviation)


@lowers_layer(ImageNormalize)
def image_normalize(g: Graph, layer: ImageNormalize, inputs: Value) -> Value:
    """(scale · x - mean) / std of this package's layer."""
    mean, deviation = np.asarray(layer.mean, np.float64), np.asarray(layer.std, np.float64)
    shape = [1] * inputs.rank
    shape[-1 if layer.data_format == "channels_last" else 1] = -1
    factor, offset = np.broadcast_arrays(layer.scale / deviation, -mean / deviation)
    if factor.ndim:
        factor, offset = factor.reshape(shape), offset.reshape(shape)
    return affine(g, _float(g, layer, inputs), factor, offset)
