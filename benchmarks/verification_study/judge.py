"""What is right, and what is a fault that can be seen: independent of the rule that is measured.

Keras computes a model in float32 in several ways that are all its own: a batch at once, row by row, in another order of
rows, with inputs moved by half an ulp, compiled by XLA. The largest distance of any of them from the same graph in
float64 is the *noise* of an output on inputs of a kind. A file of ours is right if it is at most `RIGHT` times the noise away
on every kind; else it is doubtful, for a human to look at. A fault can be seen if it moves an output by more than `SEEN`
times the noise on some kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.verification_study.case import Case
from benchmarks.verification_study.inputs import Arrays, wide_inputs
from exporter.capture.inference import Inference
from exporter.formats import Runner
from exporter.verification.batches import fixed_batch, run_in_chunks
from exporter.verification.double import Double

RIGHT = 4.0
SEEN = 10.0
FLOOR = 4  # ulps of the scale: the noise is never taken for less than one, a right file may be this far off
SINGLE = 6  # rows that are also run one by one
EPS = {"float16": 2.0**-10, "bfloat16": 2.0**-7}


@dataclass
class Known:
    """What is known of one kind of inputs: the truth and the noise of each output."""

    kind: str
    arrays: Arrays
    truth: dict[str, np.ndarray]
    keras: dict[str, np.ndarray]
    noise: dict[str, float]
    scale: dict[str, float]


class Judge:
    """Decides for one model.

    Args:
        case: the model's case.
        inference: the model.
        rows: of each kind of inputs.
    """

    def __init__(self, case: Case, inference: Inference, rows: int) -> None:
        self._inference, self._period = inference, case.period
        self._double = Double(inference)
        self._compiled: Callable[..., Any] | None = None
        self._asked: set[str] = set()
        self.known = [self._known(kind, a) for kind, a in wide_inputs(case, inference.inputs, rows) if self._runs(a)]

    def excess(self, outputs: Mapping[str, Mapping[str, np.ndarray]]) -> float:
        """Return how many times the noise a file is away from the truth, at worst; XLA is asked where it looks wrong.

        Args:
            outputs: what the file computes, by kind and output.
        """
        worst = 0.0
        for known in self.known:
            ratio = self._ratio(known, outputs[known.kind])
            if ratio > RIGHT and known.kind not in self._asked:
                self._ask_xla(known)
                ratio = self._ratio(known, outputs[known.kind])
            worst = max(worst, ratio)
        return worst

    def visible(
        self, right: Mapping[str, Mapping[str, np.ndarray]], faulty: Mapping[str, Mapping[str, np.ndarray]]
    ) -> float:
        """Return how many times the noise a faulty file is away from the right one, at the kind that shows it best."""
        return max(
            _times(distance(faulty[k.kind].get(name), right[k.kind][name], self._period), noise)
            for k in self.known
            for name, noise in k.noise.items()
        )

    def _ratio(self, known: Known, outputs: Mapping[str, np.ndarray]) -> float:
        return max(
            _times(
                distance(outputs.get(name), truth, self._period),
                max(known.noise[name], FLOOR / RIGHT * self._ulp(known, name)),
            )
            for name, truth in known.truth.items()
        )

    def _ulp(self, known: Known, name: str) -> float:
        return EPS.get(known.keras[name].dtype.name, 2.0**-23) * known.scale[name] + 1e-37

    def _runs(self, arrays: Arrays) -> bool:
        """Whether Keras itself computes these inputs."""
        import tensorflow as tf

        try:
            self._inference.predict(arrays)
        except (ValueError, tf.errors.OpError):
            return False
        return True

    def _known(self, kind: str, arrays: Arrays) -> Known:
        keras = self._inference.predict(arrays)
        truth = self._truth(arrays) or keras
        known = Known(kind, arrays, truth, keras, {}, {n: _scale(t) for n, t in truth.items()})
        known.noise = {name: self._ulp(known, name) for name in truth}
        for index, outputs in self._evaluations(arrays, keras):
            self._learn(known, outputs, index)
        return known

    def _learn(self, known: Known, outputs: Mapping[str, np.ndarray], index: np.ndarray | None) -> None:
        """Raise the noise to how far one more evaluation is from the truth, on some of the rows.

        Where an integer or the place of a NaN differs, float32 does not determine the output: the noise is infinite.
        """
        for name, truth in known.truth.items():
            part = truth if index is None or truth.shape[:1] != _rows(known.arrays) else truth[index]
            known.noise[name] = max(known.noise[name], distance(outputs[name], part, self._period))

    def _truth(self, arrays: Arrays) -> dict[str, np.ndarray] | None:
        import tensorflow as tf

        while self._double.available:
            try:
                return self._double.run(arrays)
            except tf.errors.OpError as error:
                self._double.retry(error)
        return None

    def _evaluations(self, arrays: Arrays, keras: Mapping[str, np.ndarray]) -> Iterator[tuple[Any, Any]]:
        """Yield what Keras computes in other ways, with the rows that each covers (None: all)."""
        yield None, keras
        for sign in (1, -1):
            yield None, self._inference.predict({n: _moved(a, sign) for n, a in arrays.items()})
        rows = min((a.shape[0] for a in arrays.values() if a.ndim), default=0)
        if fixed_batch(self._inference.inputs) is not None or len({a.shape[0] for a in arrays.values()}) != 1:
            return
        backwards = np.arange(rows)[::-1]
        yield backwards, self._inference.predict({n: a[backwards] for n, a in arrays.items()})
        for row in range(min(rows, SINGLE)):
            index = np.arange(row, row + 1)
            yield index, self._inference.predict({n: a[index] for n, a in arrays.items()})

    def _ask_xla(self, known: Known) -> None:
        """Learn from XLA's order of summation too; it takes a second, so it is asked only where a file looks wrong."""
        import tensorflow as tf

        self._asked.add(known.kind)
        if self._compiled is None:
            self._compiled = tf.function(self._inference.concrete(), autograph=False, jit_compile=True)
        try:
            tensors = [tf.constant(known.arrays[i.name], dtype=i.dtype) for i in self._inference.inputs]
            outputs = [t.numpy() for t in self._compiled(*tensors)]
        except (ValueError, tf.errors.OpError):  # ops that XLA does not have
            return
        self._learn(known, dict(zip((o.name for o in self._inference.outputs), outputs, strict=True)), None)


