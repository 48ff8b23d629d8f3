"""Whether a graph, or a rewritten model, computes what the Lambda, or the model, computed: on seeded samples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from exporter.errors import ParityError
from exporter.expressions import Graph, Refusal
from exporter.expressions.graph import numpy_dtype
from exporter.lambdas.conversion import cast_inputs

_SIZES = ((1, 5), (3, 8))  # of unknown dimensions: the batch, and the others
_EXTREMES = (np.nan, np.inf, -np.inf, 1e30, -1e30, -0.0)


def prove(layer: Any, graph: Graph, inputs: Any) -> None:
    """Compare a graph with the Lambda on values of several kinds, not-a-number and infinities among them.

    Args:
        layer: the Lambda.
        graph: what is to stand in its place.
        inputs: the symbolic tensors it is called on.

    Raises:
        Refusal: if they differ by more than rounding, or if the Lambda fails on every sample.
    """
    compared, failure = 0, None
    for case, arrays in _samples(inputs):
        tensors = keras.tree.pack_sequence_as(inputs, [keras.ops.convert_to_tensor(array) for array in arrays])
        try:
            expected = layer(tensors)
            repeated = layer(tensors)
        except Exception as error:  # a user's function, on values that may not suit it
            failure = error
            continue
        _require_same(repeated, expected, case, "it computes something else each time")
        actual = graph.run(cast_inputs(layer, tensors), layer.compute_dtype)
        _require_same(actual, expected, case, "written with keras.ops it computes something else")
        compared += 1
    if not compared:
        raise Refusal(f"it fails on every sample ({failure})", "give the model inputs that it can compute")


def prove_model(model: Any, original: Any) -> None:
    """Compare two models on samples; on none where the original itself gives other results each time.

    Raises:
        ParityError: if an output differs by more than rounding.
    """
    from exporter.capture.inference import Inference
    from exporter.verification.compare import compare
    from exporter.verification.samples import make_samples

    one, other = Inference(original), Inference(model)
    for sample in make_samples(one)[:4]:
        expected, again = one.predict(sample.arrays), one.predict(sample.arrays)
        if not all(parity.ok for parity in compare(again, None, expected, sample.name)):
            continue
        for parity in compare(other.predict(sample.arrays), None, expected, sample.name):
            if not parity.ok:
                raise ParityError(
                    "the model without Lambda layers computes something else",
                    where=f"output {parity.output}, {parity.case}",
                    reason=parity.note or f"{parity.error:.3g} off, allowed {parity.tolerance:.3g}",
                    remedy="please report it; the model was left as it is",
                )


def _samples(inputs: Any) -> Iterator[tuple[str, list[np.ndarray]]]:
    symbols = keras.tree.flatten(inputs)
    for number, (batch, free) in enumerate(_SIZES):
        rng = np.random.default_rng(number)
        shapes = [tuple(s or (free if axis else batch) for axis, s in enumerate(t.shape)) for t in symbols]
        yield f"normal, batch {batch}", [_values(rng, s, t.dtype) for s, t in zip(shapes, symbols, strict=True)]
        yield f"positive, batch {batch}", [abs(_values(rng, s, t.dtype)) for s, t in zip(shapes, symbols, strict=True)]
    for extreme in _EXTREMES:
        yield f"with {extreme}", [_planted(rng, s, t.dtype, extreme) for s, t in zip(shapes, symbols, strict=True)]
    yield "zeros", [np.zeros(s, numpy_dtype(t.dtype)) for s, t in zip(shapes, symbols, strict=True)]


def _values(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    if dtype == "bool":
        return rng.uniform(size=shape) < 0.5
    if "int" in dtype:
        return rng.integers(0, 4, shape).astype(dtype)
    return np.asarray(3 * rng.standard_normal(shape)).astype(numpy_dtype(dtype))


def _planted(rng: np.random.Generator, shape: tuple[int, ...], dtype: str, extreme: float) -> np.ndarray:
    values = _values(rng, shape, dtype)
    if values.size and "float" in dtype:
        with np.errstate(over="ignore"):
            values.flat[rng.integers(0, values.size)] = np.asarray(extreme).astype(values.dtype)
    return values


def _require_same(actual: Any, expected: Any, case: str, otherwise: str) -> None:
    from exporter.verification.compare import compare

    results, wanted = _named(actual), _named(expected)
    for parity in compare(results, None, wanted, case):
        if not parity.ok:
            difference = parity.note or f"{parity.error:.3g} off, allowed {parity.tolerance:.3g}"
            raise Refusal(f"{otherwise} ({case}: {difference})", "write it with keras.ops functions")


def _named(outputs: Any) -> dict[str, np.ndarray]:
    return {str(n): np.asarray(keras.ops.convert_to_numpy(t)) for n, t in enumerate(keras.tree.flatten(outputs))}
