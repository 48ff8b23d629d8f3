from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from exporter.losses import Huber, huber

ROUNDING = 16 * 2.0**-23


@pytest.mark.parametrize("delta", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "none"])
def test_agrees_with_keras_on_ordinary_errors(delta: float, reduction: str) -> None:
    generator = np.random.default_rng(0)
    y_true, y_pred = generator.standard_normal((2, 20, 5)).astype("float32") * 3
    weights = generator.uniform(0, 2, 20).astype("float32")
    ours, theirs = (loss(delta=delta, reduction=reduction) for loss in (Huber, keras.losses.Huber))
    for sample_weight in (None, weights):
        np.testing.assert_allclose(
            ops.convert_to_numpy(ours(y_true, y_pred, sample_weight)),
            ops.convert_to_numpy(theirs(y_true, y_pred, sample_weight)),
            rtol=ROUNDING,
        )


@pytest.mark.parametrize("error", [1e10, 1e30, 3e38])
def test_large_errors_are_linear(error: float) -> None:
    y = np.float32([[error]])
    for value in (Huber(delta=0.5)(np.zeros_like(y), y), Huber(delta=0.5)(y, np.zeros_like(y))):
        np.testing.assert_allclose(ops.convert_to_numpy(value), 0.5 * error, rtol=ROUNDING)


def test_small_errors_are_squared() -> None:
    value = huber(np.zeros((1, 1), "float32"), np.float32([[1e-3]]))
    np.testing.assert_allclose(ops.convert_to_numpy(value), [0.5e-6], rtol=ROUNDING)


def test_nan_stays_nan() -> None:
    assert np.isnan(ops.convert_to_numpy(Huber()(np.zeros((2, 1)), np.float32([[np.nan], [1]]))))


@pytest.mark.parametrize(("true_shape", "pred_shape"), [((7,), (7, 1)), ((7, 1), (7,))])
def test_a_missing_last_axis_does_not_broadcast(true_shape: tuple[int, ...], pred_shape: tuple[int, ...]) -> None:
    y = np.arange(7, dtype="float32")
    np.testing.assert_array_equal(
        ops.convert_to_numpy(huber(y.reshape(true_shape), y.reshape(pred_shape))), np.zeros(7)
    )


def test_integer_targets() -> None:
    np.testing.assert_allclose(ops.convert_to_numpy(huber(np.int64([[3]]), np.float32([[1]]))), [1.5])


@pytest.mark.parametrize("loss", ["exporter>Huber", "exporter>huber", Huber(0.1), huber])
def test_works_in_compile(loss: Any) -> None:
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="zeros")])
    model.compile(loss=loss, optimizer="sgd", jit_compile=False)
    delta = 0.1 if isinstance(loss, Huber) else 1.0
    assert model.evaluate(np.ones((4, 1)), np.full(4, 5.0), verbose=0) == pytest.approx(delta * (5 - delta / 2))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"delta": 0}, ValueError, "Huber: `delta` must be a number greater than 0, not 0"),
        ({"delta": float("inf")}, ValueError, "Huber: `delta` must be a finite number"),
        ({"delta": "1"}, TypeError, "Huber: `delta` must be a number, not '1'"),
        ({"reduction": "average"}, ValueError, "Invalid value for argument `reduction`"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Huber(**arguments)
