"""Seeded values of one kind for one input: what a kind means for floats, integers, booleans and strings."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping

import numpy as np

from exporter.capture.auto_names import places
from exporter.capture.inference import Inference
from exporter.verification.domains import Domain, domains

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
IntegerDraw = Callable[[np.random.Generator, tuple[int, ...], int, int], np.ndarray]


def _signals(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Return slow waves along axis 1 about an offset of their own, from 0.1 to 50: what a sensor gives, not standardized."""
    time = _along_axis_1(shape)
    per_series = (*shape[:1], *(1 for _ in shape[1:2]), *shape[2:])
    offset = rng.choice([-1, 1], per_series) * 10 ** rng.uniform(-1, 1.7, per_series)
    swing, turns, phase = (rng.uniform(low, high, per_series) for low, high in ((0.1, 1), (0.5, 3), (0, 2 * np.pi)))
    return offset * (1 + swing * np.sin(turns * 2 * np.pi * time + phase)) + 0.1 * rng.standard_normal(shape)


def _levels(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Return a level along axis 1 that turns into its opposite somewhere: what fills a memory, and then empties it."""
    per_series = (*shape[:1], *(1 for _ in shape[1:2]), *shape[2:])
    level = rng.choice([-1, 1], per_series) * rng.uniform(1, 3, per_series)
    return level * np.where(_along_axis_1(shape) < rng.uniform(0.5, 0.9, per_series), 1, -1)


def _along_axis_1(shape: tuple[int, ...]) -> np.ndarray:
    """Return 0 to 1 along axis 1, in a shape that broadcasts to `shape`."""
    length = shape[1] if len(shape) > 1 else 1
    return np.linspace(0, 1, length).reshape([length if axis == 1 else 1 for axis in range(len(shape))])


EVERY_ROW = "every row"  # of a table: indices that follow one another
OWN_SCALE = "own scale"  # values that the model's own normalization expects; "normal" where it tells nothing

KINDS: Mapping[str, Draw] = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "wide": lambda rng, shape: 3 * rng.standard_normal(shape),
    "uniform": lambda rng, shape: rng.uniform(0, 1, shape),
    "signed": lambda rng, shape: rng.uniform(-1, 1, shape),
    "pixels": lambda rng, shape: rng.uniform(0, 255, shape),
    "scaled": lambda rng, shape: _row_scales(rng, shape) * rng.standard_normal(shape),
    "sparse": lambda rng, shape: 3 * rng.standard_normal(shape) * _few(rng, shape),
    "spikes": lambda rng, shape: 30 * rng.standard_normal(shape) * _few(rng, shape),
    "zeros": lambda rng, shape: np.zeros(shape),
    "ones": lambda rng, shape: np.ones(shape),
    "signals": _signals,
    "levels": _levels,
    EVERY_ROW: lambda rng, shape: rng.standard_normal(shape),
}

# Likewise for integers from low to high - 1.
INTEGER_KINDS: Mapping[str, IntegerDraw] = {
    "uniform": lambda rng, shape, low, high: rng.integers(low, min(low + 2, high), shape),
    "wide": lambda rng, shape, low, high: rng.choice([low, high - 1], shape),
    "scaled": lambda rng, shape, low, high: low + rng.integers(0, _row_limits(rng, shape, high - low), shape),
    "sparse": lambda rng, shape, low, high: np.where(_few(rng, shape), rng.integers(low, high, shape), low),
    "spikes": lambda rng, shape, low, high: np.where(_few(rng, shape), high - 1, low),
    "zeros": lambda rng, shape, low, high: np.full(shape, max(low, min(0, high - 1))),
    "ones": lambda rng, shape, low, high: np.full(shape, high - 1),
    EVERY_ROW: lambda rng, shape, low, high: (
        low + (np.arange(np.prod(shape, dtype=np.int64)) % (high - low)).reshape(shape)
    ),
}
# [low, high) of integers that index nothing, by kind; 8 bits without a sign are taken for pixels.
_RANGES: Mapping[str, tuple[int, int]] = {"signed": (-5, 6), "wide": (0, 100), "pixels": (0, 256)}
_UNKNOWN_WORD = "qzx"


class ValueMaker:
    """Makes values for the inputs of one model.

    Args:
        inference: the model; its lookups decide which integers and strings make sense.
        seed: equal seeds give equal values, for each input on its own, by its name without what Keras counts.
    """

    def __init__(self, inference: Inference, seed: int) -> None:
        self._dtypes = {info.name: info.dtype for info in inference.inputs}
        self._places = dict(zip(self._dtypes, places(list(self._dtypes)), strict=True))
        self._domains = domains(inference)
        self._seed = seed

    @property
    def domains(self) -> Mapping[str, Domain]:
        """Which values each input takes, by its name."""
        return self._domains

    def make(self, kind: str, name: str, shape: tuple[int, ...], smallest: int | None = None) -> np.ndarray:
        """Return values of `kind` (a key of `KINDS`, or `OWN_SCALE`) for the input called `name`, in its dtype.

        Args:
            kind: of the values.
            name: of the input.
            shape: of the values.
            smallest: the smallest dynamic dimension of all inputs: indices of what has such a size stay below it.
        """
        place = self._places[name].removesuffix("#0")
        rng = np.random.default_rng([self._seed, zlib.crc32(f"{kind} {place}".encode()), *shape])
        dtype, domain = self._dtypes[name], self._domains[name].within(smallest)
        if dtype == "string":
            return _strings(kind, rng, shape, domain)
        if dtype == "bool":
            return _booleans(kind, rng, shape)
        if domain.vocabulary or domain.limit is not None or "int" in dtype:
            return _integers(kind, rng, shape, dtype, domain).astype(dtype)
        if kind == OWN_SCALE:
            return domain.placed(rng.standard_normal(shape)).astype(numpy_dtype(dtype))
        return KINDS[kind](rng, shape).astype(numpy_dtype(dtype))


def _row_scales(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Return a factor per row, 0.1 to 30: each weight is seen best by inputs of some scale."""
    return 10 ** rng.uniform(-1, 1.5, (*shape[:1], *(1 for _ in shape[1:])))


def _row_limits(rng: np.random.Generator, shape: tuple[int, ...], count: int) -> np.ndarray:
    """Return per row how many of the smallest `count` integers occur in it: dark and bright images."""
    return np.ceil(count ** rng.uniform(0, 1, (*shape[:1], *(1 for _ in shape[1:])))).astype(np.int64)


def _few(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(size=shape) < 1 / 8


def numpy_dtype(name: str) -> np.dtype:
    """Return NumPy's dtype for TensorFlow's name of it: strings are objects, bfloat16 comes with ml_dtypes."""
    if name == "string":
        return np.dtype(object)
    if name == "bfloat16":
        import ml_dtypes

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(name)


def _booleans(kind: str, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    share = {"zeros": 0.0, "ones": 1.0, EVERY_ROW: 1.0, "wide": 0.9}.get(kind, 0.5)
    return np.asarray(rng.uniform(size=shape) < share)


def _integers(kind: str, rng: np.random.Generator, shape: tuple[int, ...], dtype: str, domain: Domain) -> np.ndarray:
    if domain.vocabulary:
        keys = np.array(domain.vocabulary)
        unknown = [] if domain.closed or kind in ("zeros", "normal") else [keys.max() + 1]
        if kind == EVERY_ROW:
            return np.resize([*keys, *unknown], shape)
        return rng.choice([*keys, *unknown], size=shape)
    low, high = (0, domain.limit) if domain.limit is not None else _RANGES.get(kind, (0, 10))
    if dtype == "uint8" and domain.limit is None:
        low, high = 0, 256
    elif dtype.startswith("uint"):
        low = max(low, 0)
    if kind == EVERY_ROW and domain.limit is None:
        low, high = 1, 2  # a mask that hides nothing
    draw = INTEGER_KINDS.get(kind)
    return rng.integers(low, high, shape) if draw is None else draw(rng, shape, low, high)


def _strings(kind: str, rng: np.random.Generator, shape: tuple[int, ...], domain: Domain) -> np.ndarray:
    """Draw words of the vocabulary; most kinds mix in one that it does not have, "ones" is nothing else."""
    known = [str(word) for word in domain.vocabulary] or ["alpha", "beta", "gamma"]
    unknown = [] if domain.closed else [_UNKNOWN_WORD]
    words = {"zeros": known[:1], "normal": known, "ones": unknown or known[-1:]}.get(kind, [*known, *unknown])
    count = int(np.prod(shape))
    length = 4 if domain.phrases else 1
    drawn = [" ".join(rng.choice(words, size=length)) for _ in range(count)]
    values = np.empty(count, dtype=object)
    values[:] = drawn
    return values.reshape(shape)
