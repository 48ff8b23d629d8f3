"""Convolutions in three dimensions, with channels first, and transposed with dilation: sums of CONV_2D."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from tests.formats.tflite.conftest import normal

IN_SPACE = (
    {"kernel_size": 3},
    {"kernel_size": (1, 2, 3), "padding": "same"},
    {"kernel_size": (3, 2, 2), "padding": "same", "strides": 2},
    {"kernel_size": 2, "strides": (2, 1, 3)},
    {"kernel_size": (2, 2, 1), "dilation_rate": (3, 1, 2)},
    {"kernel_size": 3, "dilation_rate": 2, "padding": "same"},
    {"kernel_size": 2, "groups": 2},
    {"kernel_size": 1, "use_bias": False},
)


def branches(shape, made, batch=None) -> keras.Model:
    """Return a model that applies each of the layers `made` to one input."""
    keras.utils.set_random_seed(0)
    x = keras.Input(shape, batch)
    return keras.Model(x, [layer(x) for layer in made])


@pytest.mark.parametrize("batch", [1, "dynamic"])
def test_in_space(export, batch):
    exported = export(branches((7, 6, 5, 2), [layers.Conv3D(4, **a) for a in IN_SPACE]), batch)
    assert not {"CONV_3D", "CONV_3D_TRANSPOSE"} & set(exported.ops)
    x = normal(1, 7, 6, 5, 2)
    x[0, 3, 3, 3] = [np.nan, 1e30]
    exported.agrees(normal(1, 7, 6, 5, 2), x, *([normal(3, 7, 6, 5, 2)] if batch == "dynamic" else []))


def test_in_space_of_dynamic_size(export):
    made = [layers.Conv3D(3, 2, padding=p, strides=s) for p in ("same", "valid") for s in (1, 2)]
    exported = export(branches((None, None, None, 2), made))
    exported.agrees(normal(1, 4, 5, 6, 2), normal(1, 7, 3, 4, 2))


def test_channels_first(export):
    first = {"data_format": "channels_first"}
    plane = [
        layers.Conv2D(4, 3, strides=2, **first),
        layers.Conv2D(4, (2, 3), padding="same", dilation_rate=2, **first),
        layers.DepthwiseConv2D(3, depth_multiplier=2, **first),
        layers.SeparableConv2D(3, 3, **first),
        layers.Conv2DTranspose(3, 3, strides=2, padding="same", **first),
    ]
    export(branches((4, 6, 7), plane)).agrees(normal(1, 4, 6, 7))
    line = [
        layers.Conv1D(4, 3, strides=2, **first),
        layers.Conv1D(4, 2, padding="same", dilation_rate=2, **first),
        layers.Conv1DTranspose(3, 3, strides=2, **first),
        layers.DepthwiseConv1D(3, **first),
    ]
    export(branches((4, 9), line)).agrees(normal(1, 4, 9))
    space = [layers.Conv3D(3, 2, padding="same", **first), layers.Conv3DTranspose(3, 2, strides=2, **first)]
    export(branches((2, 4, 5, 6), space)).agrees(normal(1, 2, 4, 5, 6))


def test_transposed_with_dilation(export):
    made = [
        layers.Conv2DTranspose(3, 3, dilation_rate=2),
        layers.Conv2DTranspose(3, (2, 3), dilation_rate=(1, 3), padding="same"),
        layers.Conv2DTranspose(3, 3, strides=2, output_padding=1, padding="same"),
        layers.Conv2DTranspose(3, 2, strides=3),
    ]
    export(branches((5, 6, 2), made)).agrees(normal(1, 5, 6, 2))
    export(branches((7, 2), [layers.Conv1DTranspose(3, 3, dilation_rate=2)])).agrees(normal(1, 7, 2))


def test_causal(export):
    made = [layers.Conv1D(4, 3, padding="causal", dilation_rate=d) for d in (1, 4)]
    export(branches((9, 3), made), "dynamic").agrees(normal(2, 9, 3), normal(1, 9, 3))


def test_kernels_that_are_computed(layer):
    exported = layer(lambda x, k: ops.conv(x, k[0], padding="same"), (5, 6, 3), (3, 3, 3, 2))
    exported.agrees([normal(1, 5, 6, 3), normal(1, 3, 3, 3, 2)])
