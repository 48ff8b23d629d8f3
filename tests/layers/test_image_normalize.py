from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from exporter.layers import ImageNormalize

# One rounding of the factor, one of the product, one of the sum, for outputs of up to 3.
ROUNDING = 3 * 3 * 2.0**-24
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def _pixels(dtype: str = "uint8") -> np.ndarray:
    return np.arange(4 * 8 * 8 * 3).reshape(4, 8, 8, 3).astype(np.uint8).astype(dtype)


def _normalized(x: Any, **arguments: Any) -> np.ndarray:
    return ops.convert_to_numpy(ImageNormalize(**arguments)(x))


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float32"])
def test_all_dtypes_of_pixels_give_the_same_float32_image(dtype: str) -> None:
    expected = (_pixels("float64") / 255 - MEAN) / STD
    actual = _normalized(_pixels(dtype), mean=MEAN, std=STD)
    assert actual.dtype == "float32"
    np.testing.assert_allclose(actual, expected, atol=ROUNDING)


def test_default_brings_pixels_to_0_to_1() -> None:
    values = _normalized(np.uint8([[[[0], [51], [255]]]]))
    np.testing.assert_allclose(values.ravel(), [0, 0.2, 1], atol=2.0**-24)
    assert values.max() == 1


def test_channels_first_normalizes_axis_1() -> None:
    last = _normalized(_pixels(), mean=MEAN, std=STD, data_format="channels_last")
    first = _normalized(_pixels().transpose(0, 3, 1, 2), mean=MEAN, std=STD, data_format="channels_first")
    np.testing.assert_array_equal(first, last.transpose(0, 3, 1, 2))


def test_data_format_is_that_of_keras_and_goes_into_the_config() -> None:
    assert ImageNormalize().get_config()["data_format"] == keras.config.image_data_format()


def test_mixed_precision_rounds_once() -> None:
    half = _normalized(_pixels(), mean=MEAN, std=STD, dtype="mixed_float16")
    np.testing.assert_array_equal(half, _normalized(_pixels(), mean=MEAN, std=STD).astype("float16"))


def test_uint8_input_of_a_functional_model() -> None:
    inputs = keras.Input((8, 8, 3), dtype="uint8")
    outputs = ImageNormalize(mean=MEAN, std=STD)(inputs)
    assert outputs.dtype == "float32"
    predicted = keras.Model(inputs, outputs).predict(_pixels(), verbose=0)
    np.testing.assert_allclose(predicted, _normalized(_pixels(), mean=MEAN, std=STD), atol=ROUNDING)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"scale": 0}, ValueError, "ImageNormalize: `scale` must be a number greater than 0, not 0"),
        ({"mean": "imagenet"}, TypeError, "ImageNormalize: `mean` must be a number or a list of numbers"),
        ({"mean": [0.5, None]}, TypeError, "ImageNormalize: `mean` must be a number, not None"),
        ({"std": [1, 0]}, ValueError, "ImageNormalize: `std` must be a number greater than 0, not 0"),
        ({"std": []}, ValueError, "ImageNormalize: `std` must be a number or a list of numbers"),
        ({"data_format": "nhwc"}, ValueError, "must be one of 'channels_last', 'channels_first', not 'nhwc'"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        ImageNormalize(**arguments)


@pytest.mark.parametrize("argument", ["mean", "std"])
def test_another_number_of_channels_is_refused(argument: str) -> None:
    with pytest.raises(ValueError, match=rf"`{argument}` has 2 values, but axis 3 of .* has 3 channels"):
        ImageNormalize(**{argument: [1.0, 2.0]}, data_format="channels_last").build((None, 8, 8, 3))
