"""TimeDistributed: a layer applied to each time step. Steps are rows like any other: time is folded into the batch.

Layers that might look across the batch (a user's own) are run step by step instead, in a Scan.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from exporter.formats.onnx.registry import rewrites_layer

KNOWN = ("keras.", "exporter.layers.")  # modules whose layers treat each row of a batch by itself


@rewrites_layer(keras.layers.TimeDistributed)
def time_distributed(
    original: Callable[..., Any], layer: Any, inputs: Any, training: Any = None, mask: Any = None
) -> Any:
    """Apply the inner layer to (batch · time, …), or to each step."""
    inner = layer.layer
    options = {"training": training} if inner._call_has_training_arg else {}
    if mask is not None and not inner._call_has_mask_arg:
        mask = None
    if not _is_row_independent(inner):
        return _step_by_step(inner, inputs, mask, options)
    if mask is not None:
        options["mask"] = _folded(mask)
    return keras.tree.map_structure(lambda y: _unfolded(y, inputs), inner.call(_folded(inputs), **options))


def _is_row_independent(layer: Any) -> bool:
    parts = layer._flatten_layers()
    known = all(type(part).__module__.startswith(KNOWN) and not isinstance(part, keras.layers.Lambda) for part in parts)
    return known and all(isinstance(o, keras.Layer) for part in parts for o in getattr(part, "operations", []))


def _folded(x: Any) -> Any:
    sizes = ops.shape(x)
    return ops.reshape(x, (-1, *sizes[2:]))


def _unfolded(y: Any, like: Any) -> Any:
    batch, time, *_ = ops.shape(like)
    first = -1 if isinstance(time, int) and time > 0 else batch
    return ops.reshape(y, (first, time, *ops.shape(y)[1:]))


def _step_by_step(inner: Any, inputs: Any, mask: Any, options: dict[str, Any]) -> Any:
    from keras.src import backend

    def step(at: Any, states: Any) -> Any:
        masked = {} if mask is None else {"mask": at[1]}
        return inner.call(at[0], **options, **masked), []

    _, outputs, _ = backend.rnn(step, [inputs] if mask is None else [inputs, mask], [])
    return outputs
