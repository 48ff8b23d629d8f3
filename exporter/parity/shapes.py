"""Sizes for the dynamic dimensions of a model's inputs that the model itself accepts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from exporter.errors import UnsupportedError, UsageError
from exporter.freeze import Inference
from exporter.spec import TensorInfo

Shapes = dict[str, tuple[int | None, ...]]

# Small sizes first: they cost least. Convolution stacks need more before a feature map is not empty.
SIZES: tuple[tuple[int, int], ...] = ((5, 12), (16, 24), (32, 48), (64, 96), (128, 160), (224, 256))


def usable_shapes(inference: Inference, inputs: Sequence[TensorInfo]) -> list[Shapes]:
    """Return one or two shapes per input, by name, in which only the batch may still be None.

    All inputs change together, since a sequence and its mask must have one length. The second shape differs from the
    first in every dynamic dimension; where the model allows it, its dimensions also differ among themselves.
    Sizes at which every tensor of the model holds something are preferred.

    Raises:
        UsageError: if the model accepts none of `SIZES`.
    """
    if not any(None in info.shape[1:] for info in inputs):
        return [{info.name: info.shape for info in inputs}]
    traced: list[Shapes] = []
    for small, large in SIZES:
        first = _filled(inputs, small, small)
        graph = _graph(inference, inputs, first)
        if graph is None:
            continue
        if not _hollow(graph):
            others = (_filled(inputs, large, (small + large) // 2), _filled(inputs, large, large))
            second = next((shapes for shapes in others if _graph(inference, inputs, shapes)), None)
            return [first] if second is None else [first, second]
        traced.append(first)
    if traced:
        return traced[:2]
    raise UsageError(
        "no size was found for the dynamic dimensions of the inputs",
        where=", ".join(map(str, inputs)),
        reason=f"the model fails to trace for {', '.join(str(small) for small, _ in SIZES)}",
        remedy="pass data of your own as samples, or fix the dimensions with input_signature",
    )


def _filled(inputs: Sequence[TensorInfo], odd: int, even: int) -> Shapes:
    """Fill in the dynamic dimensions except the batch: axes 1, 3, … get the size `odd`, axes 2, 4, … `even`."""
    return {
        info.name: tuple((odd if axis % 2 else even) if d is None and axis else d for axis, d in enumerate(info.shape))
        for info in inputs
    }


def _graph(inference: Inference, inputs: Sequence[TensorInfo], shapes: Shapes) -> Any:
    """Return the model's graph for these sizes; None if it does not accept them."""
    import tensorflow as tf

    try:
        return inference.trace(inference, [replace(i, shape=shapes[i.name]) for i in inputs]).graph
    except (TypeError, ValueError, UnsupportedError, tf.errors.OpError):
        return None


def _hollow(graph: Any) -> bool:
    """Whether a float tensor holds nothing: Keras pools 5 x 5 pixels to 0 x 0 without a word."""
    tensors = [t for op in graph.get_operations() for t in op.outputs if t.dtype.is_floating and t.shape.rank]
    return any(0 in t.shape.as_list() for t in tensors)
