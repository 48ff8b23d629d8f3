"""Calls of `tf.*` on Keras tensors: layers in Keras 2, plain operations of `keras.ops` here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from exporter.errors import LoadError

# Functions of which the translation is the same for all arguments that a file can hold: tests compare each with TensorFlow.
_FUNCTIONS = """
    abs acos acosh add argmax argmin asin asinh atan atanh cast ceil clip_by_value concat cos cosh cumsum divide elu
    equal erf exp expand_dims expm1 floor floordiv floormod gather gelu greater greater_equal l2_normalize leaky_relu less
    less_equal log log1p log_sigmoid log_softmax logical_and logical_not logical_or matmul maximum minimum mod multiply
    negative not_equal one_hot ones_like pad pow reciprocal reduce_all reduce_any reduce_logsumexp reduce_max reduce_mean
    reduce_min reduce_prod reduce_std reduce_sum reduce_variance relu relu6 repeat reshape resize reverse roll round rsqrt
    selu sigmoid sign silu sin sinh softmax softplus softsign split sqrt square squared_difference squeeze stack
    stop_gradient subtract swish tan tanh tile transpose truediv unstack where zeros_like
"""
_SAME = frozenset(_FUNCTIONS.split())
_NAMESPACES = frozenset(
    ("", "math", "nn", "linalg", "__operators__", "compat.v1", "compat.v1.math", "compat.v1.nn", "image")
)
# Python's operators, in the names of the functions behind them.
_OPERATORS = {
    "neg": "negative",
    "sub": "subtract",
    "mul": "multiply",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "eq": "equal",
    "ne": "not_equal",
    "mod": "floormod",
}
_FLOAT_ONLY = frozenset(("divide", "truediv", "reduce_mean", "reduce_std", "reduce_variance", "pow"))


def call_of(class_name: str, config: dict[str, Any], layer: str) -> Callable[..., Any]:
    """What to call for a layer that stands for a function of TensorFlow.

    Raises:
        LoadError: if there is no function of `keras.ops` that is known to be the same.
    """
    if class_name == "SlicingOpLambda":
        return _slice
    function = str(config.get("function") or config.get("symbol"))
    namespace, _, name = function.rpartition(".")
    if namespace == "__operators__":
        name = _OPERATORS.get(name, name)
    if name not in _SAME or namespace not in _NAMESPACES or class_name != "TFOpLambda":
        raise _unknown(class_name, function, layer)
    from exporter.expressions import Refusal
    from exporter.expressions.translation import of_tensorflow

    translation = of_tensorflow(name)
    if translation is None:
        raise _unknown(class_name, function, layer)

    def call(inputs: Any, **kwargs: Any) -> Any:
        try:
            _require_same(name, inputs, kwargs)
            return translation(inputs, **kwargs)
        except (Refusal, TypeError) as error:  # TypeError: an argument that the translation does not have
            raise _unknown(class_name, f"{function}: {error}", layer) from None

    return call


def _require_same(name: str, inputs: Any, kwargs: dict[str, Any]) -> None:
    """Raise Refusal where TensorFlow and `keras.ops` differ."""
    from exporter.expressions import Refusal

    tensors = [tensor for tensor in (inputs, *kwargs.values()) if hasattr(tensor, "dtype")]
    if name in _FLOAT_ONLY and any("int" in str(tensor.dtype) for tensor in tensors):
        raise Refusal("of integers it gives another type")
    if name == "resize" and kwargs.pop("preserve_aspect_ratio", False):
        raise Refusal("preserve_aspect_ratio")


def _unknown(class_name: str, function: str, layer: str) -> LoadError:
    return LoadError(
        "the model calls a function of TensorFlow that has no counterpart in keras.ops",
        where=f"{layer} ({class_name})",
        reason=f"tf.{function}",
        remedy="build the model again with keras.ops or a layer of your own, and load the weights into it",
    )


def _slice(inputs: Any, slice_spec: Any) -> Any:
    """x[1:, ..., None], spelled as data."""
    return inputs[tuple(_part(item) for item in (slice_spec if isinstance(slice_spec, list) else [slice_spec]))]


def _part(item: Any) -> Any:
    if isinstance(item, dict):
        if item.get("class_name") == "__ellipsis__":
            return Ellipsis
        return slice(item.get("start"), item.get("stop"), item.get("step"))
    return item
