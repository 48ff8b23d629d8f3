"""Sizes for the dynamic dimensions of a model's inputs that the model itself accepts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from exporter.capture.inference import Inference
from exporter.errors import UnsupportedError, UsageError
from exporter.spec import TensorInfo
from exporter.tfgraph.open_loops import has_open_loop

Shapes = dict[str, tuple[int | None, ...]]

# Small sizes first: they cost least. Convolution stacks need more before a feature map is not empty, spectrograms more still.
SIZES: tuple[tuple[int, int], ...] = ((5, 12), (16, 24), (32, 48), (64, 96), (128, 160), (224, 256))
LARGE: tuple[tuple[int, int], ...] = tuple((2**n, 3 * 2 ** (n - 1)) for n in range(9, 17))
MOST = 2**22  # elements of a row: 65536 samples of sound, 1024 x 1024 pixels
CHEAP = 2**18  # the user's own sizes come first up to so many: made-up samples of large photographs would take minutes
TOO_LARGE = 2**26  # elements of a tensor: no model is run on sizes that need more


def usable_shapes(
    inference: Inference, inputs: Sequence[TensorInfo], own: Mapping[str, Sequence[int]] | None = None
) -> list[Shapes]:
    """Return one or two shapes per input, by name, in which only the batch may still be None.

    All inputs change together, since a sequence and its mask must have one length. The second shape differs from the
    first in every dynamic dimension; where the model allows it, its dimensions also differ among themselves.
    Sizes at which every tensor of the model holds something are preferred.

    Args:
        inference: the model.
        inputs: its inputs, perhaps with a fixed batch.
        own: shapes of the user's own data, by input, which are tried first, or last where they are large.

    Raises:
        UsageError: if the model accepts none of all sizes.
    """
    if not any(None in info.shape[1:] for info in inputs):
        return [{info.name: info.shape for info in inputs}]
    traced: list[Shapes] = []
    for first, others in _candidates(inputs, own):
        hollow = _hollow(inference, inputs, first)
        if hollow is None:
            continue
        if not hollow:
            second = next((shapes for shapes in others if _full(inference, inputs, shapes)), None)
            return [first] if second is None else [first, second]
        traced.append(first)
    if traced:
        return traced[:2]
    raise UsageError(
        "no size was found for the dynamic dimensions of the inputs",
        where=", ".join(map(str, inputs)),
        reason=f"the model fails to trace for {', '.join(str(small) for small, _ in (*SIZES, *LARGE))}",
        remedy="pass data of your own as samples (--samples), or fix the dimensions with input_signature (--shape)",
    )


def _candidates(
    inputs: Sequence[TensorInfo], own: Mapping[str, Sequence[int]] | None
) -> Iterator[tuple[Shapes, list[Shapes]]]:
    """Yield shapes to try, and what may stand beside each as the second; the user's own first, then from small to large."""
    sized = [
        (_filled(inputs, small, small), [_filled(inputs, large, (small + large) // 2), _filled(inputs, large, large)])
        for small, large in (*SIZES, *LARGE)
    ]
    found = [(first, others) for first, others in sized if _elements(first) <= MOST]
    if own is not None:
        first = {i.name: tuple(d if n == 0 else own[i.name][n] for n, d in enumerate(i.shape)) for i in inputs}
        near = sorted(found, key=lambda pair: abs(_elements(pair[0]) - _elements(first)))
        ours = (first, [shapes for shapes, _ in near[:3] if shapes != first])
        found = [ours, *found] if _elements(first) <= CHEAP else [*found, ours]
    yield from found


def _elements(shapes: Shapes) -> int:
    """Return the elements of a row of the largest input."""
    return max(math.prod(d or 1 for d in shape) for shape in shapes.values())


def _filled(inputs: Sequence[TensorInfo], odd: int, even: int) -> Shapes:
    """Fill in the dynamic dimensions except the batch: axes 1, 3, … get the size `odd`, axes 2, 4, … `even`."""
    return {
        info.name: tuple((odd if axis % 2 else even) if d is None and axis else d for axis, d in enumerate(info.shape))
        for info in inputs
    }


def _full(inference: Inference, inputs: Sequence[TensorInfo], shapes: Shapes) -> bool:
    return _hollow(inference, inputs, shapes) is False


def _hollow(inference: Inference, inputs: Sequence[TensorInfo], shapes: Shapes) -> bool | None:
    """Whether a tensor of numbers holds nothing, or Keras fails on zeros: it pools 5 x 5 pixels to 0 x 0 without a word.

    None if the model cannot be traced for these sizes, or has tensors beyond `TOO_LARGE`. A dynamic batch has two rows.
    """
    import tensorflow as tf

    from exporter.capture.state import ModelState
    from exporter.verification.values import ValueMaker

    chosen = {name: tuple(2 if d is None else d for d in shape) for name, shape in shapes.items()}
    known: list[int] = []

    def sizes(*tensors: Any) -> list[Any]:
        outputs = inference(*tensors)
        found = list(_numbers(tf.compat.v1.get_default_graph()))
        known.extend(n for t in found if (n := t.shape.num_elements()) is not None)
        return [*outputs, *(tf.size(t) for t in found if t.shape.num_elements() is None)]

    try:
        traced = inference.trace(sizes, [replace(i, shape=chosen[i.name]) for i in inputs])
    except (TypeError, ValueError, UnsupportedError, tf.errors.OpError):
        return None
    if 0 in known or max(known, default=0) > TOO_LARGE:
        return True if 0 in known else None
    if has_open_loop(traced.graph):
        return False
    maker = ValueMaker(inference, 0)
    try:
        with ModelState(traced).used():
            results = traced(*(tf.constant(maker.make("zeros", name, shape)) for name, shape in chosen.items()))
        return any(int(size) == 0 for size in results[len(inference.outputs) :])
    except (TypeError, ValueError, tf.errors.OpError):
        return True


def _numbers(graph: Any) -> Iterator[Any]:
    """Yield the tensors of a graph that hold numbers, outside of loops and branches."""
    return (t for op in graph.get_operations() for t in op.outputs if t.dtype.is_floating or t.dtype.is_complex)
