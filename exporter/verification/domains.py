"""Which values an input takes, deduced from what the model does with it: table sizes and vocabularies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from exporter.capture.inference import Inference

# Ops that hand on indices, as Keras's own Embedding and layers around it do.
_CARRIERS = frozenset({"AddV2", "BroadcastTo", "Cast", "ClipByValue", "ConcatV2", "ExpandDims", "Identity", "Maximum"})
_CARRIERS |= {"Minimum", "Pack", "PadV2", "Reshape", "SelectV2", "Split", "Squeeze", "StridedSlice", "Tile"}
_CARRIERS |= {"Transpose", "Unpack"}


@dataclass(frozen=True)
class Domain:
    """The values that an input takes.

    Args:
        limit: indices run from 0 to limit - 1; None if the input is no index.
        vocabulary: keys of a lookup, without the marks for unknown and masked ones.
        closed: whether the lookup fails on what is not in the vocabulary.
        phrases: whether a value is several words of the vocabulary with spaces between them.
        open_ended: whether indices run over something of dynamic size: the nodes of a graph, say.
        mean: of the values, where a Normalization tells; it broadcasts to the input.
        deviation: likewise their standard deviation.
    """

    limit: int | None = None
    vocabulary: tuple[str | int, ...] = ()
    closed: bool = False
    phrases: bool = False
    open_ended: bool = False
    mean: np.ndarray | None = None
    deviation: np.ndarray | None = None

    def within(self, smallest: int | None) -> Domain:
        """Return the domain for inputs whose smallest dynamic dimension is known."""
        if not self.open_ended or smallest is None:
            return self
        return replace(self, limit=max(1, min(smallest, self.limit or smallest)))

    def placed(self, standard: np.ndarray) -> np.ndarray:
        """Return values of mean 0 and deviation 1 as the model's normalization expects them."""
        if self.mean is None or self.deviation is None:
            return standard
        return standard * self.deviation + self.mean


def domains(inference: Inference) -> dict[str, Domain]:
    """Return the domain of each input, by name."""
    graph = inference.concrete().graph
    found = {}
    for position, (info, tensor) in enumerate(zip(inference.inputs, graph.inputs, strict=False)):
        sizes = _indexed_sizes(tensor)
        mean, deviation = _normalized(inference.model, position)
        found[info.name] = replace(
            _lookup(inference.model, position, info.dtype),
            limit=min((size for size in sizes if size), default=None),
            open_ended=None in sizes,
            mean=mean,
            deviation=deviation,
        )
    return found


def _indexed_sizes(tensor: Any) -> list[int | None]:
    """Return the sizes of what the values of `tensor` index; None where that is dynamic."""
    limits: list[int | None] = []
    seen, waiting = set(), [tensor]
    while waiting:
        current = waiting.pop()
        seen.add(current.name)
        for op in current.consumers():
            limits += _table_sizes(op, current)
            if op.type in _CARRIERS:
                waiting += [t for t in op.outputs if t.dtype.is_integer and t.name not in seen]
    return limits


def _table_sizes(op: Any, indices: Any) -> Iterator[int | None]:
    """Yield how many entries the table has, if `op` looks up `indices` in one."""
    import tensorflow as tf
    from tensorflow.python.ops import handle_data_util

    position = [t.name for t in op.inputs].index(indices.name)
    if op.type == "GatherV2" and position == 1:
        axis = tf.get_static_value(op.inputs[2])
        if axis is not None and op.inputs[0].shape.rank:
            yield op.inputs[0].shape[int(axis)]
    elif op.type == "ResourceGather" and position == 1:
        data = handle_data_util.get_resource_handle_data(op.inputs[0])
        yield tf.TensorShape(data.shape_and_type[0].shape)[0] if data.shape_and_type else None
    elif op.type in ("OneHot", "DenseBincount", "Bincount") and position == 0:
        size = tf.get_static_value(op.inputs[1])
        yield None if size is None else int(size)


def _lookup(model: Any, position: int, dtype: str) -> Domain:
    """Return the domain given by the lookup layers that take an input, or by all of them if the model does not tell."""
    kind = str if dtype == "string" else (int, np.integer)
    lookups = [layer for layer in model._flatten_layers() if hasattr(layer, "get_vocabulary")]
    fed = [layer for layer in lookups if _takes_input(model, position, layer)] or lookups
    words: list[Any] = []
    for layer in fed:
        special = {"", "[UNK]", getattr(layer, "mask_token", None), getattr(layer, "oov_token", None)}
        words += [w for w in layer.get_vocabulary() if w not in special and isinstance(w, kind)]
    return Domain(
        vocabulary=tuple(dict.fromkeys(words)),
        closed=any(getattr(layer, "num_oov_indices", 1) == 0 for layer in fed),
        phrases=any(type(layer).__name__ == "TextVectorization" for layer in fed),
    )


def _normalized(model: Any, position: int) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return the mean and the deviation that a Normalization of an input takes away; None where there is none."""
    import keras

    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Normalization) and not layer.invert and _takes_input(model, position, layer):
            mean, variance = (keras.ops.convert_to_numpy(value) for value in (layer.mean, layer.variance))
            return mean, np.sqrt(variance)
    return None, None


def _takes_input(model: Any, position: int, layer: Any) -> bool:
    inputs = getattr(model, "inputs", None) or []
    if position >= len(inputs):
        return False
    return any(t is inputs[position] for node in layer._inbound_nodes for t in node.input_tensors)
