"""Convolutions: every rank, padding, stride, dilation, group and layout."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from exporter.errors import UnsupportedError
from tests.formats.onnx.lowerings.exported import export, model_of, normal
from tests.formats.onnx.lowerings.nn.test_dense import model

SHAPES = {1: (9, 4), 2: (8, 7, 4), 3: (5, 6, 7, 4)}
DYNAMIC = {1: (None, 4), 2: (None, None, 4), 3: (None, None, None, 4)}
CONFIGURATIONS = [
    {"kernel_size": 3},
    {"kernel_size": 3, "padding": "same", "activation": "relu", "use_bias": False},
    {"kernel_size": 2, "strides": 2, "padding": "same"},
    {"kernel_size": 1, "strides": 3, "padding": "same"},
    {"kernel_size": 3, "strides": 2},
    {"kernel_size": 3, "dilation_rate": 2, "padding": "same"},
    {"kernel_size": 2, "dilation_rate": 3, "groups": 2},
]


def check(layer, shape, *, dynamic: int = 9) -> None:
    exported = export(model(shape, layer))
    exported.check(normal(2, *[d or dynamic for d in shape]))
    exported.check(normal(1, *[d or dynamic - 2 for d in shape]))


@pytest.mark.parametrize("options", CONFIGURATIONS, ids=str)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_configurations(rank, options):
    check(getattr(layers, f"Conv{rank}D")(6, **options), SHAPES[rank])


@pytest.mark.parametrize("options", [CONFIGURATIONS[n] for n in (1, 2, 3, 5)], ids=str)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_sizes_that_are_not_known_while_exporting(rank, options):
    check(getattr(layers, f"Conv{rank}D")(6, **options), DYNAMIC[rank])


@pytest.mark.parametrize("options", [CONFIGURATIONS[2], CONFIGURATIONS[5]], ids=str)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_channels_first(rank, options):
    size = SHAPES[rank]
    check(getattr(layers, f"Conv{rank}D")(6, data_format="channels_first", **options), (size[-1], *size[:-1]))


@pytest.mark.parametrize("options", [{}, {"dilation_rate": 2}, {"strides": 2}, {"groups": 2}], ids=str)
@pytest.mark.parametrize("shape", [(9, 4), (None, 4)], ids=str)
def test_causal(shape, options):
    check(layers.Conv1D(6, 3, padding="causal", **options), shape)


@pytest.mark.parametrize(
    "options",
    [{}, {"padding": "same", "depth_multiplier": 2}, {"strides": 2, "padding": "same"}, {"dilation_rate": 2}],
    ids=str,
)
@pytest.mark.parametrize("kind", ["Depthwise", "Separable"])
@pytest.mark.parametrize("rank", [1, 2])
def test_by_channel(rank, kind, options):
    make = getattr(layers, f"{kind}Conv{rank}D")
    filters = {"filters": 5} if kind == "Separable" else {}
    size = SHAPES[rank]
    check(make(kernel_size=3, activation="relu", **filters, **options), size)
    first = make(kernel_size=3, data_format="channels_first", **filters, **options)
    check(first, (size[-1], *size[:-1]))


def test_bias_that_keras_adds_along_another_axis():
    """Keras 3.15 takes the bias for one of the last axis where the sizes are equal."""
    for layer in (layers.Conv2D(6, 2), layers.DepthwiseConv2D(2), layers.Conv2DTranspose(6, 1)):
        layer.data_format = "channels_first"
        size = 6 if isinstance(layer, layers.Conv2DTranspose) else 7
        check(layer, (6, 5, size))


def test_windows_that_are_smaller_than_strides():
    with pytest.raises(UnsupportedError, match="dynamic size"):
        export(model((None, None, 4), layers.Conv2D(6, 2, strides=3, padding="same")))


def test_padding_is_in_numbers_where_they_are_known():
    for shape, strides in (((8, 7, 4), 2), ((None, None, 4), 1)):
        exported = export(model(shape, layers.Conv2D(6, 3, strides=strides, padding="same")))
        assert exported.ops["Conv"] == 1
        assert "Pad" not in exported.ops


def test_a_network_is_turned_once():
    stack = [
        layers.Conv2D(8, 3, padding="same"),
        layers.BatchNormalization(),
        layers.Activation("silu"),
        layers.DepthwiseConv2D(3, padding="same"),
        layers.MaxPooling2D(),
        layers.Conv2DTranspose(8, 2, strides=2),
        layers.GlobalAveragePooling2D(),
    ]
    exported = export(model((8, 8, 3), *stack))
    exported.check(normal(2, 8, 8, 3))
    assert exported.ops["Transpose"] == 1


def test_kernel_that_is_computed():
    def standardized(x, kernel):
        return ops.conv(x, ops.tanh(kernel[0]), padding="same", strides=2)

    exported = export(model_of(standardized, ((None, 8, 7, 4), "float32"), ((None, 3, 3, 4, 5), "float32")))
    exported.check(normal(2, 8, 7, 4), normal(1, 3, 3, 4, 5))


def test_low_rank_adaptation_is_merged_into_the_kernel():
    conv = layers.Conv2D(6, 3)
    adapted = model((8, 7, 4), conv)
    conv.enable_lora(2)
    conv.lora_kernel_b.assign(np.ones(conv.lora_kernel_b.shape))
    export(adapted).check(normal(2, 8, 7, 4))


@pytest.mark.parametrize("special", [np.nan, np.inf, 1e30])
def test_specials(special):
    x = normal(2, 8, 7, 4)
    x[1, 3, 3, 2] = special
    export(model((8, 7, 4), layers.Conv2D(6, 3, padding="same"))).check(x)


def test_half_precision():
    conv = layers.Conv2D(6, 3, dtype="mixed_float16")
    export(keras.Sequential([keras.Input((8, 7, 4)), conv])).check(normal(2, 8, 7, 4))
