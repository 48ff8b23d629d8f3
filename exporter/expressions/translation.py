"""TensorFlow's, Keras 2's and NumPy's functions in terms of `keras.ops`, where one call (or a plain formula) is the same.

Each entry has the parameters of the function that it stands for. What an entry claims is verified for every Lambda that
uses it (`exporter.lambdas.equivalence`), so an entry that is wrong for some arguments leaves the Lambda as it is.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from keras import ops

from exporter.expressions import operations
from exporter.expressions.refusal import Refusal

Translation = Callable[..., Any]


def of_tensorflow(name: str) -> Translation | None:
    """The translation of a function called `name` anywhere below `tf`, or None."""
    return _TENSORFLOW.get(name)


def of_keras_backend(name: str) -> Translation | None:
    """The translation of a function of Keras 2's `keras.backend`, or None."""
    return _KERAS_BACKEND.get(name)


def of_numpy(name: str) -> Translation | None:
    """The function of `keras.ops` that has the name and the parameters of NumPy's, or None."""
    return operations.function(name) if name in operations.names() else None


def _unary(function: Translation) -> Translation:
    return lambda x, name=None: function(x)


def _binary(function: Translation) -> Translation:
    return lambda x, y, name=None: function(x, y)


def _reduction(function: Translation) -> Translation:
    def reduce(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: Any = None) -> Any:
        return function(input_tensor, axis=axis, keepdims=keepdims)

    return reduce


def _free_size(shape: Any) -> tuple[int, ...]:
    """A shape with its one unknown size left to `reshape`."""
    sizes = tuple(shape)
    if sizes.count(None) == 1 and -1 not in sizes:
        return tuple(-1 if size is None else size for size in sizes)
    return sizes


def _split(value: Any, num_or_size_splits: Any, axis: int = 0, num: Any = None, name: Any = None) -> Any:
    if isinstance(num_or_size_splits, int):
        return ops.split(value, num_or_size_splits, axis=axis)
    *bounds, _ = itertools.accumulate(num_or_size_splits)
    return ops.split(value, list(bounds), axis=axis)


def _one_hot(
    indices: Any,
    depth: int,
    on_value: Any = None,
    off_value: Any = None,
    axis: int | None = None,
    dtype: Any = None,
    name: Any = None,
) -> Any:
    if on_value is not None or off_value is not None:
        raise Refusal("it calls tf.one_hot with values of its own", "scale keras.ops.one_hot instead")
    return ops.one_hot(indices, depth, axis=-1 if axis is None else axis, dtype=dtype or "float32")


def _matmul(a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False, name: Any = None) -> Any:
    a = ops.swapaxes(a, -1, -2) if transpose_a else a
    return ops.matmul(a, ops.swapaxes(b, -1, -2) if transpose_b else b)


def _norm(tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: bool = False, name: Any = None) -> Any:
    if ord not in ("euclidean", 2):
        raise Refusal(f"it calls tf.norm with ord={ord!r}", "call keras.ops.norm")
    return ops.sqrt(ops.sum(tensor * tensor, axis=axis, keepdims=keepdims))


def _l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12, name: Any = None) -> Any:
    return x * ops.rsqrt(ops.maximum(ops.sum(ops.square(x), axis=axis, keepdims=True), epsilon))


def _argmax(function: Translation) -> Translation:
    return lambda input, axis=0, output_type="int64", name=None: ops.cast(function(input, axis=axis), output_type)


def _gather(
    params: Any, indices: Any, validate_indices: Any = None, axis: Any = None, batch_dims: int = 0, name: Any = None
) -> Any:
    if batch_dims:
        raise Refusal("it calls tf.gather with batch_dims", "call keras.ops.take_along_axis")
    return ops.take(params, indices, axis=axis or 0)


def _pad(tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0, name: Any = None) -> Any:
    values = constant_values if mode.upper() == "CONSTANT" else None
    return ops.pad(tensor, paddings, mode=mode.lower(), constant_values=values)


def _resize(images: Any, size: Any, method: Any = "bilinear", *_: Any, antialias: bool = False, **__: Any) -> Any:
    return ops.image.resize(images, tuple(size), interpolation=str(method), antialias=antialias)


def _where(condition: Any, x: Any = None, y: Any = None, name: Any = None) -> Any:
    if x is None or y is None:
        raise Refusal("it asks tf.where for indices, whose number depends on the values", "choose with x and y")
    return ops.where(condition, x, y)


