"""Models of tf-keras by what is particular about their graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

L = tf_keras.layers
K = tf_keras.backend


def shared() -> Any:
    """Layers used twice, in an order that needs a second look; inputs in another order than they were made."""
    a, b = tf_keras.Input((6,), name="a"), tf_keras.Input((6,), name="b")
    dense, norm = L.Dense(6, activation="hard_sigmoid"), L.BatchNormalization()
    return tf_keras.Model([b, a], [norm(dense(a)), dense(norm(dense(b))), L.Add()([a, b])])


def nested() -> Any:
    """A Sequential model used twice in a Functional one."""
    x = tf_keras.Input((6,))
    inner = tf_keras.Sequential([L.Dense(5, input_shape=(6,)), L.BatchNormalization(), L.Dense(6)])
    return tf_keras.Model(x, inner(inner(x)))


def frozen() -> Any:
    """Frozen layers change the order of weights in an .h5 file: those of one shape could be mixed up."""
    x = tf_keras.Input((6,))
    y = L.Dense(6)(x)
    y = L.BatchNormalization()(L.Dense(6, trainable=False)(y))
    inner = tf_keras.Model(x, L.Dense(6)(y))
    z = tf_keras.Input((6,))
    model = tf_keras.Model(z, L.Dense(3)(inner(z)))
    inner.trainable = False
    return model


def sequential() -> Any:
    return tf_keras.Sequential(
        [
            tf_keras.Input((5, 4)),
            L.LSTM(3, return_sequences=True, recurrent_activation="hard_sigmoid"),
            L.Flatten(),
            L.Dense(2),
        ]
    )


def built_later() -> Any:
    model = tf_keras.Sequential([L.Dense(3), L.Dense(2)])
    model.build((None, 6))
    return model


def dictionaries() -> Any:
    a, b = tf_keras.Input((6,), name="a"), tf_keras.Input((6,), name="b")
    return tf_keras.Model({"a": a, "b": b}, {"sum": a + b, "dense": L.Dense(2, name="dense")(a)})


def calls_of_tensorflow() -> Any:
    i = tf_keras.Input((5, 4))
    x = tf.concat([tf.nn.relu(i) * 2 + 1, 1 - i], -1)
    mean = tf.reduce_mean(x, axis=1, keepdims=True)
    one, two = tf.split(tf.reshape(x - mean, (-1, 40)), 2, axis=-1)
    outputs = [
        tf.cast(tf.transpose(tf.stack([one, two], axis=1), [0, 2, 1]) > 0.5, "float32"),
        tf.expand_dims(one, 1),
        tf.squeeze(mean, 1) / 3.0,
        tf.clip_by_value(i, -1.0, 1.0),
        tf.math.sqrt(tf.abs(i)) ** 2,
        -i,
        i[:, 1:, ::2],
        i[:, 0],
        i[:, None, -1],
        tf.where(i > 0, i, 0.0),
        tf.matmul(x, x, transpose_b=True),
        tf.pad(i, [[0, 0], [1, 1], [0, 0]]),
        tf.one_hot(tf.argmax(i, -1), 4),
        tf.maximum(i, x[:, :, :4]),
        tf.nn.softmax(i, axis=1),
        tf.nn.leaky_relu(i),
        tf.nn.gelu(i, approximate=True),
        tf.nn.l2_normalize(i, -1),
        tf.image.resize(i[:, :, :, None], (3, 3)),
        K.mean(i, axis=1),
        K.concatenate([i, i]),
        tf.gather(i, [2, 0], axis=1),
        tf.tile(i, [1, 2, 1]),
        tf.reverse(i, [1]),
        tf.math.cumsum(i, axis=1),
        tf.math.squared_difference(i, 1.0),
        tf.reduce_logsumexp(i, axis=-1),
    ]
    return tf_keras.Model(i, outputs)


def calls_on_integers() -> Any:
    i = tf_keras.Input((5,), dtype="int32")
    return tf_keras.Model(i, [tf.reduce_sum(i, 1), i + 1, tf.math.floormod(i, 3), tf.cast(i, "float32") / 2.0])


def states() -> Any:
    """Initial states that are tensors stand behind the inputs, in one list."""
    x, h, c = tf_keras.Input((5, 4)), tf_keras.Input((3,)), tf_keras.Input((3,))
    y, a, b = L.LSTM(3, return_sequences=True, return_state=True)(x, initial_state=[h, c])
    z = L.GRU(3, return_sequences=True)(y, initial_state=h)
    return tf_keras.Model([x, h, c], [y, z, L.Bidirectional(L.LSTM(3))(z, initial_state=[h, c, a, b]), a])


def masks() -> Any:
    """Many readers of one mask; Keras 3's MultiHeadAttention takes it away from the others."""
    i = tf_keras.Input((5,), dtype="int64")
    e = L.Embedding(8, 4, mask_zero=True)(i)
    x = L.LSTM(3, return_sequences=True)(e)
    y = L.Bidirectional(L.GRU(3, return_sequences=True))(x)
    outputs = [
        L.MultiHeadAttention(2, 3)(x, x),
        L.GlobalAveragePooling1D()(y),
        L.Attention()([x, x]),
        L.TimeDistributed(L.Dense(2))(y),
        L.LSTM(2, go_backwards=True)(e),
        L.RNN(L.SimpleRNNCell(2), return_sequences=True)(x),
    ]
    return tf_keras.Model(i, outputs)


