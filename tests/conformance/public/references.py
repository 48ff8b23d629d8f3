"""What the public classes compute, written a second time: plain NumPy in float64.

Elementwise functions come with their derivative. The others come with a pullback: from the input, the weights and
the gradient of the output to the gradients of the input and of each weight.
"""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def sigmoid(x: Array) -> Array:
    return np.exp(-np.logaddexp(0, -x))


def swish(x: Array, beta: float = 1.0) -> Array:
    return _product(x, sigmoid(beta * x))


def swish_slope(x: Array, beta: float = 1.0) -> Array:
    gate = sigmoid(beta * x)
    return gate + beta * _product(x, gate * sigmoid(-beta * x))


def mish(x: Array) -> Array:
    return _product(x, np.tanh(np.logaddexp(0, x)))


def mish_slope(x: Array) -> Array:
    softplus = np.logaddexp(0, x)
    return np.tanh(softplus) + _product(x, sigmoid(x) / np.cosh(np.minimum(softplus, 300)) ** 2)


def elish(x: Array) -> Array:
    return np.where(x >= 0, x, np.expm1(np.minimum(x, 0))) * sigmoid(x)


def elish_slope(x: Array) -> Array:
    gate = sigmoid(x)
    negative = np.minimum(x, 0)
    return np.where(x >= 0, swish_slope(x), np.exp(negative) * gate + np.expm1(negative) * gate * sigmoid(-x))


def hard_sigmoid(x: Array, slope: float = 0.2, offset: float = 0.5) -> Array:
    return np.clip(slope * x + offset, 0, 1)


def hard_sigmoid_slope(x: Array, slope: float = 0.2, offset: float = 0.5) -> Array:
    inner = slope * x + offset
    return np.where((inner > 0) & (inner < 1), slope, 0.0)


def hard_swish(x: Array, slope: float = 0.2, offset: float = 0.5) -> Array:
    return _product(x, hard_sigmoid(x, slope, offset))


def hard_swish_slope(x: Array, slope: float = 0.2, offset: float = 0.5) -> Array:
    return hard_sigmoid(x, slope, offset) + _product(x, hard_sigmoid_slope(x, slope, offset))


def huber(error: Array, delta: float = 1.0) -> Array:
    size = np.abs(error)
    return np.where(size <= delta, size * size / 2, delta * (size - delta / 2))


def huber_slope(error: Array, delta: float = 1.0) -> Array:
    return np.clip(error, -delta, delta)


def normalize(x: Array, weights: dict[str, Array], axes: tuple[int, ...], epsilon: float, centred: bool) -> Array:
    """Layer normalization, or RMS normalization where not `centred`."""
    unit, _ = _unit_rows(x, axes, epsilon, centred)
    return unit * weights.get("gamma", 1.0) + weights.get("beta", 0.0)


def normalize_pullback(
    x: Array, weights: dict[str, Array], gradient: Array, axes: tuple[int, ...], epsilon: float, centred: bool
) -> tuple[Array, dict[str, Array]]:
    unit, deviation = _unit_rows(x, axes, epsilon, centred)
    inner = gradient * weights.get("gamma", 1.0)
    mean = inner.mean(axes, keepdims=True) if centred else 0.0
    to_x = (inner - mean - unit * (inner * unit).mean(axes, keepdims=True)) / deviation
    samples = tuple(axis for axis in range(x.ndim) if axis not in axes)
    to_weights = {"gamma": (gradient * unit).sum(samples, keepdims=True), "beta": gradient.sum(samples, keepdims=True)}
    return to_x, {name: to_weights[name] for name in weights}


def linear(x: Array, weights: dict[str, Array]) -> Array:
    return x @ weights["w"] + weights["b"]


def linear_pullback(x: Array, weights: dict[str, Array], gradient: Array) -> tuple[Array, dict[str, Array]]:
    return gradient @ weights["w"].T, {"w": x.T @ gradient, "b": gradient.sum(0)}


def top_k(x: Array, k: int) -> tuple[Array, Array]:
    positions = np.argsort(-x, axis=-1, kind="stable")[..., :k]
    return np.take_along_axis(x, positions, -1), positions


def label_scores(x: Array, threshold: float | None) -> tuple[Array, Array]:
    best = x.max(-1)
    return np.where(best >= (-np.inf if threshold is None else threshold), x.argmax(-1), -1), best


def _product(x: Array, factor: Array) -> Array:
    """x · factor, and 0 where the factor has vanished, even at Inf: the limit of every function here."""
    return np.where(factor == 0, 0.0, x * factor)


def _unit_rows(x: Array, axes: tuple[int, ...], epsilon: float, centred: bool) -> tuple[Array, Array]:
    if centred:
        first = tuple(slice(0, 1) if axis in axes else slice(None) for axis in range(x.ndim))
        x = x - x[first]  # exact for near-constant rows, whose mean float64 rounds too
        x = x - x.mean(axes, keepdims=True)
    deviation = np.sqrt(np.mean(x * x, axes, keepdims=True) + epsilon)
    return x / deviation, deviation
