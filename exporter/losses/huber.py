"""The Huber loss: squared for small errors, linear for large ones."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from exporter.authoring import arguments
from exporter.authoring.registration import serializable


@serializable("huber", by_name_in=keras.losses)
def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """The mean over the last axis of e²/2 where |e| <= δ, and of δ·(|e| - δ/2) where |e| > δ, with e = y_true - y_pred.

    Both branches are one product, c · (|e| - c/2) with c = min(|e|, δ): nothing is squared that is large, so values and
    gradients are right up to the largest float.

    Args:
        y_true: the targets, (..., outputs).
        y_pred: the predictions, of the same shape (or the shapes differ by a last axis of size 1).
        delta: δ, above 0, in the unit of the targets.

    Returns:
        A tensor of shape (...), in the dtype of `y_pred`.

    Reference: Huber, "Robust Estimation of a Location Parameter", https://doi.org/10.1214/aoms/1177703732
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.cast(ops.convert_to_tensor(y_true), y_pred.dtype)
    y_true, y_pred = _same_rank(y_true, y_pred)
    error = ops.abs(y_true - y_pred)
    squared_part = ops.minimum(error, delta)
    return ops.mean(squared_part * (error - 0.5 * squared_part), axis=-1)


@serializable("Huber", by_name_in=keras.losses)
class Huber(keras.losses.Loss):
    """The Huber loss as an object for `compile`; see `exporter.losses.huber` for the formula.

    Args:
        delta: δ, above 0, in the unit of the targets: where the loss turns from squared to linear.
        reduction: how the losses of a batch become one, as in every Keras loss.
        name: the name of the loss.
        dtype: the dtype of the computation; None is `keras.config.floatx()`.

    Raises:
        TypeError: if `delta` is not a number.
        ValueError: if `delta` is not above 0 and finite.
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.delta = arguments.number("Huber", "delta", delta, above=0.0)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of each sample."""
        return huber(y_true, y_pred, self.delta)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {**super().get_config(), "delta": self.delta, "dtype": self.dtype}


def _same_rank(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Add the last axis of size 1 that one of the two lacks; without it (n,) and (n, 1) would broadcast to (n, n)."""
    if len(y_true.shape) + 1 == len(y_pred.shape) and y_pred.shape[-1] == 1:
        return ops.expand_dims(y_true, -1), y_pred
    if len(y_pred.shape) + 1 == len(y_true.shape) and y_true.shape[-1] == 1:
        return y_true, ops.expand_dims(y_pred, -1)
    return y_true, y_pred
