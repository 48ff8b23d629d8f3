"""What a SavedModel holds beside its function: the variables and the lookup tables that it uses."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator, Sequence
from typing import Any

from exporter.capture.layer_scopes import scope_of
from exporter.capture.naming import unique


def tables_used_by(concrete: Any, model: Any) -> list[Any]:
    """Return the lookup tables that a function has captured.

    TensorFlow finds what hangs on attributes of the model; Keras also finds layers in lists of a model. What neither finds is
    looked for among all objects.
    """
    import tensorflow as tf
    from tensorflow.saved_model.experimental import TrackableResource

    captured = {id(tensor) for tensor in concrete.captured_inputs if tensor.dtype == tf.resource}
    captured -= {id(variable.handle) for variable in concrete.graph.variables}
    held = [t for layer in (model, *model._flatten_layers()) for t in tf.train.TrackableView(layer).descendants()]
    found: dict[int, Any] = {}
    for candidates in (held, gc.get_objects()):
        if captured <= found.keys():
            break
        tables = [t for t in candidates if issubclass(type(t), TrackableResource)]
        found |= {id(t.resource_handle): t for t in tables if id(t.resource_handle) in captured}
    return list({id(table): table for table in found.values()}.values())


@contextlib.contextmanager
def spelled_variables(variables: Sequence[Any]) -> Iterator[dict[str, str]]:
    """Give TensorFlow's variables names that it saves, inside this context.

    Yields:
        Keras's names by the spelled ones, of those that differ.
    """
    own = [variable._handle_name.removesuffix(":0") for variable in variables]  # there is no public way to rename one
    spelled = [f"{name}:0" for name in unique([scope_of(name) for name in own])]
    changed = [(v, v._handle_name, s) for v, s in zip(variables, spelled, strict=True) if v._handle_name != s]
    try:
        for variable, _, name in changed:
            variable._handle_name = name
        yield {name.removesuffix(":0"): before.removesuffix(":0") for _, before, name in changed}
    finally:
        for variable, before, _ in changed:
            variable._handle_name = before
