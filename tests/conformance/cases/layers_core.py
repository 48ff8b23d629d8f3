"""Layers: core, activation, reshaping, merging, normalization, regularization."""

from __future__ import annotations

from functools import partial

import keras
from keras import layers

from tests.conformance.cases.case import Case, booleans, floats, functional, integers, layer, model

X = floats(4)
SEQUENCE = floats(5, 4)
IMAGE = floats(6, 6, 4)
VOLUME = floats(4, 4, 4, 2)
ACTIVATIONS = ("relu", "gelu", "softmax", "mish", "softplus", "selu", "hard_silu", "tanh")


def lora() -> keras.Model:
    """A Dense layer with LoRA weights."""
    dense = layers.Dense(3)
    result = functional([X], dense)
    dense.enable_lora(2)
    return result


def quantized(cls: type, spec=X, **arguments) -> Case:
    """A layer whose weights Keras itself has quantized to int8."""

    def build() -> keras.Model:
        result = functional([spec], cls(**arguments))
        result.quantize("int8")
        return result

    return Case(f"layers.{cls.__name__}[int8]", (cls,), build, (spec,))


CORE = [
    layer(layers.Dense, X, units=3),
    layer(layers.Dense, X, units=3, use_bias=False),
    layer(layers.Dense, SEQUENCE, label="rank 3", units=3),
    layer(layers.Dense, IMAGE, label="rank 4", units=3),
    layer(layers.Dense, floats(None, 4), label="dynamic", units=3),
    *[layer(layers.Dense, X, units=3, activation=a) for a in ACTIVATIONS],
    Case("layers.Dense[lora]", (layers.Dense,), lora, (X,)),
    quantized(layers.Dense, units=3),
    quantized(layers.Embedding, integers(5, high=7), input_dim=7, output_dim=3),
    layer(layers.EinsumDense, SEQUENCE, equation="abc,cd->abd", output_shape=(None, 3)),
    layer(layers.EinsumDense, SEQUENCE, equation="abc,cde->abde", output_shape=(None, 2, 3), bias_axes="de"),
    layer(layers.EinsumDense, SEQUENCE, equation="...x,xy->...y", output_shape=3),
    layer(layers.EinsumDense, floats(5, 2, 4), equation="abcd,cde->abe", output_shape=(None, 3)),
    layer(layers.Embedding, integers(5, high=7), input_dim=7, output_dim=3),
    layer(layers.Embedding, integers(5, high=7), input_dim=7, output_dim=3, mask_zero=True),
    layer(layers.Embedding, floats(5, low=0, high=6.9), label="float ids", input_dim=7, output_dim=3),
    layer(layers.ReversibleEmbedding, integers(5, high=7), input_dim=7, output_dim=3),
    model(
        "layers.ReversibleEmbedding[reverse]",
        floats(5, 3),
        covers=[layers.ReversibleEmbedding],
        call=lambda x: layers.ReversibleEmbedding(7, 3, logit_soft_cap=5.0)(x, reverse=True),
    ),
    layer(layers.Identity, X),
    model("layers.InputLayer", X, covers=[layers.InputLayer, layers.Input], call=lambda x: x + 1),
    model("layers.Lambda", X, covers=[layers.Lambda], call=layers.Lambda(lambda x: x * 2)),
    layer(layers.Masking, SEQUENCE),
    layer(layers.Masking, floats(5, 4), mask_value=1.0),
    model(
        "layers.Masking[pooled]",
        integers(5, high=3),
        call=lambda x: layers.GlobalAveragePooling1D()(layers.Embedding(3, 4, mask_zero=True)(x)),
    ),
]

ACTIVATION = [
    *[layer(layers.Activation, X, activation=a) for a in ACTIVATIONS],
    layer(layers.ELU, X),
    layer(layers.ELU, X, alpha=0.5),
    layer(layers.LeakyReLU, X),
    layer(layers.LeakyReLU, X, negative_slope=0.1),
    layer(layers.PReLU, X),
    layer(layers.PReLU, IMAGE, shared_axes=[1, 2]),
    layer(layers.ReLU, X),
    layer(layers.ReLU, X, max_value=0.5, negative_slope=0.1, threshold=0.2),
    layer(layers.ReLU, X, max_value=6.0),
    layer(layers.Softmax, X),
    layer(layers.Softmax, IMAGE, axis=1),
    layer(layers.Softmax, IMAGE, axis=[1, 2]),
    model(
        "layers.Softmax[masked]",
        X,
        booleans(4),
        covers=[layers.Softmax],
        call=lambda x, mask: layers.Softmax()(x, mask=mask),
    ),
]

