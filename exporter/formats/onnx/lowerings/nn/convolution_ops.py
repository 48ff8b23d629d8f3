"""TensorFlow's own convolutions, of layers that call tf.nn: Conv2D, Conv3D, DepthwiseConv2dNative and the transposed ones.

They become what Keras's layers become. Padding that depends on a size which only running tells is calculated by the model where
ONNX has no form for it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.index import Index, entry, index, padded_by, size_of
from exporter.formats.onnx.builder.value import Constant, Order, Shape, Value, channels_first, identity
from exporter.formats.onnx.builder.window import Window, image_shape
from exporter.formats.onnx.lowerings.array.slicing import Range, sliced
from exporter.formats.onnx.lowerings.image.patches import spread_windows
from exporter.formats.onnx.registry import lowers_op


@lowers_op("Conv2D", "Conv3D")
def convolution(g: Graph, op: Any, images: Value, kernel: Value) -> Value:
    """Conv; the kernel, (window …, channels of a group, filters), may be computed."""
    last = kernel.rank - 1
    held = _held(g, kernel, (last, last - 1, *range(last - 1)))
    channels, own = images.shape[_order(op, images.rank)[1]], kernel.shape[-2]
    groups = channels // own if channels is not None and own else 1
    return _convolved(g, op, images, held, groups)


@lowers_op("DepthwiseConv2dNative")
def depthwise(g: Graph, op: Any, images: Value, kernel: Value) -> Value:
    """A Conv in as many groups as there are channels; the kernel is (window, channels, multiplier)."""
    channels, multiplier = kernel.shape[2:]
    if channels is None or multiplier is None:
        raise NotImplementedError("a depthwise convolution whose number of channels is not known while exporting")
    held = _held(g, kernel, (2, 3, 0, 1))
    height, width = kernel.shape[:2]
    target = [channels * multiplier, 1, *(-1 if n is None else n for n in (height, width))]
    if target.count(-1) > 1:
        raise NotImplementedError("a depthwise convolution with a window of dynamic size")
    shape = (channels * multiplier, 1, height, width)
    flat = held.reshape(*target) if isinstance(held, Constant) else g.op("Reshape", held, np.array(target), shape=shape)
    return _convolved(g, op, images, flat, channels)


def _convolved(g: Graph, op: Any, images: Value, kernel: Value, groups: int) -> Value:
    """Write Conv; `kernel` is as ONNX has it, (filters, channels of a group, window …)."""
    order = _order(op, images.rank)
    view = _window(op, kernel.shape[2:], order)
    images, view, pads = with_padding(g, op, images, view, order)
    x = g.in_order(images, order)
    batch, _, *spatial = x.file_shape
    places = _padded_places(view, tuple(spatial), pads)
    shape = image_shape(order, batch, kernel.shape[0], places)
    attributes = view.attributes(tuple(spatial)) | ({"pads": pads} if pads else {})
    return g.raw("Conv", x, kernel, shape=shape, order=order, group=groups if groups > 1 else None, **attributes)


def with_padding(
    g: Graph, op: Any, images: Value, view: Window, order: Order, fill: Value | None = None
) -> tuple[Value, Window, list[int]]:
    """Return images and window for which ONNX has a form of the padding, and the numbers if the op gives them.

    ONNX Runtime works out the padding of "SAME" for dynamic sizes, but not of windows shorter than their stride, or dilated.
    """
    if view.padding == "explicit":
        pairs = np.reshape(op.get_attr("explicit_paddings"), (-1, 2))[list(order[2:])]
        return images, _valid(view), [*pairs[:, 0].tolist(), *pairs[:, 1].tolist()]
    if view.padding == "valid" or _is_expressible(view, [images.shape[axis] for axis in order[2:]]):
        return images, view, []
    befores, afters = [index(g, 0)] * images.rank, [index(g, 0)] * images.rank
    for axis, extent, stride in zip(order[2:], view.extent, view.strides, strict=True):
        _, befores[axis], afters[axis] = spread_windows(size_of(g, images, axis), extent, stride, b"SAME")
    return padded_by(g, images, befores, afters, fill), _valid(view), []


def _is_expressible(view: Window, sizes: list[int | None]) -> bool:
    """Whether "SAME" is a matter of known numbers, or one of those that ONNX Runtime works out."""
    views = list(zip(sizes, view.extent, view.strides, strict=True))
    if all(n is not None or s == 1 or k == 1 for n, k, s in views):
        return True
    return max(view.dilations) == 1 and all(n is not None or k >= s for n, k, s in views)


def _valid(view: Window) -> Window:
    return Window(view.size, view.strides, view.dilations, "valid")


def _padded_places(view: Window, sizes: Shape, pads: list[int]) -> Shape:
    if not pads:
        return view.places(sizes)
    half = len(pads) // 2
    return view.places(
        tuple(None if n is None else n + a + b for n, a, b in zip(sizes, pads[:half], pads[half:], strict=True))
    )


def _window(op: Any, size: Shape, order: Order) -> Window:
    if None in size:
        raise NotImplementedError("a convolution with a window of dynamic size")
    strides, dilations = ([op.get_attr(name)[axis] for axis in order[2:]] for name in ("strides", "dilations"))
    padding = op.get_attr("padding").decode().lower()
    return Window(tuple(n or 0 for n in size), tuple(strides), tuple(dilations), padding)


def _order(op: Any, rank: int) -> Order:
    return identity(rank) if op.get_attr("data_format") in (b"NCHW", b"NCDHW") else channels_first(rank)


def _held(g: Graph, kernel: Value, order: Order) -> Value:
    return kernel.transpose(*order) if isinstance(kernel, Constant) else g.in_order(kernel, order).as_filed()


@lowers_op("Conv2DBackpropInput", "Conv3DBackpropInputV2")
def transposed(g: Graph, op: Any, sizes: Value, kernel: Value, y: Value) -> Value:
    """ConvTranspose of all that the windows cover, cut or filled with zeros to `sizes`, which the model may compute."""
    order = _order(op, y.rank)
    view = _window(op, kernel.shape[:-2], order)
    last = kernel.rank - 1
    held = _held(g, kernel, (last, last - 1, *range(last - 1)))
    x = g.in_order(y, order)
    wanted = [_wanted(g, op, sizes, axis) for axis in order[2:]]
    starts = [
        _start(g, op, y, axis, n, view, place) for place, (axis, n) in enumerate(zip(order[2:], wanted, strict=True))
    ]
    channels, own = y.shape[order[1]], kernel.shape[-1]
    if channels is not None and own not in (None, channels):
        raise NotImplementedError("a transposed convolution in groups")
    spatial = tuple(
        None if n is None else (n - 1) * s + k
        for n, k, s in zip(x.file_shape[2:], view.extent, view.strides, strict=True)
    )
    shape = image_shape(order, x.file_shape[0], kernel.shape[-2], spatial)
    full = g.raw("ConvTranspose", x, held, shape=shape, order=order, **_valid(view).attributes(spatial))
    return _cut(g, full, order[2:], starts, wanted)


def _wanted(g: Graph, op: Any, sizes: Value, axis: int) -> Index:
    """Return the size of the result along Keras's `axis`; `sizes` may leave out batch and channels."""
    shape = op.outputs[0].shape
    if shape.rank is not None and shape[axis] is not None:
        return index(g, int(shape[axis]))
    return entry(g, sizes, axis if sizes.shape[0] == op.inputs[2].shape.rank else axis - 1)


def _start(g: Graph, op: Any, y: Value, axis: int, wanted: Index, view: Window, place: int) -> Index:
    """Return how much padding the convolution had before its first place."""
    if view.padding == "valid":
        return index(g, 0)
    if view.padding == "explicit":
        return index(g, op.get_attr("explicit_paddings")[2 * axis])
    covered = (size_of(g, y, axis) - 1) * view.strides[place] + view.extent[place]
    return (covered - wanted).at_least(0) // 2


def _cut(g: Graph, full: Value, axes: Order, starts: list[Index], wanted: list[Index]) -> Value:
    """Return `wanted` places of `full` from `starts` on; behind its end are zeros."""
    zero = index(g, 0)
    afters = [zero] * full.rank
    for axis, start, size in zip(axes, starts, wanted, strict=True):
        afters[axis] = (start + size - size_of(g, full, axis)).at_least(0)
    pairs = zip(axes, starts, wanted, strict=True)
    ranges = [Range(axis, start.bound, (start + size).bound) for axis, start, size in pairs]
    return sliced(g, padded_by(g, full, [zero] * full.rank, afters), ranges)
