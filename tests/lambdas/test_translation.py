"""Calls of TensorFlow, Keras 2 and NumPy become `keras.ops` calls with the same results, and the modules stay as they are."""

from __future__ import annotations

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from tensorflow import nn as neural
from tensorflow import square as squared

from exporter.expressions import Refusal
from exporter.lambdas.conversion import graph_of
from exporter.lambdas.equivalence import prove

K = tf.keras.backend


def proven(function, shape=(4,), dtype="float32"):
    """The names of the operations that a Lambda becomes; it is compared with the Lambda on the way."""
    x = keras.Input(shape, dtype=dtype)
    layer = layers.Lambda(function)
    layer(x)
    graph = graph_of(layer, x, {})
    prove(layer, graph, x)
    return [node.op for node in graph.nodes]


def imports_inside(x):
    import tensorflow as inside
    from tensorflow import math

    return math.log1p(inside.abs(x))


def calls_a_helper(x):
    return imports_inside(squared(x))


@pytest.mark.parametrize(
    "function",
    [
        imports_inside,
        calls_a_helper,
        functools.partial(tf.pow, y=2.0),
        lambda x: neural.relu(x) + tf.keras.activations.tanh(x),
        lambda x: tf.reduce_mean(x, axis=-1, keepdims=True) + tf.math.reduce_std(x) + tf.reduce_logsumexp(x),
        lambda x: tf.clip_by_value(x, -1.0, 1.0) / tf.norm(x, axis=-1, keepdims=True),
        lambda x: tf.concat([x, tf.zeros_like(x)], axis=-1),
        lambda x: tf.stack(tf.unstack(x, axis=1), axis=1)[:, tf.newaxis],
        lambda x: tf.split(x, [1, 3], axis=-1),
        lambda x: tf.reshape(x, (tf.shape(x)[0], -1, 2)),
        lambda x: tf.transpose(tf.expand_dims(x, 1), [0, 2, 1]),
        lambda x: tf.squeeze(tf.tile(tf.expand_dims(x, -1), [1, 1, 1]), axis=-1),
        lambda x: tf.where(x > 0, x, tf.exp(x)),
        lambda x: tf.cast(tf.argmax(x, axis=-1), tf.float32),
        lambda x: tf.one_hot(tf.argmax(x, axis=-1), 4),
        lambda x: tf.matmul(x, x, transpose_b=True),
        lambda x: tf.einsum("bi,bj->bij", x, x),
        lambda x: tf.pad(x, [[0, 0], [1, 2]]),
        lambda x: tf.reverse(x, [1]) * tf.gather(x, [3, 2, 1, 0], axis=1),
        lambda x: tf.nn.softmax(x) - tf.nn.leaky_relu(x) + tf.nn.gelu(x) + tf.nn.silu(x),
        lambda x: tf.math.l2_normalize(x, axis=1),
        lambda x: x * tf.constant([1.0, 2.0, 3.0, 4.0]),
        lambda x: K.mean(x, axis=-1) + K.sum(x, axis=1) - K.max(x, axis=1) + K.std(x, axis=1),
        lambda x: K.sqrt(K.maximum(K.sum(K.square(x), axis=1, keepdims=True), K.epsilon())),
        lambda x: K.l2_normalize(x, axis=-1),
        lambda x: K.concatenate([K.expand_dims(x), K.expand_dims(x, -1)]),
        lambda x: K.permute_dimensions(K.repeat(x, 3), (0, 2, 1)),
        lambda x: K.reshape(x, (-1, K.int_shape(x)[1] // 2, 2)),
        lambda x: K.relu(x, alpha=0.1, max_value=2.0) + K.clip(x, 0, 1) + K.pow(x, 2),
        lambda x: K.batch_dot(x, x, axes=1),
        lambda x: K.cast(K.argmax(x), "float32") + K.cast(K.equal(x, x), "float32")[:, 0],
        lambda x: np.sqrt(2.0) * tf.square(x),
        lambda x: ops.reshape(x, (x.shape[0] or -1, 4)),
    ],
)
def test_translated_functions_compute_the_same(function) -> None:
    assert proven(function)


def test_images() -> None:
    assert proven(lambda x: tf.image.resize(x, (4, 6)), (8, 8, 3)) == ["image.resize"]
    assert proven(lambda x: tf.image.flip_left_right(tf.image.rgb_to_grayscale(x)), (8, 8, 3))
    assert proven(lambda x: tf.cast(x, tf.float32) / 127.5 - 1, (8, 8, 3), "uint8") == [
        "cast",
        "true_divide",
        "subtract",
    ]


def test_sub_pixels_and_batched_matrices() -> None:
    proven(lambda t: tf.nn.depth_to_space(tf.nn.space_to_depth(t, 2), 2), (4, 6, 8))
    proven(lambda t: K.batch_dot(t, tf.transpose(t, [0, 2, 1])), (5, 3))


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x: tf.random.uniform((4,)) + x, "random numbers"),
        (lambda x: K.random_normal((4,)) + x, "random numbers"),
        (lambda x: np.random.rand(4).astype("float32") + x, "random numbers"),
        (lambda x: tf.signal.fft(tf.cast(x, tf.complex64)), "TensorFlow's fft"),
        (lambda x: tf.cond(tf.reduce_sum(x) > 0, lambda: x, lambda: -x), "TensorFlow's cond"),
        (lambda x: tf.norm(x, ord=1), "ord=1"),
        (lambda x: x if tf.reduce_mean(x) > 0 else -x, "decides in Python"),
    ],
)
def test_what_has_no_translation_is_refused(function, reason) -> None:
    x = keras.Input((4,))
    with pytest.raises(Refusal, match=reason):
        graph_of(layers.Lambda(function, output_shape=(4,)), x, {})


def test_a_wrong_graph_does_not_pass() -> None:
    x = keras.Input((4,))
    right, wrong = (layers.Lambda(function) for function in (tf.nn.elu, tf.nn.selu))
    with pytest.raises(Refusal, match="something else"):
        prove(wrong, graph_of(right, x, {}), x)
    with pytest.raises(Refusal, match="each time"):
        prove(layers.Lambda(lambda t: t + tf.random.normal((4,))), graph_of(right, x, {}), x)
    with pytest.raises(Refusal, match="fails on every sample"):
        prove(layers.Lambda(lambda t: 1 / 0), graph_of(right, x, {}), x)


def test_no_module_is_changed() -> None:
    before = {name: getattr(tf, name) for name in ("square", "abs", "reduce_mean", "math")}
    own = calls_a_helper.__globals__
    kept = dict(own)
    proven(calls_a_helper)
    assert all(getattr(tf, name) is value for name, value in before.items())
    assert own == kept