def run_all(runner: Runner, judge: Judge, inference: Inference) -> dict[str, dict[str, np.ndarray]]:
    """Run a file on all inputs of the judge, as many rows at a time as it takes."""
    batch, batched = fixed_batch(runner.inputs), [i.name for i in inference.inputs if i.shape]
    results = {}
    for known in judge.known:
        if batch is None or known.arrays[batched[0]].shape[0] == batch:
            results[known.kind] = runner.run(known.arrays)
        else:
            results[known.kind] = run_in_chunks(runner.run, known.arrays, batch, batched)
    return results


def _times(far: float, noise: float) -> float:
    """Return how many times the noise something is; nothing is, where the noise knows no bound."""
    return far / noise if np.isfinite(noise) else 0.0


def distance(value: np.ndarray | None, reference: np.ndarray, period: float = 0.0) -> float:
    """Return max |value - reference|; infinite where shapes or the places of NaN and Inf differ, or an exact value does."""
    if value is None or value.shape != reference.shape:
        return np.inf
    if reference.dtype.kind not in "fcV":
        return 0.0 if np.array_equal(value, reference) else np.inf
    given, wanted = _wide(value), _wide(reference)
    finite = np.isfinite(wanted)
    if not np.array_equal(finite, np.isfinite(given)) or not np.array_equal(np.isnan(wanted), np.isnan(given)):
        return np.inf
    differences = np.abs(np.where(finite, given, 0) - np.where(finite, wanted, 0))
    if period:
        differences = np.minimum(differences, np.abs(period - differences))
    return float(differences.max(initial=0))


def _wide(array: np.ndarray) -> np.ndarray:
    return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)


def _scale(array: np.ndarray) -> float:
    if array.dtype.kind not in "fcV":
        return 0.0
    wide = _wide(array)
    return float(np.abs(np.where(np.isfinite(wide), wide, 0)).max(initial=0))


def _moved(array: np.ndarray, sign: int) -> np.ndarray:
    """Return floats moved by half an ulp or so, up and down in turn: as good inputs as they were."""
    if array.dtype.kind != "f":
        return array
    signs = sign * (1 - 2 * (np.arange(array.size) % 2)).reshape(array.shape)
    return (array * (1 + signs * 2.0**-24 * 1.01)).astype(array.dtype)


def _rows(arrays: Arrays) -> tuple[int]:
    return (next(iter(arrays.values())).shape[0],)
