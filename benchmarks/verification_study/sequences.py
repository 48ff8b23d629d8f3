"""Families of networks on sequences: recurrent layers, attention, tables that tokens look up, masks, 16-bit policies."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from benchmarks.verification_study.case import family, settled
from benchmarks.verification_study.images import drawn_activation


def tokens(length: int | None = 12) -> Any:
    return keras.Input((length,), dtype="int32", name="tokens")


@family()
def lstm_bidirectional(rng: np.random.Generator) -> Any:
    """A bidirectional LSTM with LayerNormalization on pixels."""
    i = keras.Input((14, 6), name="rows")
    x = layers.Bidirectional(layers.LSTM(8, return_sequences=True))(layers.Rescaling(1 / 255)(i))
    x = layers.LSTM(8)(layers.LayerNormalization()(x))
    return settled(keras.Model(i, layers.Dense(10, activation="softmax", name="p")(x)), rng)


@family()
def lstm(rng: np.random.Generator) -> Any:
    i = keras.Input((10, 5), name="signal")
    x = layers.LSTM(int(rng.choice([8, 16])), return_sequences=bool(rng.random() < 0.5))(i)
    return settled(keras.Model(i, layers.Dense(3, name="y")(x)), rng)


@family()
def gru(rng: np.random.Generator) -> Any:
    i = keras.Input((10, 5), name="signal")
    x = layers.GRU(12, reset_after=bool(rng.random() < 0.5), go_backwards=bool(rng.random() < 0.3))(i)
    return settled(keras.Model(i, layers.Dense(3, name="y")(x)), rng)


@family()
def simple_rnn(rng: np.random.Generator) -> Any:
    i = keras.Input((10, 5), name="signal")
    x = layers.SimpleRNN(12, activation=str(rng.choice(["tanh", "relu"])))(i)
    return settled(keras.Model(i, layers.Dense(3, name="y")(x)), rng)


@family(ids=50)
def embedding_mean(rng: np.random.Generator) -> Any:
    i = tokens()
    x = layers.GlobalAveragePooling1D()(layers.Embedding(50, 8)(i))
    return settled(keras.Model(i, layers.Dense(3, activation="softmax", name="p")(x)), rng)


@family(ids=5000)
def large_table(rng: np.random.Generator) -> Any:
    """A table of which a few samples read a small part."""
    i = tokens()
    x = layers.Embedding(5000, 8, embeddings_initializer="normal")(i)
    x = layers.Dense(8, activation="tanh")(ops.mean(x, 1))
    return settled(keras.Model(i, layers.Dense(2, name="y")(x)), rng)


@family(ids=40)
def masked_lstm(rng: np.random.Generator) -> Any:
    i = tokens()
    x = layers.LSTM(8)(layers.Embedding(40, 8, mask_zero=True)(i))
    return settled(keras.Model(i, layers.Dense(3, name="y")(x)), rng)


@family(ids=60, lengths=(5, 32))
def transformer(rng: np.random.Generator) -> Any:
    """Any length up to 32, with a table of positions: the last is reached by the greatest length alone."""
    i = tokens(None)
    x = layers.Embedding(60, 16)(i) + layers.Embedding(32, 16)(ops.cumsum(ops.ones_like(i), 1) - 1)
    for _ in range(2):
        y = layers.LayerNormalization()(x)
        x = layers.Add()([x, layers.MultiHeadAttention(2, 8)(y, y, use_causal_mask=True)])
        x = layers.Add()([x, layers.Dense(16)(layers.Dense(32, activation="gelu")(layers.LayerNormalization()(x)))])
    return settled(keras.Model(i, layers.Dense(60, name="logits")(x)), rng)


@family(ids=60)
def transformer_fixed(rng: np.random.Generator) -> Any:
    i = tokens(16)
    x = layers.Embedding(60, 16, mask_zero=True)(i) + layers.Embedding(16, 16)(ops.arange(16))
    x = layers.LayerNormalization()(layers.Add()([x, layers.MultiHeadAttention(2, 8)(x, x)]))
    x = layers.Add()([x, layers.Dense(16)(layers.Dense(32, activation="silu")(x))])
    return settled(keras.Model(i, layers.Dense(4, activation="softmax", name="p")(x[:, 0])), rng)


@family()
def wavenet(rng: np.random.Generator) -> Any:
    i = keras.Input((24, 4), name="signal")
    x = layers.Conv1D(8, 1)(i)
    for rate in (1, 2, 4):
        y = layers.Conv1D(8, 2, dilation_rate=rate, padding="causal", activation="tanh")(x)
        z = layers.Conv1D(8, 2, dilation_rate=rate, padding="causal", activation="sigmoid")(x)
        x = layers.Add()([x, y * z])
    return settled(keras.Model(i, layers.Conv1D(4, 1, name="next")(x)), rng)


@family()
def text_cnn(rng: np.random.Generator) -> Any:
    i = keras.Input((20, 6), name="vectors")
    parts = [layers.GlobalMaxPooling1D()(layers.Conv1D(8, k, activation=drawn_activation(rng))(i)) for k in (2, 3, 4)]
    return settled(keras.Model(i, layers.Dense(3, activation="softmax", name="p")(layers.Concatenate()(parts))), rng)


@family()
def grouped_attention(rng: np.random.Generator) -> Any:
    i = keras.Input((9, 16), name="states")
    x = layers.GroupQueryAttention(8, 4, 2)(i, i)
    x = layers.RMSNormalization()(layers.Add()([i, x]))
    return settled(keras.Model(i, layers.Dense(5, name="y")(x)), rng)


@family()
def additive_attention(rng: np.random.Generator) -> Any:
    q, v = keras.Input((5, 8), name="query"), keras.Input((7, 8), name="value")
    x = (layers.AdditiveAttention if rng.random() < 0.5 else layers.Attention)()(
        [layers.Dense(8)(q), layers.Dense(8)(v)]
    )
    return settled(keras.Model([q, v], layers.Dense(3, name="y")(x)), rng)


@family()
def conv_lstm(rng: np.random.Generator) -> Any:
    i = keras.Input((4, 8, 8, 2), name="film")
    x = layers.ConvLSTM2D(4, 3, padding="same")(i)
    return settled(keras.Model(i, layers.Dense(3, name="y")(layers.GlobalAveragePooling2D()(x))), rng)


@family()
def frames(rng: np.random.Generator) -> Any:
    i = keras.Input((5, 8, 8, 2), name="film")
    x = layers.TimeDistributed(layers.Conv2D(4, 3, activation="relu"))(i)
    x = layers.GRU(6)(layers.TimeDistributed(layers.GlobalAveragePooling2D())(x))
    return settled(keras.Model(i, layers.Dense(3, name="y")(x)), rng)


def _in_policy(policy: str, rng: np.random.Generator) -> Any:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        i = keras.Input((8, 8, 3), name="image", dtype="float32")
        x = layers.Conv2D(8, 3, activation="relu")(i)
        x = layers.Dense(8, activation=drawn_activation(rng))(layers.GlobalAveragePooling2D()(x))
        return settled(keras.Model(i, layers.Dense(5, name="y", dtype="float32")(x)), rng)
    finally:
        keras.config.set_dtype_policy(before)


@family()
def mixed_bfloat16(rng: np.random.Generator) -> Any:
    return _in_policy("mixed_bfloat16", rng)


@family()
def mixed_float16(rng: np.random.Generator) -> Any:
    return _in_policy("mixed_float16", rng)
