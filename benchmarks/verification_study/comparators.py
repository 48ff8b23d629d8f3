"""What others compare with: fixed tolerances, on the same samples and Keras's float32 as the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from benchmarks.verification_study.judge import distance
from exporter.capture.inference import Inference
from exporter.errors import ExporterError
from exporter.formats import Runner
from exporter.verification.batches import fixed_batch, rows_of, run_in_chunks
from exporter.verification.samples import Sample

Close = Callable[[np.ndarray, np.ndarray], bool]
Pair = tuple[np.ndarray, np.ndarray]


def of_scale(tolerance: float) -> Close:
    """Return whether max |a - b| is within `tolerance` of the largest value."""
    return lambda a, b: distance(a, b) <= tolerance * float(np.nanmax(np.abs(_finite(b)), initial=0))


def elementwise(tolerance: float) -> Close:
    """Return what numpy.allclose says, with one number for rtol and atol."""
    return lambda a, b: (
        a.shape == b.shape
        and bool(np.allclose(_numbers(a), _numbers(b), rtol=tolerance, atol=tolerance, equal_nan=True))
    )


# Polygraphy compares with rtol = atol = 1e-5 unless told otherwise. Keras's tests of its exporter compare with the default of
# its `assertAllClose`, 1e-6 for both (SavedModel, ONNX), and with 1e-4 for LiteRT.
COMPARATORS: Mapping[str, Callable[[str], Close]] = {
    **{f"{t:.0e} of scale": lambda form, t=t: of_scale(t) for t in (1e-3, 1e-4, 1e-5, 1e-6)},
    **{f"allclose {t:.0e}": lambda form, t=t: elementwise(t) for t in (1e-3, 1e-4, 1e-6)},
    "Polygraphy": lambda form: elementwise(1e-5),
    "Keras's tests": lambda form: elementwise(1e-4 if form == "tflite" else 1e-6),
}


class Others:
    """The comparators for one model: Keras's outputs for the samples are computed once.

    Args:
        inference: the model.
        samples: those of the verification.
    """

    def __init__(self, inference: Inference, samples: Iterable[Sample]) -> None:
        self._inference = inference
        self._samples = [s for s in samples if rows_of(s.arrays, inference.inputs)]
        self._keras = [inference.predict(s.arrays) for s in self._samples]

    def passes(self, runner: Runner, form: str) -> dict[str, bool]:
        """Return which of them a file passes."""
        try:
            pairs = list(self._pairs(runner))
        except ExporterError:  # it does not run: everybody sees that
            return dict.fromkeys(COMPARATORS, False)
        return {name: all(make(form)(a, b) for a, b in pairs) for name, make in COMPARATORS.items()}

    def _pairs(self, runner: Runner) -> Iterable[Pair]:
        batch, batched = fixed_batch(runner.inputs), [i.name for i in self._inference.inputs if i.shape]
        for sample, keras in zip(self._samples, self._keras, strict=True):
            same = batch is None or rows_of(sample.arrays, self._inference.inputs) == batch
            run = runner.run
            outputs = run(sample.arrays) if same else run_in_chunks(run, sample.arrays, batch or 1, batched)
            yield from ((np.asarray(outputs.get(name, np.nan)), value) for name, value in keras.items())


def _numbers(array: np.ndarray) -> np.ndarray:
    return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)


def _finite(array: np.ndarray) -> np.ndarray:
    numbers = _numbers(array)
    return np.where(np.isfinite(numbers), numbers, 0)
