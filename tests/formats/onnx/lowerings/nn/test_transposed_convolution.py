"""Transposed convolutions: the exact size that Keras gives, in every configuration."""

from __future__ import annotations

import pytest
from keras import layers, ops

from tests.formats.onnx.lowerings.exported import export, model_of, normal
from tests.formats.onnx.lowerings.nn.test_convolution import DYNAMIC, SHAPES, check

CONFIGURATIONS = [
    {"kernel_size": 3},
    {"kernel_size": 3, "strides": 2, "padding": "same", "activation": "relu"},
    {"kernel_size": 4, "strides": 2, "padding": "same", "use_bias": False},
    {"kernel_size": 2, "strides": 3, "padding": "same"},
    {"kernel_size": 2, "strides": 3},
    {"kernel_size": 3, "strides": 2, "output_padding": 1},
    {"kernel_size": 3, "strides": 2, "padding": "same", "output_padding": 1},
    {"kernel_size": 3, "dilation_rate": 2},
]


@pytest.mark.parametrize("options", CONFIGURATIONS, ids=str)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_configurations(rank, options):
    if rank == 3 and options.get("dilation_rate", 1) > 1:
        options = {"kernel_size": 2}  # TensorFlow itself has no dilated form in 3-D on a CPU
    check(getattr(layers, f"Conv{rank}DTranspose")(6, **options), SHAPES[rank])


@pytest.mark.parametrize("options", [CONFIGURATIONS[1], CONFIGURATIONS[3], CONFIGURATIONS[5]], ids=str)
@pytest.mark.parametrize("rank", [1, 2])
def test_sizes_that_are_not_known_while_exporting(rank, options):
    check(getattr(layers, f"Conv{rank}DTranspose")(6, **options), DYNAMIC[rank])


@pytest.mark.parametrize("options", [CONFIGURATIONS[1], CONFIGURATIONS[3], CONFIGURATIONS[5]], ids=str)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_channels_first(rank, options):
    size = SHAPES[rank]
    check(getattr(layers, f"Conv{rank}DTranspose")(6, data_format="channels_first", **options), (size[-1], *size[:-1]))


def test_function_of_keras_ops():
    """Inside a layer: on symbolic tensors Keras 3.15 takes the padding for the output padding."""

    def call(x):
        return ops.conv_transpose(x, normal(3, 3, 5, 4), strides=(2, 1), padding="same")

    exported = export(model_of(layers.Lambda(call), ((None, 8, 7, 4), "float32")))
    exported.check(normal(2, 8, 7, 4))
    assert exported.ops["ConvTranspose"] == 1
