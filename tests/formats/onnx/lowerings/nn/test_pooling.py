"""Pooling: local, global, adaptive."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from tests.formats.onnx.lowerings.exported import export, normal
from tests.formats.onnx.lowerings.nn.test_convolution import DYNAMIC, SHAPES, check
from tests.formats.onnx.lowerings.nn.test_dense import model

CONFIGURATIONS = [
    {"pool_size": 2},
    {"pool_size": 3, "strides": 2, "padding": "same"},
    {"pool_size": 3, "strides": 1, "padding": "same"},
    {"pool_size": 2, "strides": 3, "padding": "same"},
]


@pytest.mark.parametrize("options", CONFIGURATIONS, ids=str)
@pytest.mark.parametrize("kind", ["Average", "Max"])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_configurations(rank, kind, options):
    cls = getattr(layers, f"{kind}Pooling{rank}D")
    check(cls(**options), SHAPES[rank])
    if options != CONFIGURATIONS[3]:
        check(cls(**options), DYNAMIC[rank])


@pytest.mark.parametrize("kind", ["Average", "Max"])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_channels_first(rank, kind):
    size = SHAPES[rank]
    layer = getattr(layers, f"{kind}Pooling{rank}D")(3, 2, padding="same", data_format="channels_first")
    check(layer, (size[-1], *size[:-1]))


@pytest.mark.parametrize("options", [{}, {"keepdims": True}, {"data_format": "channels_first"}], ids=str)
@pytest.mark.parametrize("kind", ["Average", "Max"])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_global(rank, kind, options):
    check(getattr(layers, f"Global{kind}Pooling{rank}D")(**options), SHAPES[rank])


@pytest.mark.parametrize("size", [2, 3, 4])
@pytest.mark.parametrize("kind", ["Average", "Max"])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_adaptive(rank, kind, size):
    cls = getattr(layers, f"Adaptive{kind}Pooling{rank}D")
    shape = SHAPES[rank]
    exported = export(model(shape, cls(size)))
    exported.check(normal(2, *shape))
    assert exported.ops["Transpose"] == 2
    export(model((shape[-1], *shape[:-1]), cls(size, data_format="channels_first"))).check(
        normal(2, shape[-1], *shape[:-1])
    )


@pytest.mark.parametrize("special", [np.inf, -np.inf, 1e30])
@pytest.mark.parametrize("layer", [layers.MaxPooling2D(2), layers.AveragePooling2D(2), layers.GlobalMaxPooling2D()])
def test_specials(layer, special):
    x = normal(2, 8, 7, 4)
    x[1, 3, 3, 2] = special
    export(model((8, 7, 4), layer)).check(x)


@pytest.mark.parametrize(
    "layer",
    [
        layers.AveragePooling2D(2),
        layers.GlobalAveragePooling2D(),
        pytest.param(
            layers.MaxPooling2D(2),
            marks=pytest.mark.xfail(strict=True, reason="TensorFlow drops NaN from a maximum, ONNX Runtime keeps it"),
        ),
    ],
)
def test_not_a_number(layer):
    x = normal(2, 8, 7, 4)
    x[1, 3, 3, 2] = np.nan
    export(model((8, 7, 4), layer)).check(x)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("kind", ["Average", "Max"])
def test_spatial_axes_that_stand_in_another_order_are_pooled_where_they_are(kind, keepdims):
    """Channels first with rows and columns exchanged: nothing needs a Transpose."""
    image = keras.Input((3, 5, 7), name="x")
    turned = layers.Permute((3, 2, 1))(image)
    file = export(keras.Model(image, getattr(layers, f"Global{kind}Pooling2D")(keepdims=keepdims)(turned)))
    file.check(normal(2, 3, 5, 7))
    assert "Transpose" not in file.ops
