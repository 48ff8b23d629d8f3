"""Seeded inputs of the judge: other ones than the verification has, and more of them."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from benchmarks.verification_study.case import Case
from exporter.spec import TensorInfo

Arrays = dict[str, np.ndarray]
Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]

ROWS = 24
MANY = 160  # rows of one large batch
BUDGET = 2**22  # elements of the inputs of one kind


def _trend(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Return what rises along the first axis of a row, up to 50: it drives states far."""
    steps = np.linspace(0, 1, shape[1]) if len(shape) > 1 else np.zeros(1)
    slopes = rng.uniform(-50, 50, (*shape[:1], *(1 for _ in shape[1:])))
    return np.broadcast_to(slopes * steps.reshape(-1, *(1 for _ in shape[2:])), shape)


# All rows of a kind have one scale, so that one figure can say how far float32 is off.
KINDS: Mapping[str, Draw] = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "small": lambda rng, shape: 0.05 * rng.standard_normal(shape),
    "large": lambda rng, shape: 20 * rng.standard_normal(shape),
    "uniform": lambda rng, shape: rng.uniform(0, 1, shape),
    "pixels": lambda rng, shape: rng.integers(0, 256, shape).astype("float64"),
    "rare": lambda rng, shape: 10 * rng.standard_normal(shape) * (rng.uniform(size=shape) < 0.1),
    "flat": lambda rng, shape: np.broadcast_to(rng.normal(0, 2, (*shape[:1], *(1 for _ in shape[1:]))), shape),
    "trend": _trend,
}


def wide_inputs(case: Case, inputs: Sequence[TensorInfo], most: int = ROWS) -> Iterator[tuple[str, Arrays]]:
    """Yield inputs of each kind at every length, one large batch, and every row of the tables.

    Args:
        case: says what its integers mean and which lengths to try.
        inputs: of the model.
        most: rows of a kind.
    """
    open_sizes = any(None in info.shape[1:] for info in inputs)
    integers = all("int" in info.dtype for info in inputs)
    kinds = ("ids",) if integers else tuple(KINDS)
    for length in case.lengths if open_sizes else (0,):
        for kind in kinds:
            yield f"{kind} {length}".removesuffix(" 0"), drawn(case, inputs, kind, length, most)
    if most >= ROWS:
        yield "many", drawn(case, inputs, "normal", max(case.lengths), MANY)
    if integers:
        yield "every id", _every_id(case, inputs)


def drawn(case: Case, inputs: Sequence[TensorInfo], kind: str, length: int, rows: int) -> Arrays:
    """Return inputs of one kind, in the model's dtypes."""
    return {info.name: _values(case, info, kind, _shape(info, length, rows)) for info in inputs}


def _shape(info: TensorInfo, length: int, rows: int) -> tuple[int, ...]:
    inner = tuple(length if d is None else d for d in info.shape[1:])
    if not info.shape:
        return ()
    affordable = max(2, BUDGET // max(1, int(np.prod(inner))))
    return (info.shape[0] or min(rows, affordable), *inner)


def _values(case: Case, info: TensorInfo, kind: str, shape: tuple[int, ...]) -> np.ndarray:
    rng = np.random.default_rng([zlib.crc32(f"study {case.family} {info.name} {kind}".encode()), *shape])
    if "int" in info.dtype:
        return rng.integers(0, case.ids, shape).astype(info.dtype)
    return np.ascontiguousarray(KINDS.get(kind, KINDS["normal"])(rng, shape)).astype(info.dtype)


def _every_id(case: Case, inputs: Sequence[TensorInfo]) -> Arrays:
    """Return as many rows as it takes to look up every id."""
    arrays = {}
    for info in inputs:
        inner = tuple(max(case.lengths) if d is None else d for d in info.shape[1:])
        rows = -(-case.ids // int(np.prod(inner)))
        arrays[info.name] = (np.arange(rows * int(np.prod(inner))) % case.ids).reshape(rows, *inner).astype(info.dtype)
    return arrays