def _relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0, **old: Any) -> Any:
    slope = old.get("alpha", negative_slope)
    if threshold:
        raise Refusal("it calls K.relu with a threshold", "use keras.layers.ReLU(threshold=...)")
    rectified = ops.leaky_relu(x, slope) if slope else ops.relu(x)
    return rectified if max_value is None else ops.minimum(rectified, max_value)


def _batch_dot(x: Any, y: Any, axes: Any = None) -> Any:
    if len(x.shape) == len(y.shape) == 3 and axes in (None, (2, 1), [2, 1]):
        return ops.matmul(x, y)
    if len(x.shape) != 2 or len(y.shape) != 2:
        raise Refusal("it calls K.batch_dot on more than two dimensions", "call keras.ops.einsum")
    return ops.sum(x * y, axis=1, keepdims=True)


def _dot(x: Any, y: Any) -> Any:
    if len(y.shape) > 2:
        raise Refusal("it calls K.dot on more than two dimensions", "call keras.ops.matmul or einsum")
    return ops.matmul(x, y)


def _power(x: Any, a: Any) -> Any:
    return ops.power(x, a)


def _permute_dimensions(x: Any, pattern: Any) -> Any:
    return ops.transpose(x, pattern)


_SAME_UNARY = """
    abs square sqrt rsqrt exp expm1 log log1p sign sin cos tan asin:arcsin acos:arccos atan:arctan sinh cosh tanh sigmoid
    floor ceil round negative reciprocal erf softplus softsign relu relu6 elu selu silu swish:silu stop_gradient
    zeros_like ones_like identity:copy logical_not is_nan:isnan is_inf:isinf is_finite:isfinite log_sigmoid
    """
_SAME_BINARY = """
    add subtract multiply divide truediv:true_divide maximum minimum pow:power equal not_equal greater greater_equal less
    less_equal logical_and logical_or logical_xor floordiv:floor_divide floormod:mod mod atan2:arctan2 divide_no_nan
    """
_SAME_REDUCTIONS = "mean sum max min prod all any logsumexp std variance:var"


def _entries(names: str, form: Callable[[Translation], Translation], prefix: str = "") -> dict[str, Translation]:
    """Read "theirs:ours" or one name for both."""
    pairs = (entry.partition(":") for entry in names.split())
    return {prefix + theirs: form(getattr(ops, ours or theirs)) for theirs, _, ours in pairs}


_CHANNELS = {"NHWC": "channels_last", "NCHW": "channels_first"}

_TENSORFLOW: Mapping[str, Translation] = MappingProxyType(
    {
        **_entries(_SAME_UNARY, _unary),
        **_entries(_SAME_BINARY, _binary),
        **_entries(_SAME_REDUCTIONS, _reduction, prefix="reduce_"),
        "argmax": _argmax(ops.argmax),
        "argmin": _argmax(ops.argmin),
        "cast": lambda x, dtype, name=None: ops.cast(x, dtype),
        "clip_by_value": lambda t, clip_value_min, clip_value_max, name=None: ops.clip(
            t, clip_value_min, clip_value_max
        ),
        "concat": lambda values, axis, name=None: ops.concatenate(list(values), axis=axis),
        "convert_to_tensor": lambda value, *_, **__: value,
        "cumsum": lambda x, axis=0, name=None: ops.cumsum(x, axis=axis),
        "depth_to_space": lambda input, block_size, data_format="NHWC", name=None: ops.depth_to_space(
            input, block_size, data_format=_CHANNELS[data_format]
        ),
        "einsum": lambda equation, *inputs, **_: ops.einsum(equation, *inputs),
        "expand_dims": lambda input, axis, name=None: ops.expand_dims(input, axis),
        "flip_left_right": lambda image: ops.flip(image, axis=-2),
        "flip_up_down": lambda image: ops.flip(image, axis=-3),
        "gather": _gather,
        "gelu": lambda features, approximate=False, name=None: ops.gelu(features, approximate=approximate),
        "l2_normalize": _l2_normalize,
        "leaky_relu": lambda features, alpha=0.2, name=None: ops.leaky_relu(features, alpha),
        "log_softmax": lambda logits, axis=-1, name=None: ops.log_softmax(logits, axis=axis),
        "matmul": _matmul,
        "norm": _norm,
        "one_hot": _one_hot,
        "pad": _pad,
        "rank": lambda input, name=None: len(input.shape),
        "repeat": lambda input, repeats, axis=None, name=None: ops.repeat(input, repeats, axis=axis),
        "reshape": lambda tensor, shape, name=None: ops.reshape(tensor, _free_size(shape)),
        "resize": _resize,
        "reverse": lambda tensor, axis, name=None: ops.flip(tensor, axis=axis),
        "rgb_to_grayscale": lambda images, name=None: ops.image.rgb_to_grayscale(images, data_format="channels_last"),
        "roll": lambda input, shift, axis, name=None: ops.roll(input, shift, axis=axis),
        "shape": lambda input, *_, **__: ops.shape(input),
        "softmax": lambda logits, axis=-1, name=None: ops.softmax(logits, axis=axis),
        "space_to_depth": lambda input, block_size, data_format="NHWC", name=None: ops.space_to_depth(
            input, block_size, data_format=_CHANNELS[data_format]
        ),
        "split": _split,
        "squared_difference": lambda x, y, name=None: ops.square(ops.subtract(x, y)),
        "squeeze": lambda input, axis=None, name=None: ops.squeeze(input, axis=axis),
        "stack": lambda values, axis=0, name="stack": ops.stack(list(values), axis=axis),
        "tensordot": lambda a, b, axes, name=None: ops.tensordot(a, b, axes=axes),
        "tile": lambda input, multiples, name=None: ops.tile(input, multiples),
        "transpose": lambda a, perm=None, conjugate=False, name=None: ops.transpose(a, perm),
        "unstack": lambda value, num=None, axis=0, name=None: ops.unstack(value, num=num, axis=axis),
        "where": _where,
    }
)

