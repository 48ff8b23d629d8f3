from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from exporter.layers import RMSNormalization

ROUNDING = 16 * 2.0**-23


def _normalized(x: Any, **arguments: Any) -> np.ndarray:
    return ops.convert_to_numpy(RMSNormalization(**arguments)(np.asarray(x)))


def test_agrees_with_keras_on_ordinary_rows() -> None:
    x = np.random.default_rng(0).standard_normal((6, 4, 5)).astype("float32")
    theirs = keras.layers.RMSNormalization()(x)
    np.testing.assert_allclose(_normalized(x), ops.convert_to_numpy(theirs), atol=ROUNDING)


@pytest.mark.parametrize("level", [1e-2, 1.0, 1e19, 1e30, 3.3e38])
def test_every_sample_has_root_mean_square_1(level: float) -> None:
    x = np.random.default_rng(1).uniform(-level, level, (32, 100)).astype("float32")
    mean_square = np.square(_normalized(x, epsilon=1e-12).astype("float64")).mean(-1)
    np.testing.assert_allclose(mean_square, 1, atol=ROUNDING)


def test_zeros_give_zeros() -> None:
    assert not _normalized(np.zeros((2, 5), "float32")).any()


def test_one_infinite_element_acts_as_in_the_formula() -> None:
    np.testing.assert_array_equal(_normalized(np.float32([[1, -np.inf, 2]])), [[0, np.nan, 0]])


def test_float16_squares_do_not_overflow() -> None:
    x = np.full((2, 300), 60000, "float16")
    np.testing.assert_array_equal(_normalized(x, dtype="mixed_float16"), np.ones((2, 300), "float16"))


@pytest.mark.parametrize(("scale", "names"), [(True, ["gamma"]), (False, [])])
def test_scale_chooses_the_weight(scale: bool, names: list[str]) -> None:
    layer = RMSNormalization(axis=[1, 2], scale=scale)
    layer.build((None, 3, 4))
    assert [weight.name for weight in layer.weights] == names
    assert all(tuple(weight.shape) == (3, 4) for weight in layer.weights)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"axis": 1.5}, TypeError, "RMSNormalization: `axis` must be an integer, not 1.5"),
        ({"epsilon": -1e-6}, ValueError, "RMSNormalization: `epsilon` must be a number greater than 0"),
        ({"scale": "yes"}, TypeError, "RMSNormalization: `scale` must be True or False, not 'yes'"),
        ({"center": True}, ValueError, "Unrecognized keyword arguments passed to RMSNormalization"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        RMSNormalization(**arguments)
