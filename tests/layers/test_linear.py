from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from exporter.layers import Linear


def test_weights_are_random_normal_and_zeros() -> None:
    keras.utils.set_random_seed(1)
    layer = Linear(300)
    layer.build((None, 200))
    assert [(weight.name, tuple(weight.shape)) for weight in layer.weights] == [("w", (200, 300)), ("b", (300,))]
    # 60,000 draws: mean and deviation lie within 5 standard errors of 0 and 0.05
    assert abs(layer.w.numpy().mean()) < 5 * 0.05 / 60_000**0.5
    assert abs(layer.w.numpy().std() - 0.05) < 5 * 0.05 / 120_000**0.5
    assert not layer.b.numpy().any()


def test_is_the_matrix_product_plus_b() -> None:
    layer = Linear(2)
    layer.build((None, 3))
    layer.set_weights([np.float32([[1, 2], [3, 4], [5, 6]]), np.float32([10, 20])])
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(np.float32([[1, 0, -1]]))), [[6, 16]])


@pytest.mark.parametrize(
    ("units", "error", "message"),
    [
        (0, ValueError, "Linear: `units` must be an integer of at least 1, not 0"),
        (2.0, TypeError, "Linear: `units` must be an integer, not 2.0"),
        (True, TypeError, "Linear: `units` must be an integer, not True"),
    ],
)
def test_wrong_units_are_refused(units: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Linear(units)


def test_a_last_axis_without_a_size_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"Linear: the last axis of an input of shape \(None, None\) has no fixed size"
    ):
        Linear(2)(keras.Input((None,)))


def test_another_width_than_the_built_one_is_refused() -> None:
    layer = Linear(2)
    layer.build((None, 3))
    with pytest.raises(ValueError, match="expected axis -1 of input shape to have value 3"):
        layer(np.ones((2, 4), "float32"))
