"""What the conformance tests know of each public object: how to construct it, and what it computes.

To add a class or function, add an entry here; a public object without one fails `test_every_public_object_has_cases`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from exporter import activations, layers, losses
from tests.conformance.public import references
from tests.conformance.public.compare import LEAST, representable
from tests.conformance.public.kinds import Array, Case, Elementwise, Rowwise

# Absolute errors that come with a formula.
# A sum of numbers of about 1 keeps their rounding where the result is smaller.
ROUNDING_OF_ONE = 2.0**-23
# TensorFlow computes elu(x) as exp(x) - 1 near 0 (error 6e-8), and that factor is halved by the sigmoid.
ELU_NEAR_ZERO = 2.0**-24


def _hard_sigmoids(value: Callable[..., Array], slope: Callable[..., Array]) -> list[Elementwise]:
    cases = []
    for incline, offset in ((0.2, 0.5), (1 / 6, 0.5), (0.25, 0.75), (2.0, -1.0)):
        knots = (-offset / incline, (1 - offset) / incline)
        arguments = {"slope": incline, "offset": offset}
        cases.append(Elementwise(value, slope, arguments, knots, absolute=max(map(abs, knots)) * ROUNDING_OF_ONE))
    return cases


def _normalization(centred: bool, axes: tuple[int, ...], shape: tuple[int, ...], **arguments: Any) -> Rowwise:
    options = {"axes": axes, "epsilon": arguments["epsilon"], "centred": centred}

    def spread(x: Array, weights: dict[str, Array]) -> dict[str, Array]:
        row = [x.shape[axis] if axis in _positive(axes, x.ndim) else 1 for axis in range(x.ndim)]
        return {name: np.reshape(weight, row) for name, weight in weights.items()}

    def reference(x: Array, weights: dict[str, Array]) -> tuple[Array, ...]:
        positive = {**options, "axes": _positive(axes, x.ndim)}
        return (references.normalize(x, spread(x, weights), **positive),)

    def pullback(x: Array, weights: dict[str, Array], gradient: Array) -> tuple[Array, dict[str, Array]]:
        positive = {**options, "axes": _positive(axes, x.ndim)}
        to_x, to_weights = references.normalize_pullback(x, spread(x, weights), gradient, **positive)
        return to_x, {name: to_weights[name].reshape(weights[name].shape) for name in weights}

    # The layer scales its input by 2^-8; what counts as zero then is divided by a deviation of sqrt(ε).
    return Rowwise(reference, pullback, shape, arguments, absolute=2**9 * LEAST / math.sqrt(arguments["epsilon"]))


def _positive(axes: tuple[int, ...], rank: int) -> tuple[int, ...]:
    return tuple(sorted(axis % rank for axis in axes))


def _image_normalize(dtype: str = "float32", **arguments: Any) -> Rowwise:
    scale, mean, std = (np.asarray(arguments.get(name, default)) for name, default in _IMAGE_DEFAULTS.items())
    channels_first = arguments["data_format"] == "channels_first"

    def channels(values: Array, x: Array) -> Array:
        return values.reshape(-1, *[1] * (x.ndim - 2)) if channels_first and values.ndim else values

    def reference(x: Array, weights: dict[str, Array]) -> tuple[Array, ...]:
        assert not weights
        return ((scale * x - channels(mean, x)) / channels(std, x),)

    def pullback(x: Array, weights: dict[str, Array], gradient: Array) -> tuple[Array, dict[str, Array]]:
        return gradient * (scale / channels(std, x)), weights

    shape = (5, 6) if dtype == "float32" else (2, 4)
    return Rowwise(reference, pullback if dtype == "float32" else None, shape, arguments, dtype=dtype)


_IMAGE_DEFAULTS = {"scale": 1 / 255, "mean": 0.0, "std": 1.0}


def _top_k(k: int) -> Rowwise:
    def pullback(x: Array, weights: dict[str, Array], gradient: Array) -> tuple[Array, dict[str, Array]]:
        to_x = np.zeros_like(x)
        np.put_along_axis(to_x, references.top_k(x, k)[1], gradient, -1)
        return to_x, weights

    return Rowwise(lambda x, weights: references.top_k(x, k), pullback, arguments={"k": k}, sorts=True)


def _label_scores(threshold: float | None) -> Rowwise:
    def pullback(x: Array, weights: dict[str, Array], gradient: Array) -> tuple[Array, dict[str, Array]]:
        return (np.arange(x.shape[-1]) == x.argmax(-1)[..., None]) * gradient[..., None], weights

    return Rowwise(
        lambda x, weights: references.label_scores(x, threshold),
        pullback,
        arguments={"threshold": threshold},
        sorts=True,
        float_output=1,
    )


def _tripled() -> dict[str, Any]:
    """The graph of 3·x, for any shape."""
    return {
        "version": 1,
        "inputs": {"input": 0},
        "specs": [{"shape": None, "dtype": None}],
        "constants": {"three": {"dtype": None, "shape": [], "values": [3.0]}},
        "nodes": [{"op": "multiply", "args": [], "kwargs": {"x1": {"constant": "three"}, "x2": {"input": 0}}}],
        "outputs": {"node": [0, 0]},
    }


_SWISH = [Elementwise(references.swish, references.swish_slope, {"beta": beta}) for beta in (1.0, 1.702, -0.5, 0.0)]
_MISH = [Elementwise(references.mish, references.mish_slope)]
_ELISH = [Elementwise(references.elish, references.elish_slope, absolute=ELU_NEAR_ZERO)]
_HARD_SIGMOID = _hard_sigmoids(references.hard_sigmoid, references.hard_sigmoid_slope)
_HARD_SWISH = _hard_sigmoids(references.hard_swish, references.hard_swish_slope)

FUNCTIONS: dict[Callable[..., Any], list[Elementwise]] = {
    activations.elish: _ELISH,
    activations.hard_sigmoid: _HARD_SIGMOID,
    activations.hard_swish: _HARD_SWISH,
    activations.mish: _MISH,
    activations.swish: _SWISH,
}

LAYERS: dict[type, list[Case]] = {
    layers.ELiSH: _ELISH,
    layers.HardSigmoid: _HARD_SIGMOID,
    layers.HardSwish: _HARD_SWISH,
    layers.Mish: _MISH,
    layers.Swish: _SWISH,
    layers.LayerNormalization: [
        _normalization(True, (-1,), (12,), epsilon=1e-3),
        _normalization(True, (-1,), (12,), epsilon=1e-12, center=False),
        _normalization(True, (-1, -2), (3, 4), axis=[-1, -2], epsilon=1e-5, scale=False),
        _normalization(True, (1,), (12,), axis=1, epsilon=1e-3),
    ],
    layers.RMSNormalization: [
        _normalization(False, (-1,), (12,), epsilon=1e-6),
        _normalization(False, (1, 2), (3, 4), axis=[2, 1], epsilon=1e-6),
        _normalization(False, (-1,), (12,), epsilon=1e-3, scale=False),
    ],
    layers.Linear: [
        Rowwise(lambda x, weights: (references.linear(x, weights),), references.linear_pullback, arguments={"units": 4})
    ],
    layers.ImageNormalize: [
        _image_normalize(data_format="channels_last"),
        _image_normalize(
            mean=[0.485, 0.456, 0.406, 0.0, 1.0, -1.0],
            std=[0.229, 0.224, 0.225, 1.0, 2.0, 3.0],
            data_format="channels_last",
        ),
        _image_normalize(scale=1.0, mean=[1.0, 2, 3, 4, 5], std=2.0, data_format="channels_first"),
        _image_normalize("uint8", mean=0.5, std=0.25, data_format="channels_last"),
    ],
    layers.TopK: [_top_k(1), _top_k(4)],
    layers.LabelScores: [_label_scores(None), _label_scores(0.5)],
    layers.Expression: [Elementwise(lambda x, fn: 3 * x, lambda x, fn: np.full_like(x, 3), {"fn": _tripled()})],
}

LOSSES: dict[Any, list[dict[str, Any]]] = {
    losses.Huber: [{"delta": 1.0}, {"delta": 0.1}, {"delta": 20.0}],
    losses.huber: [{"delta": 1.0}, {"delta": 0.1}, {"delta": 20.0}],
}


def layer_cases() -> list[tuple[str, type, Case]]:
    """(name of the test, class, case) of every layer."""
    return [
        (f"{cls.__name__}-{_text(case.arguments)}-{case.dtype}", cls, case)
        for cls, cases in LAYERS.items()
        for case in cases
    ]


def build(cls: type, case: Case, like: Array, **options: Any) -> Any:
    """The layer of a case, built for inputs like `like`, with random weights instead of ones and zeros."""
    layer = cls(**case.arguments, **options)
    layer.build(like.shape)
    generator = np.random.default_rng(3)
    layer.set_weights([generator.uniform(0.5, 1.5, weight.shape).astype("float32") for weight in layer.weights])
    return layer


def weights_of(layer: Any) -> dict[str, Array]:
    """The weights by name, in float64."""
    return {
        weight.name: value.astype("float64") for weight, value in zip(layer.weights, layer.get_weights(), strict=True)
    }


def expected_outputs(case: Case, layer: Any, x: np.ndarray) -> tuple[np.ndarray, ...]:
    """The outputs in float64, as far as float32 can represent them; `layer` is None for a function."""
    weights = weights_of(layer) if layer is not None else {}
    with np.errstate(invalid="ignore", over="ignore"):  # Inf - Inf is NaN in the reference too
        outputs = case.expected(x.astype("float64"), weights)
        return tuple(output if output.dtype == np.int64 else representable(output) for output in outputs)


def _text(arguments: dict[str, Any]) -> str:
    return ",".join(f"{name}={_short(value)}" for name, value in arguments.items())


@functools.singledispatch
def _short(value: Any) -> str:
    return str(value).replace(" ", "")


@_short.register
def _(value: float) -> str:
    return f"{value:.3g}"


@_short.register
def _(value: dict) -> str:  # type: ignore[type-arg]
    return "graph"
