"""Families of small networks on images: normalizations, blocks, poolings, resizing, depth and scales."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from benchmarks.verification_study.case import family, settled

ACTIVATIONS = ("relu", "silu", "gelu", "relu6", "leaky_relu", "elu", "mish", "hard_swish", "tanh", "softplus")


def image(rng: np.random.Generator, channels: int = 3, least: int = 8) -> Any:
    """Return an input of a drawn size."""
    size = int(rng.choice([s for s in (8, 12, 16, 24) if s >= least]))
    return keras.Input((size, size, channels), name="image")


def head(inputs: Any, x: Any, rng: np.random.Generator, scale: float = 1.0) -> Any:
    """Return the model with a drawn pooling and head, and the statistics of a trained one."""
    pooled = (layers.GlobalAveragePooling2D if rng.random() < 0.7 else layers.GlobalMaxPooling2D)()(x)
    activation = str(rng.choice(["softmax", "softmax", "sigmoid", "linear"]))
    return settled(keras.Model(inputs, layers.Dense(10, activation=activation, name="scores")(pooled)), rng, scale)


def drawn_activation(rng: np.random.Generator) -> str:
    return str(rng.choice(ACTIVATIONS))


def normalization(rng: np.random.Generator, kinds: tuple[str, ...] = ("batch", "group", "layer", "rms", "unit")) -> Any:
    kind = str(rng.choice(kinds))
    return {
        "batch": layers.BatchNormalization,
        "group": lambda: layers.GroupNormalization(4),
        "instance": lambda: layers.GroupNormalization(-1),
        "layer": layers.LayerNormalization,
        "rms": layers.RMSNormalization,
        "unit": layers.UnitNormalization,
    }[kind]()


@family()
def conv_batchnorm(rng: np.random.Generator) -> Any:
    i = x = image(rng)
    for filters in (8, 16, 16):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.Activation(drawn_activation(rng))(layers.BatchNormalization()(x))
    return head(i, x, rng)


@family()
def conv_groupnorm(rng: np.random.Generator) -> Any:
    i = x = image(rng)
    x = layers.Conv2D(16, 3, padding="same")(x)
    x = layers.Activation(drawn_activation(rng))(layers.GroupNormalization(4)(x))
    return head(i, layers.MaxPooling2D()(x), rng)


@family()
def resnet_groupnorm(rng: np.random.Generator) -> Any:
    i, act = keras.Input((24, 24, 3), name="image"), str(rng.choice(["relu", "silu", "gelu"]))
    x = layers.Activation(act)(layers.GroupNormalization(8)(layers.Conv2D(16, 3, padding="same", use_bias=False)(i)))
    for f in (16, 32):
        s = layers.Conv2D(f, 1, strides=2, use_bias=False)(x)
        y = layers.Conv2D(f, 3, strides=2, padding="same", use_bias=False)(x)
        y = layers.Activation(act)(layers.GroupNormalization(8)(y))
        y = layers.GroupNormalization(8)(layers.Conv2D(f, 3, padding="same", use_bias=False)(y))
        x = layers.Activation(act)(layers.Add()([y, s]))
    return keras.Model(i, layers.Dense(10, activation="softmax", name="p")(layers.GlobalAveragePooling2D()(x)))


@family()
def unet_groupnorm(rng: np.random.Generator) -> Any:
    i, t = keras.Input((16, 16, 4), name="noisy"), keras.Input((8,), name="time")

    def block(x: Any, f: int) -> Any:
        y = layers.Conv2D(f, 3, padding="same")(layers.Activation("silu")(layers.GroupNormalization(8)(x)))
        y = y + layers.Dense(f)(layers.Activation("silu")(t))[:, None, None]
        y = layers.Conv2D(f, 3, padding="same")(layers.Activation("silu")(layers.GroupNormalization(8)(y)))
        return y + (x if x.shape[-1] == f else layers.Conv2D(f, 1)(x))

    x, skips = layers.Conv2D(16, 3, padding="same")(i), []
    for f in (16, 32):
        x = block(x, f)
        skips.append(x)
        x = layers.Conv2D(f, 3, strides=2, padding="same")(x)
    for f in (32, 16):
        x = block(layers.Concatenate()([layers.UpSampling2D()(x), skips.pop()]), f)
    return keras.Model([i, t], layers.Conv2D(4, 3, padding="same", name="noise")(layers.Activation("silu")(x)))


@family()
def squeeze_excitation(rng: np.random.Generator) -> Any:
    def quick_gelu(x: Any) -> Any:
        return x * ops.sigmoid(1.702 * x)

    i = x = keras.Input((32, 32, 3), name="image")
    for f in (8, 16, 24):
        x = quick_gelu(settled_norm()(layers.Conv2D(f, 3, strides=2, padding="same")(x)))
        s = layers.Dense(f // 4, activation="relu")(layers.GlobalAveragePooling2D()(x))
        x = x * layers.Dense(f, activation="sigmoid")(s)[:, None, None]
    return head(i, x, rng)


def settled_norm() -> Any:
    return layers.BatchNormalization(epsilon=1e-3)


@family()
def spatial_transformer(rng: np.random.Generator) -> Any:
    i = image(rng, 1, 12)
    size = i.shape[1]
    h = layers.Flatten()(layers.Conv2D(4, 3, activation="relu", strides=2)(i))
    theta = layers.Dense(6, bias_initializer=keras.initializers.Constant([1, 0, 0, 0, 1, 0]))(0.01 * layers.Dense(8)(h))
    theta = layers.Reshape((2, 3))(theta)
    axis = ops.convert_to_tensor(np.linspace(-1, 1, size).astype("float32"))
    ones = ops.ones((size, size), "float32")
    y, x = ops.meshgrid(axis, axis, indexing="ij")
    grid = ops.reshape(ops.stack([x, y, ones], -1), (-1, 3))
    places = ops.einsum("bij,nj->bni", theta, grid)
    weights = ops.maximum(
        0.0, 1 - ops.abs(places[:, :, None] * (size / 4) - ops.cast(np.arange(4), "float32")[:, None])
    )
    values = ops.einsum("bnkd,bk->bnd", weights, layers.Dense(4)(h))
    return keras.Model(i, layers.Dense(10, activation="softmax", name="p")(layers.Flatten()(values)))


@family()
def instance_norm(rng: np.random.Generator) -> Any:
    i = x = image(rng)
    for f in (8, 8):
        x = layers.Conv2D(f, 3, padding="same")(x)
        x = layers.Activation("relu")(layers.GroupNormalization(-1)(x))
    return settled(keras.Model(i, layers.Conv2D(3, 3, padding="same", activation="tanh", name="styled")(x)), rng)


@family()
def mobile_block(rng: np.random.Generator) -> Any:
    i = image(rng)
    x = layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False)(i)
    for _ in range(2):
        y = layers.ReLU(6)(layers.BatchNormalization()(layers.Conv2D(32, 1, use_bias=False)(x)))
        y = layers.ReLU(6)(layers.BatchNormalization()(layers.DepthwiseConv2D(3, padding="same", use_bias=False)(y)))
        x = layers.Add()([x, layers.BatchNormalization()(layers.Conv2D(16, 1, use_bias=False)(y))])
    return head(i, x, rng)


@family()
def dilated_separable(rng: np.random.Generator) -> Any:
    i = image(rng, least=16)
    x = layers.Conv2D(8, 3, dilation_rate=2, padding="same", activation=drawn_activation(rng))(i)
    x = normalization(rng)(layers.SeparableConv2D(16, 3, padding="same", activation="relu")(x))
    return head(i, x, rng)


@family()
def autoencoder(rng: np.random.Generator) -> Any:
    i = image(rng)
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation=drawn_activation(rng))(i)
    x = normalization(rng)(layers.Conv2D(8, 3, strides=2, padding="same")(x))
    x = layers.Conv2DTranspose(8, 3, strides=2, padding="same", activation=drawn_activation(rng))(x)
    x = layers.Conv2DTranspose(3, 4, strides=2, padding="same", activation="sigmoid", name="image_again")(x)
    return settled(keras.Model(i, x), rng)


@family()
def inception(rng: np.random.Generator) -> Any:
    i = image(rng)
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(i)
    pool = layers.AveragePooling2D(3, strides=1, padding="same")(x)
    most = layers.MaxPooling2D(3, strides=1, padding="same")(x)
    parts = [layers.Conv2D(4, 1)(pool), layers.Conv2D(4, 3, padding="same")(x), layers.Conv2D(4, 1)(most)]
    return head(i, layers.Activation(drawn_activation(rng))(layers.Concatenate()(parts)), rng)


@family()
def resized(rng: np.random.Generator) -> Any:
    i = image(rng)
    x = layers.UpSampling2D(2, interpolation=str(rng.choice(["nearest", "bilinear"])))(i)
    x = layers.ZeroPadding2D(((1, 0), (0, 1)))(layers.Conv2D(8, 3, strides=2, activation=drawn_activation(rng))(x))
    x = layers.Cropping2D(((1, 0), (0, 1)))(layers.Resizing(9, 9)(x))
    return head(i, x, rng)


@family()
def convnext_block(rng: np.random.Generator) -> Any:
    i = image(rng)
    x = layers.LayerNormalization(epsilon=1e-6)(layers.Conv2D(16, 4, strides=4)(i))
    for _ in range(2):
        y = layers.LayerNormalization(epsilon=1e-6)(layers.DepthwiseConv2D(7, padding="same")(x))
        y = layers.Dense(16)(layers.Dense(64, activation="gelu")(y))
        x = layers.Add()([x, y])
    return head(i, x, rng)


@family()
def vision_transformer(rng: np.random.Generator) -> Any:
    i = keras.Input((16, 16, 3), name="image")
    x = layers.Reshape((16, 16))(layers.Conv2D(16, 4, strides=4)(i))
    x = x + layers.Embedding(16, 16)(ops.arange(16))
    for _ in range(2):
        y = layers.LayerNormalization()(x)
        x = layers.Add()([x, layers.MultiHeadAttention(2, 8)(y, y)])
        x = layers.Add()([x, layers.Dense(16)(layers.Dense(32, activation="gelu")(layers.LayerNormalization()(x)))])
    return settled(keras.Model(i, layers.Dense(10, name="logits")(layers.GlobalAveragePooling1D()(x))), rng)


@family()
def pixel_shuffle(rng: np.random.Generator) -> Any:
    i = image(rng)
    size = i.shape[1]
    x = layers.Conv2D(12, 3, padding="same", activation=drawn_activation(rng))(i)
    x = ops.transpose(ops.reshape(x, (-1, size, size, 2, 2, 3)), (0, 1, 3, 2, 4, 5))
    return settled(keras.Model(i, layers.Reshape((2 * size, 2 * size, 3), name="large")(x)), rng)


@family()
def volumes(rng: np.random.Generator) -> Any:
    i = keras.Input((6, 6, 6, 2), name="volume")
    x = layers.Conv3D(8, 3, padding="same", activation=drawn_activation(rng))(i)
    x = normalization(rng)(layers.AveragePooling3D(2)(x))
    x = layers.GlobalMaxPooling3D()(x)
    return settled(keras.Model(i, layers.Dense(5, activation="softmax", name="scores")(x)), rng)


@family()
def deep(rng: np.random.Generator) -> Any:
    """Up to 60 layers: errors add up."""
    i = image(rng, 8)
    x = i
    for _ in range(int(rng.integers(20, 60))):
        x = layers.Conv2D(8, 3, padding="same", activation=str(rng.choice(["relu", "tanh", "elu"])))(x)
    return keras.Model(i, layers.Dense(4, name="scores")(layers.GlobalAveragePooling2D()(x)))


@family()
def vanishing(rng: np.random.Generator) -> Any:
    """25 layers whose outputs reach 1e-24: the scale of an output says nothing of its rounding."""
    i = x = keras.Input((32,), name="x")
    for _ in range(25):
        x = layers.Dense(32, kernel_initializer=keras.initializers.RandomNormal(0, 0.018), activation="relu")(x)
    return keras.Model(i, layers.Dense(3, name="tiny")(x))


@family()
def weight_scales(rng: np.random.Generator) -> Any:
    i = x = image(rng)
    for f in (8, 8):
        x = normalization(rng, ("batch", "layer", "group"))(layers.Conv2D(f, 3, padding="same")(x))
        x = layers.Activation(str(rng.choice(["relu", "silu", "gelu"])))(x)
    return head(i, x, rng, 10.0 ** float(rng.integers(-6, 7)))


@family()
def quantized_levels(rng: np.random.Generator) -> Any:
    """Integers that come of rounded floats: a step is no rounding error."""
    i = image(rng)
    x = layers.Conv2D(8, 3, padding="same", activation="sigmoid")(i)
    return settled(keras.Model(i, layers.GlobalAveragePooling2D(name="levels")(ops.round(x * 15) / 15)), rng)
