"""Convolutions of one channel with long windows: an image of one row, the same numbers."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from tests.formats.onnx.lowerings.exported import export, model_of, normal

WINDOW, FILTERS = 128, 128


def exported(shape, window=WINDOW, filters=FILTERS, **options):
    channels = 1 if options.get("data_format") != "channels_first" else 0
    kernel = normal(window, 1, filters, seed=3) / np.float32(np.sqrt(window))
    assert shape[channels] == 1
    return export(
        model_of(lambda x: ops.conv(x, ops.convert_to_tensor(kernel), **options), ((None, *shape), "float32"))
    )


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"strides": 37},
        {"padding": "same", "strides": 3},
        {"dilation_rate": 2, "padding": "same"},
        {"padding": "same", "data_format": "channels_first"},
    ],
    ids=str,
)
@pytest.mark.parametrize("length", [600, None])
def test_configurations(options, length):
    first = options.get("data_format") == "channels_first"
    file = exported((1, length) if first else (length, 1), **options)
    for rows, size in ((2, length or 600), (1, length or 431)):
        file.check(normal(rows, *((1, size) if first else (size, 1))))
    assert "Squeeze" in file.ops


def test_specials():
    file = exported((300, 1), strides=50)
    x = normal(2, 300, 1)
    x[0, 7], x[1, 100], x[1, 200] = np.nan, np.inf, 1e30
    file.check(x)


def test_few_weights_stay_as_they_are():
    assert "Squeeze" not in exported((300, 1), filters=16).ops


def test_a_spectrogram():
    x = keras.Input((2000, 1), name="sound")
    model = keras.Model(x, layers.STFTSpectrogram(frame_length=200, frame_step=80, fft_length=256)(x))
    file = export(model)
    file.check(normal(3, 2000, 1))
    assert file.ops["Conv"] == 2
