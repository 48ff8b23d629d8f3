"""Gradients in whichever backend Keras runs on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

Array = np.ndarray


def gradients(function: Callable[[Any], Any], x: Array, variables: list[Any]) -> tuple[Array, list[Array]]:
    """The gradients of the scalar `function(x)` by `x` and by each of the Keras variables."""
    of = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[keras.config.backend()]
    by_x, by_variables = of(function, x, variables)
    return keras.ops.convert_to_numpy(by_x), [keras.ops.convert_to_numpy(gradient) for gradient in by_variables]


def _tensorflow(function: Callable[[Any], Any], x: Array, variables: list[Any]) -> tuple[Any, list[Any]]:
    import tensorflow as tf

    tensor = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        result = function(tensor)
    by_x, *by_variables = tape.gradient(result, [tensor, *(variable.value for variable in variables)])
    return by_x, by_variables


def _jax(function: Callable[[Any], Any], x: Array, variables: list[Any]) -> tuple[Any, list[Any]]:
    import jax

    def pure(tensor: Any, values: list[Any]) -> Any:
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
            return function(tensor)

    return jax.grad(pure, argnums=(0, 1))(jax.numpy.asarray(x), [variable.value for variable in variables])


def _torch(function: Callable[[Any], Any], x: Array, variables: list[Any]) -> tuple[Any, list[Any]]:
    import torch

    tensor = torch.tensor(x, requires_grad=True)
    result = function(tensor)
    by_x, *by_variables = torch.autograd.grad(result, [tensor, *(variable.value for variable in variables)])
    return by_x, by_variables
