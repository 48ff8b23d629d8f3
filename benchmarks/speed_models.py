"""The models on which the speed of exported files is measured, with random weights."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
from keras import applications, layers, ops

import exporter.layers as own

MODELS: dict[str, Callable[[], keras.Model]] = {}


def built(name: str) -> keras.Model:
    """Return a model with weights as after training: none of its variables all zeros or ones, which converters leave out."""
    keras.utils.set_random_seed(0)
    result, rng = MODELS[name](), np.random.default_rng(0)
    for variable in result.variables:
        array = keras.ops.convert_to_numpy(variable)
        if np.issubdtype(array.dtype, np.floating) and np.all(array == array.flat[0]):
            variable.assign(array + 0.1 * rng.random(array.shape))
    return result


def model(function: Callable[[], keras.Model]) -> Callable[[], keras.Model]:
    """Enter a builder under its name."""
    MODELS[function.__name__] = function
    return function


@model
def gru() -> keras.Model:
    return keras.Sequential(
        [keras.Input((64, 32)), layers.GRU(128, return_sequences=True), layers.GRU(64), layers.Dense(10)]
    )


@model
def lstm() -> keras.Model:
    return keras.Sequential(
        [keras.Input((64, 32)), layers.LSTM(128, return_sequences=True), layers.LSTM(64), layers.Dense(10)]
    )


@model
def lstm_static_batch() -> keras.Model:
    """The same for one sequence at a time, of which tf2onnx makes a Loop."""
    one = keras.Input(batch_shape=(1, 64, 32))
    return keras.Sequential([one, layers.LSTM(128, return_sequences=True), layers.LSTM(64), layers.Dense(10)])


@model
def mish_groupnorm_cnn() -> keras.Model:
    x = inputs = keras.Input((64, 64, 3))
    for filters in (32, 64, 128):
        for strides in (1, 2):
            x = layers.Conv2D(filters, 3, strides, padding="same")(x)
            x = layers.Activation("mish")(layers.GroupNormalization(8)(x))
    return keras.Model(inputs, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))


class HardSigmoid(layers.Layer):
    """Of somebody's own, as Keras's documentation once wrote it."""

    def call(self, x):
        return ops.clip(0.2 * x + 0.5, 0.0, 1.0)


class Swish(layers.Layer):
    """Of somebody's own, as its paper writes it (https://arxiv.org/abs/1710.05941)."""

    def call(self, x):
        return x * ops.sigmoid(x)


class Mish(layers.Layer):
    """Of somebody's own, as its paper writes it (https://arxiv.org/abs/1908.08681)."""

    def call(self, x):
        return x * ops.tanh(ops.softplus(x))


class ELiSH(layers.Layer):
    """Of somebody's own, as its paper writes it (https://arxiv.org/abs/1808.00783)."""

    def call(self, x):
        return ops.where(x >= 0, x * ops.sigmoid(x), (ops.exp(x) - 1) * ops.sigmoid(x))


@model
def mlp_custom_activations() -> keras.Model:
    """With activations that people write themselves, as the papers do."""
    return _mlp(HardSigmoid, Swish, Mish, ELiSH)


@model
def mlp_package_activations() -> keras.Model:
    """With this package's layers for the same, whose `call` is written in fast forms, so that Keras's export has them too."""
    return _mlp(own.HardSigmoid, own.Swish, own.Mish, own.ELiSH)


def _mlp(*activations: type[layers.Layer]) -> keras.Model:
    hidden = [layer for cls in activations for layer in (layers.Dense(512), cls())]
    return keras.Sequential([keras.Input((64, 256)), *hidden, layers.Dense(10)])


@model
def unet() -> keras.Model:
    x = inputs = keras.Input((128, 128, 3))
    skips = []
    for filters in (16, 32, 64):
        x = double_convolution(x, filters)
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    x = double_convolution(x, 128)
    for number, skip in enumerate(reversed(skips)):
        up = layers.UpSampling2D() if number % 2 else layers.Conv2DTranspose(skip.shape[-1], 2, 2)
        x = double_convolution(layers.Concatenate()([up(x), skip]), skip.shape[-1])
    return keras.Model(inputs, layers.Conv2D(2, 1, activation="softmax")(x))


def double_convolution(x, filters: int):
    for _ in range(2):
        x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)))
    return x


@model
def vit_tiny() -> keras.Model:
    x = inputs = keras.Input((224, 224, 3))
    x = layers.Reshape((196, 192))(layers.Conv2D(192, 16, 16)(x))
    for _ in range(6):
        y = layers.LayerNormalization(epsilon=1e-6)(x)
        x = layers.Add()([x, layers.MultiHeadAttention(3, 64)(y, y)])
        y = layers.Dense(768, activation="gelu")(layers.LayerNormalization(epsilon=1e-6)(x))
        x = layers.Add()([x, layers.Dense(192)(y)])
    return keras.Model(inputs, layers.Dense(100)(layers.GlobalAveragePooling1D()(x)))


@model
def bert_small() -> keras.Model:
    inputs = keras.Input((128,), dtype="int32")
    x = layers.LayerNormalization(epsilon=1e-12)(layers.Embedding(8000, 512)(inputs))
    for _ in range(4):
        x = layers.LayerNormalization(epsilon=1e-12)(layers.Add()([x, layers.MultiHeadAttention(8, 64)(x, x)]))
        y = layers.Dense(512)(layers.Dense(2048, activation="gelu")(x))
        x = layers.LayerNormalization(epsilon=1e-12)(layers.Add()([x, y]))
    return keras.Model(inputs, layers.Dense(2)(x[:, 0]))


@model
def mobilenet_v3_small() -> keras.Model:
    return applications.MobileNetV3Small((224, 224, 3), weights=None)


@model
def mobilenet_v2() -> keras.Model:
    return applications.MobileNetV2(weights=None)


@model
def efficientnet_b0() -> keras.Model:
    return applications.EfficientNetB0(weights=None)


@model
def convnext_tiny() -> keras.Model:
    return applications.ConvNeXtTiny(weights=None)


@model
def resnet50() -> keras.Model:
    return applications.ResNet50(weights=None)
