"""One call of a Lambda layer as a graph of `keras.ops`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import keras
from keras import ops

from exporter.expressions import Graph, Refusal, encode, trace
from exporter.lambdas.rebinding import translated


def graph_of(layer: Any, inputs: Any, options: Mapping[str, Any], *, narrow: bool = False) -> Graph:
    """Trace the function of a Lambda.

    Args:
        layer: a keras.layers.Lambda.
        inputs: the symbolic tensors it is called on, as `cast_inputs` gives them.
        options: other arguments of the call.
        narrow: whether arrays of float64 take the compute dtype, as they do beside a tensor in TensorFlow's operators.

    Raises:
        Refusal: if the function is more than a graph: it uses masks, differs in training, or cannot be traced.
    """
    expected = inspect.getfullargspec(layer.function).args
    # Keras passes the mask of the input to every Lambda, whose function may not ask for it.
    given = [name for name, value in options.items() if value is not None and (name != "mask" or "mask" in expected)]
    if given:
        raise Refusal(f"it is called with {', '.join(given)}", "call it on its inputs alone")
    if layer.mask is not None:
        raise Refusal("it sets a mask", "compute the mask in a layer of your own, with supports_masking = True")
    dtype = layer.compute_dtype if narrow else None
    function = translated(layer.function, dtype)
    fixed = {name: translated(value, dtype) for name, value in layer.arguments.items()}
    if "mask" in expected:
        _require_no_mask(inputs)
        fixed["mask"] = None
    modes = ({"training": mode} for mode in (False, True)) if "training" in expected else ({},)
    graphs = [trace(_with(function, {**fixed, **mode}), inputs, compute_dtype=layer.compute_dtype) for mode in modes]
    if len({repr(encode(graph)) for graph in graphs}) > 1:
        raise Refusal("it computes something else in training", "write a layer of your own: call(self, x, training)")
    return graphs[0]


def cast_inputs(layer: Any, inputs: Any) -> Any:
    """The inputs as the function sees them: Keras casts floats to the layer's compute dtype."""

    def cast(tensor: Any) -> Any:
        dtype = keras.backend.standardize_dtype(tensor.dtype)
        casts = layer.autocast and keras.backend.is_float_dtype(dtype) and dtype != layer.compute_dtype
        return ops.cast(tensor, layer.compute_dtype) if casts else tensor

    return keras.tree.map_structure(cast, inputs)


def _with(function: Callable[..., Any], arguments: dict[str, Any]) -> Callable[..., Any]:
    return lambda inputs: function(inputs, **arguments)


def _require_no_mask(inputs: Any) -> None:
    if any(getattr(tensor, "_keras_mask", None) is not None for tensor in keras.tree.flatten(inputs)):
        raise Refusal("it computes with the mask", "write a layer of your own: call(self, x, mask)")
