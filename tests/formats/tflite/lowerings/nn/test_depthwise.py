"""Depthwise convolutions: large kernels in strips, small ones as one op."""

from __future__ import annotations

import keras
import pytest
from keras import layers

from tests.formats.tflite.conftest import normal

DEPTHWISE = "DEPTHWISE_CONV_2D"


@pytest.mark.parametrize(
    ("kernel", "strips"), [((7, 7), 3), ((9, 9), 5), ((31, 3), 4), ((2, 30), 2), ((5, 5), 1), ((3, 3), 1)]
)
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_as_many_strips_as_are_fast(export, kernel, strips, padding):
    keras.utils.set_random_seed(0)
    x = keras.Input((33, 32, 3))
    exported = export(keras.Model(x, layers.DepthwiseConv2D(kernel, padding=padding, depth_multiplier=2)(x)))
    assert exported.ops[DEPTHWISE] == strips
    exported.agrees(normal(1, 33, 32, 3))


@pytest.mark.parametrize(("strides", "dilation"), [(2, 1), (1, 2)])
def test_strides_and_dilation(export, strides, dilation):
    x = keras.Input((17, 18, 3))
    made = [layers.DepthwiseConv2D(7, strides=strides, dilation_rate=dilation, padding=p) for p in ("same", "valid")]
    export(keras.Model(x, [layer(x) for layer in made]), "dynamic").agrees(normal(2, 17, 18, 3))


def test_as_many_groups_as_channels(export):
    x = keras.Input((9, 9, 4))
    exported = export(keras.Model(x, layers.Conv2D(8, 7, groups=4, padding="same")(x)))
    assert exported.ops[DEPTHWISE] == 3
    exported.agrees(normal(1, 9, 9, 4))


def test_dynamic_sizes(export):
    x = keras.Input((None, None, 3))
    exported = export(keras.Model(x, layers.DepthwiseConv2D(7, padding="same")(x)))
    exported.agrees(normal(1, 9, 8, 3), normal(1, 3, 12, 3))
