from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from exporter.layers import LayerNormalization

ROUNDING = 16 * 2.0**-23  # the constant of the parity rule, for outputs of about 1


def _normalized(x: Any, **arguments: Any) -> np.ndarray:
    return ops.convert_to_numpy(LayerNormalization(**arguments)(np.asarray(x)))


@pytest.mark.parametrize("axis", [-1, 1, [1, 2], [-1, -2, -3], (2, 1)])
def test_agrees_with_keras_on_ordinary_rows(axis: Any) -> None:
    x = np.random.default_rng(0).standard_normal((6, 4, 5, 3)).astype("float32")
    theirs = keras.layers.LayerNormalization(axis=axis)(x)
    np.testing.assert_allclose(_normalized(x, axis=axis), ops.convert_to_numpy(theirs), atol=3 * ROUNDING)


def test_every_sample_has_mean_0_and_variance_1() -> None:
    x = 5 + 3 * np.random.default_rng(1).standard_normal((32, 100)).astype("float32")
    y = _normalized(x, epsilon=1e-9).astype("float64")
    np.testing.assert_allclose(y.mean(-1), 0, atol=ROUNDING)
    np.testing.assert_allclose(y.var(-1), 1, atol=ROUNDING)


@pytest.mark.parametrize("level", [0.1, 1e3, 1e6, 7e12, 1e30, 3.3e38, -3.3e38])
@pytest.mark.parametrize("size", [2, 7, 100, 1000])
def test_a_constant_row_gives_exactly_zero(level: float, size: int) -> None:
    assert not _normalized(np.full((2, size), level, "float32"), epsilon=1e-12).any()


def test_rows_one_unit_in_the_last_place_apart() -> None:
    """The spread is 6e-5 at 1000; the rounding of the mean alone would be as large."""
    row = np.nextafter(np.float32(1000), np.float32([2000, 0] * 50))
    np.testing.assert_allclose(np.abs(_normalized(row[None], epsilon=1e-12)), 1, atol=0.4)
    exact = row.astype("float64") - row.astype("float64").mean()
    np.testing.assert_allclose(_normalized(row[None], epsilon=1e-12)[0], exact / exact.std(), rtol=0.002)


def test_float16_keeps_the_spread_of_a_long_row() -> None:
    """A sum of 4096 numbers near 100 is beyond float16, and so are their squares."""
    x = (100 + np.random.default_rng(2).standard_normal((3, 4096))).astype("float16")
    y = _normalized(x, dtype="mixed_float16")
    assert y.dtype == "float16"
    exact = x.astype("float64")
    exact = (exact - exact.mean(-1, keepdims=True)) / np.sqrt(exact.var(-1, keepdims=True) + 1e-3)
    np.testing.assert_allclose(y, exact, atol=2.0**-10 * np.abs(exact).max())


def test_a_float32_input_of_a_float16_layer_is_not_rounded_first() -> None:
    x = 1000 + np.random.default_rng(3).standard_normal((3, 50)).astype("float32") / 100
    y = _normalized(x, epsilon=1e-9, dtype="mixed_float16")
    np.testing.assert_allclose(y, _normalized(x, epsilon=1e-9), atol=2.0**-9)


def test_weights_have_the_shape_of_the_axes() -> None:
    layer = LayerNormalization(axis=[-1, 1])
    layer.build((None, 3, 4, 5))
    assert [(weight.name, tuple(weight.shape)) for weight in layer.weights] == [("gamma", (3, 5)), ("beta", (3, 5))]
    np.testing.assert_array_equal(layer.get_weights()[0], np.ones((3, 5)))
    np.testing.assert_array_equal(layer.get_weights()[1], np.zeros((3, 5)))


@pytest.mark.parametrize(("center", "scale", "names"), [(0, 0, []), (1, 0, ["beta"]), (0, 1, ["gamma"])])
def test_center_and_scale_choose_the_weights(center: int, scale: int, names: list[str]) -> None:
    layer = LayerNormalization(center=bool(center), scale=bool(scale))
    layer.build((None, 3))
    assert [weight.name for weight in layer.weights] == names


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"axis": "last"}, TypeError, "LayerNormalization: `axis` must be an integer, not 'last'"),
        ({"axis": []}, ValueError, "LayerNormalization: `axis` must be"),
        ({"axis": [1, 1]}, ValueError, "list of different integers"),
        ({"epsilon": 0}, ValueError, "LayerNormalization: `epsilon` must be a number greater than 0, not 0"),
        ({"center": 1}, TypeError, "LayerNormalization: `center` must be True or False, not 1"),
        ({"scale": None}, TypeError, "LayerNormalization: `scale` must be True or False, not None"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        LayerNormalization(**arguments)


@pytest.mark.parametrize("axis", [2, -3, [1, -1], [0, 5]])
def test_axes_that_do_not_fit_the_input_are_refused(axis: Any) -> None:
    with pytest.raises(ValueError, match="does not fit an input of rank 2; it takes different axes from -2 to 1"):
        LayerNormalization(axis=axis).build((None, 3))
    with pytest.raises(ValueError, match="does not fit an input of rank 2"):
        LayerNormalization(axis=axis).compute_output_shape((None, 3))


def test_an_axis_without_a_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"axis 1 of an input of shape \(None, None, 3\) has no fixed size"):
        LayerNormalization(axis=1)(keras.Input((None, 3)))


def test_another_width_than_the_built_one_is_refused() -> None:
    layer = LayerNormalization()
    layer.build((None, 3))
    with pytest.raises(ValueError, match=r"expected axis -?1 of input shape to have value 3"):
        layer(np.ones((2, 4), "float32"))