def attention() -> Any:
    a, b = tf_keras.Input((5, 4)), tf_keras.Input((3, 4))
    heads = L.MultiHeadAttention(2, 3, value_dim=5, output_shape=7, attention_axes=[1])
    out, scores = heads(a, b, return_attention_scores=True)
    causal = L.MultiHeadAttention(1, 2)(a, value=b, key=b, use_causal_mask=True)
    return tf_keras.Model(
        [a, b], [out, scores, causal, L.Attention()([a, b], use_causal_mask=True), L.AdditiveAttention()([a, b])]
    )


def calls_in_training() -> Any:
    x = tf_keras.Input((6,))
    return tf_keras.Model(x, [L.Dropout(0.5)(x, training=False), L.BatchNormalization()(x, training=False)])


def constants() -> Any:
    x = tf_keras.Input((6,))
    return tf_keras.Model(x, [L.Add()([x, np.ones((1, 6), "float32")]), L.Multiply()([x, tf.constant([[2.0] * 6])])])


def crossing() -> Any:
    a, b = tf_keras.Input((1,), dtype="int64"), tf_keras.Input((1,), dtype="int64")
    return tf_keras.Model([a, b], L.HashedCrossing(num_bins=5)((a, b)))


def slashes() -> Any:
    x = tf_keras.Input((6,), name="in")
    y = L.Dense(6, name="block/dense")(x)
    return tf_keras.Model(x, [tf.add(y, x), L.Add(name="add")([y, x]), tf.tile(y, [1, 2])], name="a/b")


def wrapped_model() -> Any:
    x, steps = tf_keras.Input((6,)), tf_keras.Input((3, 6))
    inner = tf_keras.Model(x, L.BatchNormalization()(L.Dense(4, activation="hard_sigmoid")(tf.nn.relu(x) * 2)))
    return tf_keras.Model(steps, L.TimeDistributed(inner)(steps))


def mixed() -> Any:
    x = tf_keras.Input((6,))
    half = tf_keras.mixed_precision.Policy("mixed_float16")
    return tf_keras.Model(x, L.Dense(2, dtype="float32")(L.Dense(3, dtype=half)(x)))


def mobile() -> Any:
    return tf_keras.applications.MobileNetV3Small((32, 32, 3), weights=None, classes=5, dropout_rate=0)


def scaled() -> Any:
    return tf_keras.applications.EfficientNetB0(input_shape=(32, 32, 3), weights=None, classes=5)


SMALL = (
    attention, built_later, calls_in_training, calls_of_tensorflow, calls_on_integers, constants, crossing, dictionaries,
    frozen, masks, mixed, nested, sequential, shared, slashes, states, wrapped_model,
)  # fmt: skip
LARGE = (mobile, scaled)
