"""Slices, diagonals and patches in forms that the converter keeps as builtin ops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from exporter.formats.tflite.registry import lowers_op

_BITS = ("begin_mask", "end_mask", "shrink_axis_mask", "new_axis_mask", "ellipsis_mask")


@lowers_op("StridedSlice")
def strided_slice(op: Any, x: Any, begin: Any, end: Any, strides: Any) -> Any:
    """Return x[begin:end:strides], new axes put in afterwards and an ellipsis written out.

    With dynamic shapes the converter leaves both to Flex.
    """
    masks = {name: op.get_attr(name) for name in _BITS}
    if not masks["new_axis_mask"] and not masks["ellipsis_mask"]:
        return NotImplemented
    count = op.inputs[1].shape[0]
    spec, new_axes = _written_out(masks, count, x.shape.rank)
    whole = _are_whole(spec, masks, tf.get_static_value(strides))
    result = x if whole else _sliced(x, spec, masks, (begin, end, strides))
    for axis in new_axes:
        result = tf.expand_dims(result, axis)
    return result


def _are_whole(spec: list[int | None], masks: dict[str, int], strides: Any) -> bool:
    """Whether nothing is cut away: the slice only puts new axes in."""
    taken = masks["begin_mask"] & masks["end_mask"] & ~masks["shrink_axis_mask"]
    return all(i is None or (taken >> i & 1 and strides is not None and strides[i] == 1) for i in spec)


def _sliced(x: Any, spec: list[int | None], masks: dict[str, int], limits: Sequence[Any]) -> Any:
    """Return the slice without new axes; `limits` are begin, end and strides."""
    bounds = [_picked(values, spec) for values in limits]
    dense = {
        name: sum(bool(masks[name] >> index & 1 if index is not None else name != "shrink_axis_mask") << place
                  for place, index in enumerate(spec))
        for name in _BITS[:3]
    }  # fmt: skip
    return tf.raw_ops.StridedSlice(input=x, begin=bounds[0], end=bounds[1], strides=bounds[2], **dense)


def _written_out(masks: dict[str, int], count: int, rank: int) -> tuple[list[int | None], list[int]]:
    """Return, for each axis of the input, the index of its entry (None: whole), and the new axes of the result."""
    spec: list[int | None] = []
    new_axes, place = [], 0
    axes = sum(not (masks["new_axis_mask"] | masks["ellipsis_mask"]) >> i & 1 for i in range(count))
    for index in range(count):
        if masks["ellipsis_mask"] >> index & 1:
            spec += [None] * (rank - axes)
            place += rank - axes
        elif masks["new_axis_mask"] >> index & 1:
            new_axes.append(place)
            place += 1
        else:
            spec.append(index)
            place += not masks["shrink_axis_mask"] >> index & 1
    return spec, new_axes


def _picked(values: Any, spec: list[int | None]) -> Any:
    """Return the entries of begin, end or strides named by `spec`, 1 for a whole axis (masked, except as a stride)."""
    static = tf.get_static_value(values, partial=True)
    entries = [1 if i is None else values[i] if static is None or static[i] is None else static[i] for i in spec]
    return tf.stack([tf.cast(e, values.dtype) for e in entries])


@lowers_op("Unpack")
def unpack(op: Any, x: Any) -> Any:
    """Return the slices along an axis; the converter's own form needs static shapes."""
    if x.shape.is_fully_defined():
        return NotImplemented
    axis = op.get_attr("axis") % x.shape.rank
    return [x[(slice(None),) * axis + (i,)] for i in range(op.get_attr("num"))]


@lowers_op("Roll")
def roll(op: Any, x: Any, shift: Any, axes: Any) -> Any:
    """Return x turned along axes of known size; the converter's own form needs a static shape as a whole."""
    shifts, axes = (tf.get_static_value(t) for t in (shift, axes))
    if shifts is None or axes is None or x.shape.is_fully_defined():
        return NotImplemented
    for by, axis in zip(np.ravel(shifts), np.ravel(axes), strict=True):
        size = x.shape[int(axis)]
        if size is None:
            return NotImplemented
        if size and (start := int(-by) % size):
            before = (slice(None),) * (int(axis) % x.shape.rank)
            x = tf.concat([x[(*before, slice(start, None))], x[(*before, slice(0, start))]], axis=int(axis))
    return x


@lowers_op("ExtractImagePatches")
def extract_patches(op: Any, images: Any) -> Any:
    """Return the pixels of every window side by side, by a convolution that picks each of them."""
    channels = images.shape[3]
    if not images.dtype.is_floating or channels is None:
        return NotImplemented
    height, width = op.get_attr("ksizes")[1:3]
    size = height * width * channels
    kernel = np.eye(size, dtype=images.dtype.as_numpy_dtype).reshape(height, width, channels, size)
    return tf.nn.conv2d(
        images, kernel, op.get_attr("strides"), op.get_attr("padding").decode(), dilations=op.get_attr("rates")
    )