SHAPE = [
    layer(layers.Flatten, IMAGE),
    layer(layers.Flatten, IMAGE, data_format="channels_first"),
    layer(layers.Flatten, floats(), label="scalar"),
    layer(layers.Permute, IMAGE, dims=(3, 1, 2)),
    layer(layers.RepeatVector, X, n=3),
    layer(layers.Reshape, IMAGE, target_shape=(9, 16)),
    layer(layers.Reshape, IMAGE, target_shape=(-1, 8)),
    layer(layers.Reshape, floats(None, 4), target_shape=(-1, 2, 2)),
    layer(layers.Cropping1D, SEQUENCE, cropping=(1, 2)),
    layer(layers.Cropping2D, IMAGE, cropping=((1, 2), (0, 1))),
    layer(layers.Cropping2D, floats(4, 6, 6), cropping=1, data_format="channels_first"),
    layer(layers.Cropping3D, VOLUME, cropping=((1, 1), (0, 1), (1, 0))),
    layer(layers.ZeroPadding1D, SEQUENCE, padding=(1, 2)),
    layer(layers.ZeroPadding1D, SEQUENCE, padding=2, data_format="channels_first"),
    layer(layers.ZeroPadding2D, IMAGE, padding=((1, 2), (0, 1))),
    layer(layers.ZeroPadding2D, floats(4, 6, 6), padding=1, data_format="channels_first"),
    layer(layers.ZeroPadding3D, VOLUME, padding=((1, 1), (0, 1), (1, 0))),
    layer(layers.ZeroPadding3D, VOLUME, padding=1, data_format="channels_first"),
    layer(layers.UpSampling1D, SEQUENCE, size=3),
    layer(layers.UpSampling2D, IMAGE, size=(2, 3)),
    layer(layers.UpSampling2D, IMAGE, size=2, interpolation="bilinear"),
    layer(layers.UpSampling2D, IMAGE, size=2, interpolation="bicubic"),
    layer(layers.UpSampling2D, IMAGE, size=2, interpolation="lanczos3"),
    layer(layers.UpSampling2D, IMAGE, size=2, data_format="channels_first"),
    layer(layers.UpSampling3D, VOLUME, size=(1, 2, 3)),
    layer(layers.UpSampling3D, VOLUME, size=2, data_format="channels_first"),
]

MERGING_LAYERS = (
    layers.Add,
    layers.Average,
    layers.Maximum,
    layers.Minimum,
    layers.Multiply,
)
MERGING_FUNCTIONS = (layers.add, layers.average, layers.maximum, layers.minimum, layers.multiply)

MERGING = [
    *[layer(cls, X, X, X) for cls in MERGING_LAYERS],
    *[layer(cls, SEQUENCE, floats(1, 4), label="broadcast") for cls in MERGING_LAYERS],
    *[
        model(f"layers.{f.__name__}", X, X, covers=[f], call=lambda *xs, f=f: f(list(xs)))
        for f in (*MERGING_FUNCTIONS, layers.subtract, layers.concatenate)
    ],
    model("layers.dot", X, X, covers=[layers.dot], call=lambda *xs: layers.dot(list(xs), axes=1)),
    layer(layers.Subtract, X, X),
    layer(layers.Concatenate, X, X),
    layer(layers.Concatenate, SEQUENCE, floats(3, 4), axis=1),
    layer(layers.Dot, X, X, axes=1),
    layer(layers.Dot, X, X, axes=1, normalize=True),
    layer(layers.Dot, SEQUENCE, floats(3, 4), axes=(2, 2)),
]

NORMALIZATION = [
    layer(layers.BatchNormalization, X),
    layer(layers.BatchNormalization, IMAGE, label="rank 4"),
    layer(layers.BatchNormalization, IMAGE, axis=1),
    layer(layers.BatchNormalization, IMAGE, center=False, scale=False),
    layer(layers.LayerNormalization, SEQUENCE),
    layer(layers.LayerNormalization, IMAGE, axis=(1, 2)),
    layer(layers.LayerNormalization, SEQUENCE, center=False, scale=False),
    layer(layers.LayerNormalization, SEQUENCE, epsilon=1e-6, axis=1),
    layer(layers.RMSNormalization, SEQUENCE),
    layer(layers.RMSNormalization, IMAGE, axis=-1),
    layer(layers.GroupNormalization, IMAGE, groups=2),
    layer(layers.GroupNormalization, IMAGE, groups=-1),
    layer(layers.GroupNormalization, IMAGE, groups=1),
    layer(layers.GroupNormalization, SEQUENCE, label="rank 3", groups=2),
    layer(layers.GroupNormalization, floats(4, 6, 6), groups=2, axis=1),
    layer(layers.UnitNormalization, SEQUENCE),
    layer(layers.UnitNormalization, SEQUENCE, axis=1),
    layer(layers.SpectralNormalization, X, label="Dense", layer=partial(layers.Dense, 3)),
]

REGULARIZATION = [
    layer(layers.ActivityRegularization, X, l2=0.1),
    layer(layers.AlphaDropout, X, rate=0.5),
    layer(layers.Dropout, X, rate=0.5),
    layer(layers.GaussianDropout, X, rate=0.5),
    layer(layers.GaussianNoise, X, stddev=0.5),
    layer(layers.SpatialDropout1D, SEQUENCE, rate=0.5),
    layer(layers.SpatialDropout2D, IMAGE, rate=0.5),
    layer(layers.SpatialDropout3D, VOLUME, rate=0.5),
]

CASES = [*CORE, *ACTIVATION, *SHAPE, *MERGING, *NORMALIZATION, *REGULARIZATION]