_KERAS_BACKEND: Mapping[str, Translation] = MappingProxyType(
    {
        **_entries("abs square sqrt exp log sign sin cos tanh sigmoid round softplus softsign", _unary),
        **_entries("zeros_like ones_like stop_gradient", lambda same: lambda x, *_, **__: same(x)),
        **_entries("maximum minimum equal not_equal greater greater_equal less less_equal", _binary),
        **_entries(
            "mean sum max min prod all any logsumexp std var",
            lambda same: lambda x, axis=None, keepdims=False: same(x, axis=axis, keepdims=keepdims),
        ),
        "argmax": lambda x, axis=-1: ops.cast(ops.argmax(x, axis=axis), "int64"),
        "argmin": lambda x, axis=-1: ops.cast(ops.argmin(x, axis=axis), "int64"),
        "batch_dot": _batch_dot,
        "batch_flatten": lambda x: ops.reshape(x, (-1, *_all_known(x.shape[1:]))),
        "cast": ops.cast,
        "cast_to_floatx": lambda x: ops.cast(x, "float32"),
        "clip": lambda x, min_value=None, max_value=None: ops.clip(x, min_value, max_value),
        "concatenate": lambda tensors, axis=-1: ops.concatenate(list(tensors), axis=axis),
        "cumprod": lambda x, axis=0: ops.cumprod(x, axis=axis),
        "cumsum": lambda x, axis=0: ops.cumsum(x, axis=axis),
        "dot": _dot,
        "dtype": lambda x: x.dtype,
        "elu": lambda x, alpha=1.0: ops.elu(x, alpha),
        "expand_dims": lambda x, axis=-1: ops.expand_dims(x, axis),
        "flatten": lambda x: ops.reshape(x, (-1,)),
        "gather": lambda reference, indices: ops.take(reference, indices, axis=0),
        "hard_sigmoid": lambda x: ops.clip(0.2 * x + 0.5, 0.0, 1.0),
        "int_shape": lambda x: tuple(x.shape),
        "l2_normalize": _l2_normalize,
        "ndim": lambda x: len(x.shape),
        "one_hot": ops.one_hot,
        "permute_dimensions": _permute_dimensions,
        "pow": _power,
        "relu": _relu,
        "repeat": lambda x, n: ops.tile(ops.expand_dims(x, 1), (1, n, 1)),
        "repeat_elements": lambda x, rep, axis: ops.repeat(x, rep, axis=axis),
        "reshape": lambda x, shape: ops.reshape(x, _free_size(shape)),
        "reverse": lambda x, axes: ops.flip(x, axis=axes),
        "shape": ops.shape,
        "softmax": lambda x, axis=-1: ops.softmax(x, axis=axis),
        "squeeze": lambda x, axis: ops.squeeze(x, axis=axis),
        "stack": lambda x, axis=0: ops.stack(list(x), axis=axis),
        "switch": lambda condition, then_expression, else_expression: ops.where(
            condition, _called(then_expression), _called(else_expression)
        ),
        "tile": ops.tile,
        "transpose": ops.transpose,
    }
)


def _all_known(sizes: Any) -> tuple[int]:
    if None in sizes:
        raise Refusal("it flattens dimensions of unknown size", "fix the sizes in the Input")
    product = 1
    for size in sizes:
        product *= size
    return (product,)


def _called(expression: Any) -> Any:
    return expression() if callable(expression) else expression
