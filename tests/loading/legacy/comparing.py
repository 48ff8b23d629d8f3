"""Save a tf-keras model, load the file with `exporter.load`, and compare what both compute."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from exporter.loading import load_with_notes
from exporter.loading.opening import Loaded
from exporter.verification.tolerances import tolerance_for

FORMATS = ("h5", "keras")
SPECIALS = (np.nan, np.inf, -np.inf, 1e30, -1e30, -0.0)


def saved(model: Any, folder: Path, extension: str) -> Path:
    path = folder / f"model.{extension}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tf-keras warns of its own .h5 format
        model.save(path)
    return path


def loaded(model: Any, folder: Path, extension: str, **arguments: Any) -> Loaded:
    return load_with_notes(saved(model, folder, extension), **arguments)


def with_random_weights(model: Any, seed: int = 0) -> Any:
    """Fresh weights hide mistakes: biases are zero, moving variances one."""
    rng = np.random.default_rng(seed)
    for layer in model._flatten_layers():
        if not hasattr(layer, "finalize_state"):  # Normalization has computed with its weights already
            for weight in [w for w in getattr(layer, "weights", ()) if w.dtype.is_floating]:
                weight.assign(rng.uniform(0.05, 0.7, weight.shape))
    return model


def inputs(shape: Sequence[int], dtype: str, seed: int = 0) -> Any:
    """Rows of plain values; of floats also one row for each special value, which stands in it once."""
    rng = np.random.default_rng(seed)
    if dtype == "string":
        return tf.constant([["a b"], ["c d a a"], ["zz"], [""], ["A, b!"]])
    if dtype != "float32":
        return rng.integers(0, 8, (6, *shape)).astype(dtype)
    values = rng.normal(0, 2, (4 + len(SPECIALS), *shape)).astype("float32")
    for row, special in enumerate(SPECIALS, 4):
        values[row].flat[rng.integers(0, values[row].size)] = special
    return values


def assert_same(actual: Any, expected: Any, names: Sequence[str] = (), finite: Sequence[str] = ()) -> None:
    """Same shapes, types, places of NaN and infinities; values within the rounding of another order of sums.

    Args:
        actual: what the loaded model gives.
        expected: what tf-keras gave.
        names: of the outputs.
        finite: outputs of which only rows of finite values are compared.
    """
    ours, theirs = ([np.asarray(value) for value in tf.nest.flatten(values)] for values in (actual, expected))
    assert len(ours) == len(theirs)
    names = names or [f"output {number}" for number in range(len(ours))]
    differences = {
        name: difference
        for name, one, other in zip(names, ours, theirs, strict=True)
        if (difference := _difference(one, other, name in finite))
    }
    assert differences == {}, differences


def _difference(one: np.ndarray, other: np.ndarray, only_finite: bool) -> str:
    if (one.shape, one.dtype) != (other.shape, other.dtype):
        return f"{one.dtype}{one.shape}, not {other.dtype}{other.shape}"
    if one.dtype.kind not in "fV":
        return "" if np.array_equal(one, other) else "other values"
    for number, (row, wanted) in enumerate(zip(np.atleast_1d(one), np.atleast_1d(other), strict=True)):
        finite = np.isfinite(wanted)
        if only_finite and not finite.all():
            continue
        if not np.array_equal(row[~finite], wanted[~finite], equal_nan=True) or not np.isfinite(row[finite]).all():
            return f"row {number}: {row[~finite][:3]}, not {wanted[~finite][:3]}"
        bound = tolerance_for(str(other.dtype), reference="float32").bound(
            0, float(np.max(np.abs(wanted[finite]), initial=0))
        )
        error = float(np.max(np.abs(row[finite].astype("float64") - wanted[finite].astype("float64")), initial=0))
        if error > bound:
            return f"row {number}: {error:.3g} off, allowed {bound:.3g}"
    return ""
