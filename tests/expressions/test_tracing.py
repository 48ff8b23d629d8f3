"""A traced graph computes what the function computes, and what it cannot hold is refused with the reason."""

from __future__ import annotations

import json
import random

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from exporter.expressions import Graph, Refusal, decode, encode, trace
from exporter.expressions.encoding import LARGEST_CONSTANT

MATRIX = np.array([[1.0, -2.0, 0.5], [np.nan, np.inf, -1e30]], "float32")
SMALL = np.array([0.5, 2.0, -1.0], "float32")
CUBE = np.arange(24, dtype="float32").reshape(2, 3, 4)


def reloaded(function, *inputs, **options) -> Graph:
    """The graph after a round trip through strict JSON."""
    options.setdefault("compute_dtype", "float32")
    structure = inputs[0] if len(inputs) == 1 else list(inputs)
    graph = trace(function, structure, unpack=len(inputs) > 1, **options)
    text = json.dumps(encode(graph), allow_nan=False)
    again = decode(json.loads(text))
    assert json.dumps(encode(again)) == text
    return again


def arrays(outputs) -> list[np.ndarray]:
    return [ops.convert_to_numpy(output) for output in keras.tree.flatten(outputs)]


@pytest.mark.parametrize(
    "function",
    [
        lambda x: ops.square(x) * 2.0 - ops.mean(x, axis=-1, keepdims=True),
        lambda x: x[:, ::-1],
        lambda x: x[..., None, 1:],
        lambda x: x**2 / (1 + abs(x)) @ ops.transpose(x),
        lambda x: ops.clip(x, float("-inf"), 3),
        lambda x: ops.where(x > 0, x, float("nan")),
        lambda x: x + SMALL,
        lambda x: ops.subtract(SMALL, x) * np.float32(2),
        lambda x: ops.concatenate([x, ops.ones_like(x)], axis=1),
        lambda x: ops.split(x, 3, axis=-1),
        lambda x: {"b": x + 1, "a": (ops.min(x, -1), x)},
        lambda x: ops.einsum("bi,bj->bij", x, x),
        lambda x: ops.cast(ops.argmax(x, -1), "float32"),
        lambda x: ops.cast(x, tf.float16),
        lambda x: ops.reshape(x, (ops.shape(x)[0], -1, 1)),
        keras.activations.gelu,
        lambda x: x,
    ],
)
def test_the_graph_computes_what_the_function_computes(function) -> None:
    graph = reloaded(function, MATRIX)
    expected = function(ops.convert_to_tensor(MATRIX))
    keras.tree.assert_same_structure(graph.run(MATRIX, "float32"), expected)
    for actual, wanted in zip(
        arrays(graph.run(ops.convert_to_tensor(MATRIX), "float32")), arrays(expected), strict=True
    ):
        assert actual.dtype == wanted.dtype
        np.testing.assert_array_equal(actual, wanted)


def test_several_inputs_in_every_form() -> None:
    for inputs in ([MATRIX, SMALL], (MATRIX, SMALL)):
        graph = trace(lambda a, b: a * b, inputs, compute_dtype="float32", unpack=True)
        np.testing.assert_array_equal(arrays(graph.run(inputs, "float32"))[0], MATRIX * SMALL)
        graph = trace(lambda pair: pair[0] * pair[1], inputs, compute_dtype="float32")
        np.testing.assert_array_equal(arrays(graph.run(inputs, "float32"))[0], MATRIX * SMALL)
    inputs = {"z": MATRIX, "a": SMALL}
    graph = trace(lambda named: named["z"] - named["a"], inputs, compute_dtype="float32")
    np.testing.assert_array_equal(arrays(graph.run(inputs, "float32"))[0], MATRIX - SMALL)


def test_arguments_become_literals_and_named_constants() -> None:
    graph = reloaded(
        lambda x, mean, factor, mode: (mean - x) * factor if mode == "a" else x,
        MATRIX,
        arguments={"mean": [1.0, 2.0, 3.0], "factor": 2, "mode": "a"} | {"mean": np.array([1.0, 2.0, 3.0])},
    )
    assert graph.constants.keys() == {"mean"}
    np.testing.assert_array_equal(arrays(graph.run(MATRIX, "float32"))[0], ((np.float32([1, 2, 3]) - MATRIX) * 2))


def test_sizes_are_pinned_only_where_python_used_them() -> None:
    shapes = [reloaded(f, CUBE).specs[0].shape for f in (lambda x: ops.sum(x, -1), lambda x: x / x.shape[-1])]
    assert shapes == [(None, None, None), (None, 3, 4)]
    assert reloaded(lambda x: x if x.shape[1] == 3 else -x, CUBE).specs[0].shape == (None, 3, 4)


def test_the_dtype_follows_the_layer_only_where_it_followed_the_input() -> None:
    follows = reloaded(lambda x: ops.cast(x > 0, x.dtype) * ops.cast(ops.ones((3,)), x.dtype), MATRIX)
    fixed = reloaded(lambda x: ops.cast(ops.cast(x > 0, "float32"), "float32"), MATRIX)
    for dtype in ("float64", "float16", "bfloat16"):
        x = ops.cast(MATRIX, dtype)
        assert keras.backend.standardize_dtype(follows.run(x, dtype).dtype) == dtype
        assert keras.backend.standardize_dtype(fixed.run(x, dtype).dtype) == "float32"
    branching = reloaded(lambda x: x * 2 if x.dtype == "float32" else x, MATRIX)
    assert branching.specs[0].dtype == "float32"


def nth_call(x, calls=[0]):  # noqa: B006 - state that survives a call is the point
    calls[0] += 1
    return x * calls[0]


LARGE = np.zeros(LARGEST_CONSTANT + 1, "float32")
VARIABLE = keras.Variable(1.0)
MODEL_INPUT = keras.Input((3,))


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x: x if ops.sum(x) > 0 else -x, "decides in Python"),
        (list, "decides in Python"),
        (lambda x: x + keras.random.normal((3,)), "each time"),
        (lambda x: x + np.random.default_rng().normal(size=3), "each time"),
        (lambda x: x * random.random(), "each time"),
        (nth_call, "each time"),
        (lambda x: ops.sum(x) + LARGE, "more than 10000"),
        (tf.square, "outside of keras.ops"),
        (np.sqrt, "hands a tensor to NumPy"),
        (lambda x: SMALL - x, "hands a tensor to NumPy"),
        (keras.layers.Dense(2), "calls the layer"),
        (lambda x: x * VARIABLE, "variable"),
        (lambda x: x * MODEL_INPUT, "surrounding model"),
        (lambda x: ops.vectorized_map(lambda row: row * 2, x), "VectorizedMap"),
        (lambda x: ops.reshape(x, (x.shape[0] * 3,)), "size that is known only"),
        (lambda x: ops.ones((2,)), "does not depend on its inputs"),
        (lambda x: None, "does not depend on its inputs"),
        (lambda x: 1 / 0, "ZeroDivisionError"),
        (lambda x, y: x, "missing 1 required positional argument"),
    ],
)
def test_what_a_graph_cannot_hold_is_refused_with_the_reason(function, reason) -> None:
    with pytest.raises(Refusal, match=reason) as caught:
        trace(function, MATRIX, compute_dtype="float32")
    assert caught.value.remedy
