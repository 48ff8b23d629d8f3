"""Trace: the model traced once into a small TensorFlow graph, in which each call with a lowering is one marker.

A marker is a PyFunc node that is never run. It stands on the tensors of the call; the rest of the call, and the layer with
its weights, stays in Python, in `Trace.markers`. No weight appears in the graph. What has no lowering is traced further.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from exporter.capture.inference import Inference
from exporter.capture.layer_calls import LayerCalls
from exporter.capture.layer_scopes import scope_of
from exporter.capture.patching import overridden
from exporter.errors import UnsupportedError
from exporter.formats.onnx.registry import CLASSES, FUNCTIONS, LAYERS, REWRITES, Entry, import_lowerings
from exporter.spec import TensorInfo


@dataclass(frozen=True)
class Slot:
    """Where a tensor stood among the arguments of a marked call."""

    position: int


@dataclass(frozen=True)
class Marker:
    """One marked call: what lowers it and with which arguments.

    Args:
        entry: its lowering.
        layer: the Keras layer; None for a function.
        args: positional arguments, a Slot in place of each tensor.
        kwargs: likewise.
        scope: name of the call of a layer, innermost, in which it stood.
    """

    entry: Entry
    layer: Any
    args: Any
    kwargs: Any
    scope: str


@dataclass
class Trace:
    """The traced graph, its markers by token, and what is needed to name its parts as Keras does.

    Args:
        name: of the model.
        graph: TensorFlow's FuncGraph.
        markers: by token.
        paths: of the model's variables in Keras, by the id of TensorFlow's.
        layers: the scopes of all layers.
        calls: what each layer took and gave.
        refusals: what turned out to have no counterpart in ONNX.
    """

    name: str
    graph: Any = None
    markers: dict[str, Marker] = field(default_factory=dict)
    paths: dict[int, str] = field(default_factory=dict)
    layers: frozenset[str] = frozenset()
    calls: LayerCalls = field(default_factory=LayerCalls)
    refusals: list[UnsupportedError] = field(default_factory=list)

    def scope(self, op: Any) -> str:
        """Return the path of the Keras layer that an op was traced in.

        Keras opens a name scope twice in each call, to build and to call; TensorFlow numbers the second.
        """
        parts = [part for part in op.name.split("/")[:-1] if part]
        named = [stem if (stem := part.rpartition("_")[0]) in self.layers else part for part in parts]
        return "/".join(named[1:] if named[:1] == [scope_of(self.name)] else named)


def trace(inference: Inference, inputs: Sequence[TensorInfo]) -> Trace:
    """Trace `inference` for `inputs` of these shapes and dtypes."""
    import tensorflow as tf

    import_lowerings()
    model = inference.model
    result = Trace(model.name, paths={id(v.value): v.path for v in model.variables})
    result.layers = frozenset(scope_of(layer.name) for layer in model._flatten_layers())
    layers = {CLASSES[name]: _mark_layer(result, entry) for name, entry in LAYERS.items()}
    layers |= {CLASSES[name]: _rewrite_layer(entry) for name, entry in REWRITES.items()}
    functions = {name: _mark_function(result, entry) for name, entry in FUNCTIONS.items()}
    functions |= result.calls.recording()
    specs = [tf.TensorSpec(i.shape, i.dtype, name=f"input_{n}") for n, i in enumerate(inputs)]
    with overridden(layers, functions):
        result.graph = tf.function(inference.__call__, autograph=False).get_concrete_function(*specs).graph
    return result


def _mark_layer(result: Trace, entry: Entry) -> Callable[..., Any]:
    def call(original: Callable[..., Any], layer: Any, *args: Any, **kwargs: Any) -> Any:
        if not entry.applies(layer, *args, **kwargs):
            return original(layer, *args, **kwargs)
        return _marker(result, entry, layer, args, kwargs, _layer_spec(original, layer, args, kwargs))

    return call


def _rewrite_layer(entry: Entry) -> Callable[..., Any]:
    def call(original: Callable[..., Any], layer: Any, *args: Any, **kwargs: Any) -> Any:
        if not entry.applies(layer, *args, **kwargs):
            return original(layer, *args, **kwargs)
        return entry.lowering(original, layer, *args, **kwargs)

    return call


def _mark_function(result: Trace, entry: Entry) -> Callable[..., Any]:
    def call(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        import keras

        tensors = [leaf for leaf in keras.tree.flatten((args, kwargs)) if _is_graph_tensor(leaf)]
        if not tensors or not entry.applies(*args, **kwargs):
            return original(*args, **kwargs)
        if entry.prepare is not None:
            args, kwargs, spec = entry.prepare(*args, **kwargs)
        else:
            spec = _traced_spec(original, args, kwargs)
        return _marker(result, entry, None, args, kwargs, spec)

    return call


def _marker(result: Trace, entry: Entry, layer: Any, args: Any, kwargs: Any, spec: Any) -> Any:
    import keras
    import tensorflow as tf

    tensors: list[Any] = []

    def slot(leaf: Any) -> Any:
        if not _is_tensor(leaf):
            return leaf
        tensors.append(tf.convert_to_tensor(leaf))
        return Slot(len(tensors) - 1)

    slotted_args, slotted_kwargs = keras.tree.map_structure(slot, (args, kwargs))
    token = f"exporter/{len(result.markers)}"
    result.markers[token] = Marker(entry, layer, slotted_args, slotted_kwargs, result.calls.current)
    specs = keras.tree.flatten(spec)
    outputs = tf.raw_ops.PyFunc(input=tensors, token=token, Tout=[tf.as_dtype(s.dtype) for s in specs])
    for output, leaf in zip(outputs, specs, strict=True):
        output.set_shape(leaf.shape)
    return keras.tree.pack_sequence_as(spec, outputs)


def _layer_spec(original: Callable[..., Any], layer: Any, args: Any, kwargs: Any) -> Any:
    """Return shapes and dtypes of what the layer's call returns: as Keras states them, else found by tracing."""
    from keras.src.utils import python_utils

    if python_utils.is_default(layer.compute_output_spec) and python_utils.is_default(layer.compute_output_shape):
        return _traced_spec(functools.partial(original, layer), args, kwargs)
    return layer.compute_output_spec(*_symbolic(args), **_symbolic(kwargs))


def _symbolic(structure: Any) -> Any:
    import keras

    def symbolic(leaf: Any) -> Any:
        if not _is_tensor(leaf):
            return leaf
        return keras.KerasTensor(tuple(leaf.shape), keras.backend.standardize_dtype(leaf.dtype))

    return keras.tree.map_structure(symbolic, structure)


def _traced_spec(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Return shapes and dtypes of `function(*args, **kwargs)`, found by tracing it into a scratch graph."""
    import keras
    import tensorflow as tf

    def fresh(leaf: Any) -> Any:
        return tf.compat.v1.placeholder(leaf.dtype, leaf.shape) if _is_graph_tensor(leaf) else leaf

    with tf.__internal__.FuncGraph("spec").as_default():
        outputs = function(*keras.tree.map_structure(fresh, args), **keras.tree.map_structure(fresh, kwargs))
        return keras.tree.map_structure(lambda t: tf.TensorSpec(t.shape, t.dtype), outputs)


def _is_graph_tensor(leaf: Any) -> bool:
    import tensorflow as tf

    return tf.is_tensor(leaf) and hasattr(leaf, "graph")


def _is_tensor(leaf: Any) -> bool:
    import keras
    import tensorflow as tf

    return tf.is_tensor(leaf) or isinstance(leaf, keras.Variable)
