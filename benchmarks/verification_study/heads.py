"""Families that end in what float32 determines badly somewhere: logarithms, angles, branches, ties, chaos."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from benchmarks.verification_study.case import family, settled
from benchmarks.verification_study.images import drawn_activation, normalization

Head = Callable[[Any, np.random.Generator], Any]


def body(rng: np.random.Generator) -> tuple[Any, Any]:
    """Return an input and what a small network makes of it."""
    i = x = keras.Input((int(rng.choice([8, 20, 33])),), name="x")
    for _ in range(int(rng.integers(1, 4))):
        x = layers.Dense(24, activation=drawn_activation(rng))(x)
        x = normalization(rng, ("batch", "layer", "rms"))(x) if rng.random() < 0.5 else x
    return i, x


def with_head(name: str, head: Head) -> None:
    """Enter the family of networks that end in `head`."""

    def build(rng: np.random.Generator) -> Any:
        i, x = body(rng)
        outputs = head(x, rng)
        named = outputs if isinstance(outputs, list) else [outputs]
        return settled(keras.Model(i, [layers.Identity(name=f"out{n}")(o) for n, o in enumerate(named)]), rng)

    build.__name__ = name
    family(period=2 * np.pi if head is _phase else 0.0)(build)


def _sharp(x: Any, rng: np.random.Generator) -> Any:
    return ops.softmax(layers.Dense(10)(x) / float(rng.choice([0.01, 0.03, 0.1])))


def _inverse_sigmoid(x: Any, rng: np.random.Generator) -> Any:
    """Refine boxes as DETR does: the logit of a clipped sigmoid, an offset, sigmoid again."""
    boxes = ops.clip(ops.sigmoid(layers.Dense(4)(x)), 1e-5, 1 - 1e-5)
    logits = ops.log(boxes / (1 - boxes))
    return [logits, ops.sigmoid(logits + layers.Dense(4)(x))]


def _power_spectrum(x: Any, rng: np.random.Generator) -> Any:
    real, imaginary = ops.rfft(layers.Dense(16)(x))
    return ops.log(ops.square(real) + ops.square(imaginary) + float(rng.choice([0, 1e-10, 1e-6])))


def _phase(x: Any, rng: np.random.Generator) -> Any:
    real, imaginary = ops.rfft(layers.Dense(16)(x))
    return ops.arctan2(imaginary, real)


def _by_hand(x: Any, rng: np.random.Generator) -> Any:
    logits = layers.Dense(10)(x) * float(rng.choice([1, 10]))
    shifted = logits - ops.max(logits, -1, keepdims=True)
    return shifted - ops.log(ops.sum(ops.exp(shifted), -1, keepdims=True))


def _chaos(x: Any, rng: np.random.Generator) -> Any:
    """Iterate the logistic map: an ulp grows to everything within 25 steps; with few steps it does not."""
    value = ops.sigmoid(layers.Dense(6)(x))
    for _ in range(int(rng.choice([4, 10, 40]))):
        value = 3.9 * value * (1 - value)
    return value


def _suppressed(x: Any, rng: np.random.Generator) -> Any:
    """Keep what no other box of a higher score covers, as NMS does."""
    scores, left = ops.sigmoid(layers.Dense(6)(x)), layers.Dense(6)(x)
    overlap = ops.abs(left[:, :, None] - left[:, None]) < 0.5
    beaten = ops.any(ops.logical_and(overlap, scores[:, None] > scores[:, :, None]), -1)
    return ops.where(beaten, ops.zeros_like(scores), scores)


def _logit(x: Any, rng: np.random.Generator) -> Any:
    p = layers.Dense(3, activation="sigmoid")(x)
    return ops.log(p) - ops.log(1 - p)


def _entropy(x: Any, rng: np.random.Generator) -> Any:
    p = ops.softmax(layers.Dense(8)(x))
    return -ops.sum(p * ops.log(p + 1e-9), -1)


def _moments(x: Any, rng: np.random.Generator) -> Any:
    mean, variance = ops.moments(x, [-1], keepdims=True)
    return [mean, ops.sqrt(variance), (x - mean) / ops.sqrt(variance + 1e-5)]


HEADS: dict[str, Head] = {
    "sharp_softmax": _sharp,
    "softmax_head": lambda x, rng: layers.Dense(12, activation="softmax")(x),
    "sigmoid_head": lambda x, rng: layers.Dense(5, activation="sigmoid")(layers.Dropout(0.5)(x)),
    "log_head": lambda x, rng: ops.log(ops.abs(layers.Dense(4)(x)) + float(rng.choice([0, 1e-7]))),
    "logit_head": _logit,
    "log_softmax_head": _by_hand,
    "phase_head": _phase,
    "inverse_sigmoid": _inverse_sigmoid,
    "power_spectrum": _power_spectrum,
    "argmax_head": lambda x, rng: [ops.argmax(layers.Dense(7)(x), -1), layers.Dense(3)(x)],
    "top_k_head": lambda x, rng: list(ops.top_k(layers.Dense(9, activation="softmax")(x), 3)),
    "suppressed": _suppressed,
    "chaos": _chaos,
    "moments_head": _moments,
    "cosine": lambda x, rng: layers.Dense(6)(ops.normalize(layers.Dense(12)(x), axis=-1)),
    "inverse_erf": lambda x, rng: ops.erfinv(0.999 * ops.tanh(layers.Dense(4)(x))),
    "inverse_tanh": lambda x, rng: ops.arctanh(0.9999 * ops.tanh(layers.Dense(4)(x))),
    "mixture": lambda x, rng: [ops.softmax(layers.Dense(3)(x)), layers.Dense(3)(x), ops.exp(layers.Dense(3)(x))],
    "entropy": _entropy,
    "sorted_head": lambda x, rng: ops.sort(layers.Dense(8)(x), -1),
    "running_sum": lambda x, rng: ops.cumsum(layers.Dense(16)(x), -1),
    "thresholds": lambda x, rng: ops.cast(layers.Dense(6)(x) > 0.25, "float32"),
    "power_law": lambda x, rng: ops.power(ops.abs(layers.Dense(5)(x)) + 0.1, 2.4),
    "rational": lambda x, rng: layers.Dense(5)(x) / (ops.square(layers.Dense(5)(x)) + 1e-3),
    "angles": lambda x, rng: [ops.sin(8 * layers.Dense(4)(x)), ops.arccos(ops.clip(layers.Dense(4)(x), -1, 1))],
    "clipped": lambda x, rng: ops.clip(layers.Dense(6)(x), -0.5, 2.0) - ops.minimum(layers.Dense(6)(x), 1.0),
}
for _name, _head in HEADS.items():
    with_head(_name, _head)


@family()
def every_activation(rng: np.random.Generator) -> Any:
    """A branch for each of several activations."""
    names = ("celu", "exponential", "glu", "hard_shrink", "hard_tanh", "log_sigmoid", "selu", "soft_shrink", "softsign")
    names += ("sparse_plus", "squareplus", "tanh_shrink", "threshold", "hard_sigmoid", "sparsemax", "log_softmax")
    i = keras.Input((12,), name="x")
    parts = []
    for name in rng.choice(names, 5, replace=False):
        function = keras.activations.get(str(name)) if name != "threshold" else lambda x: ops.threshold(x, 0.2, 0.0)
        parts.append(layers.Dense(4)(function(layers.Dense(8)(i))))
    return settled(keras.Model(i, layers.Concatenate(name="all")(parts)), rng)


@family()
def gelu_exact(rng: np.random.Generator) -> Any:
    i, x = body(rng)
    for _ in range(2):
        x = layers.Dense(16)(keras.activations.gelu(x, approximate=False))
    return settled(keras.Model(i, layers.Dense(4, name="y")(x)), rng)


@family()
def gelu_tanh(rng: np.random.Generator) -> Any:
    i, x = body(rng)
    for _ in range(2):
        x = layers.Dense(16)(keras.activations.gelu(x, approximate=True))
    return settled(keras.Model(i, layers.Dense(4, name="y")(x)), rng)


@family()
def two_towers(rng: np.random.Generator) -> Any:
    a, b = keras.Input((10,), name="query"), keras.Input((14,), name="item")
    x, y = layers.Dense(16, activation=drawn_activation(rng))(a), layers.Dense(16, activation="relu")(b)
    outputs = [layers.Dense(1, name="score")(x * y - ops.maximum(x, y)), layers.Dense(1, name="other")(x - y)]
    return settled(keras.Model([a, b], outputs), rng)


@family()
def normalized_columns(rng: np.random.Generator) -> Any:
    """A table of numbers of very different sizes, normalized by what was learnt of them."""
    i = keras.Input((9,), name="columns")
    norm = layers.Normalization(mean=rng.normal(0, 50, 9).tolist(), variance=rng.lognormal(3, 2, 9).tolist())
    x = layers.Dense(16, activation=drawn_activation(rng))(norm(i))
    return settled(keras.Model(i, layers.Dense(1, name="price")(x)), rng)


@family()
def large_offset(rng: np.random.Generator) -> Any:
    """Cancellation: the difference of two numbers near 1000."""
    i, x = body(rng)
    return settled(keras.Model(i, layers.Rescaling(1.0, name="y")((layers.Dense(4)(x) + 1000.0) - 999.0)), rng)
