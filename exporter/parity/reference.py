"""The truth that files are compared with: Keras itself, and the same graph and weights in float64."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from exporter.freeze import Inference
from exporter.parity.batches import batched, fixed_batch, in_step, rows_of, run_in_chunks
from exporter.parity.compare import compare_expected
from exporter.parity.domains import domains
from exporter.parity.double import Double
from exporter.parity.expectation import Expectation, expect_all
from exporter.parity.plan import BUDGET, cost_of_row
from exporter.parity.rounding import copies_needed, jittered
from exporter.parity.samples import Sample
from exporter.parity.softmax import softmax_outputs
from exporter.parity.state import ModelState
from exporter.parity.sway import Sway
from exporter.spec import TensorInfo

Arrays = Mapping[str, np.ndarray]


class Expectations(Protocol):
    """What `verify_artifact` compares with: a `Reference`, or what was saved of one."""

    @property
    def kind(self) -> str:
        """What outputs are compared with: "float64" or "float32" (Keras itself)."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What is less exact than it could be, and why."""
        ...

    @property
    def inputs(self) -> tuple[TensorInfo, ...]:
        """The model's inputs."""
        ...

    @property
    def outputs(self) -> tuple[TensorInfo, ...]:
        """The model's outputs."""
        ...

    @property
    def stateful(self) -> bool:
        """Whether a call changes what the next one gives."""
        ...

    def expect(self, sample: Sample) -> tuple[Expectation, ...]:
        """Return what each output should be for `sample`."""
        ...

    def reconsider(self, sample: Sample) -> tuple[Expectation, ...]:
        """Return the same, for a file that is beyond the tolerance: with `Expectation.sway`, if it can be known."""
        ...


class Reference:
    """Keras in its own precision and in float64, computed once per sample.

    The samples of a stateful model are taken for consecutive calls, the first one on the state that the model has now;
    its variables are put back after each.

    Args:
        inference: the model.

    Attributes:
        inputs: the model's inputs.
        outputs: the model's outputs.
        stateful: whether a call changes the model's variables.
    """

    def __init__(self, inference: Inference) -> None:
        self._inference = inference
        self._double = Double(inference)
        self._state = ModelState(inference.concrete())
        self._expectations: dict[str, tuple[Sample, tuple[Expectation, ...]]] = {}
        self._cost = cost_of_row((i.shape for i in inference.inputs), inference.model)
        self._indices = frozenset(name for name, domain in domains(inference).items() if domain.limit is not None)
        self._softmax = softmax_outputs(inference)
        self._sway: Sway | None = None
        self.inputs = inference.inputs
        self.outputs = inference.outputs
        self.stateful = self._state.changes

    @property
    def kind(self) -> str:
        """What outputs are compared with: "float64" or "float32" (Keras itself)."""
        return "float64" if self._double.available else "float32"

    @property
    def notes(self) -> tuple[str, ...]:
        """What is less exact than it could be, and why."""
        return self._double.notes

    def expect(self, sample: Sample) -> tuple[Expectation, ...]:
        """Return what each output should be for `sample`, with the tolerance; cached by the sample's name."""
        cached = self._expectations.get(sample.name)
        if cached is None or cached[0] is not sample:
            cached = (sample, self._computed(sample.arrays))
            self._expectations[sample.name] = cached
        return cached[1]

    def reconsider(self, sample: Sample) -> tuple[Expectation, ...]:
        """Return what each output should be, and how far float32 takes each element; kept for later files."""
        import tensorflow as tf

        expected = self.expect(sample)
        if not self._double.available or self.stateful or expected[0].sway is not None:
            return expected
        try:
            if self._sway is None:
                self._sway = Sway(self._inference)
            sways = self._sway.of(sample.arrays, self._in_double(sample.arrays))
        except tf.errors.OpError:  # channels first, dilation: XLA alone has such kernels in double
            return expected
        expected = tuple(replace(e, sway=sways.get(e.output)) for e in expected)
        self._expectations[sample.name] = sample, expected
        return expected

    def mixes_rows(self, sample: Sample, size: int) -> bool:
        """Whether Keras itself fails on `size` rows at a time, or computes something else than on all at once."""
        import tensorflow as tf

        try:
            with self._state.used():
                portions = run_in_chunks(self._inference.predict, sample.arrays, size, sorted(self._batched))
        except (ValueError, tf.errors.OpError):
            return True
        return not all(result.ok for result in compare_expected(portions, self.expect(sample), sample.name))

    def _computed(self, arrays: Arrays) -> tuple[Expectation, ...]:
        double = self._tried_in_double(arrays)
        keras = self._in_keras(arrays, advance=True)
        if double is None:
            return expect_all(keras, None)
        return expect_all(keras, double, self._nearby(arrays, keras), self._softmax)

    def _tried_in_double(self, arrays: Arrays) -> dict[str, np.ndarray] | None:
        """Run in float64; None where that cannot be, and then Keras is the reference for what came before, too."""
        import tensorflow as tf

        if not self._double.available:
            return None
        try:
            return self._in_double(arrays)
        except tf.errors.OpError as error:
            if self._double.retry(error):
                return self._tried_in_double(arrays)
        for name, (sample, expected) in self._expectations.items():
            self._expectations[name] = sample, expect_all({e.output: e.keras for e in expected}, None)
        return None

    def _nearby(self, arrays: Arrays, outputs: Arrays) -> tuple[Arrays, Arrays] | None:
        """Return what Keras and float64 make of jittered copies of the inputs, if they are needed; see `rounding`."""
        import tensorflow as tf

        rows = max(1, rows_of(arrays, self.inputs))
        copies = min(copies_needed(outputs), max(1, BUDGET // (self._cost * rows)))
        if copies < 1 or self.stateful or not rows_of(arrays, self.inputs) or not self._in_step:
            return None
        copied = jittered(arrays, copies, self._batched, self._indices)
        try:
            return self._in_keras(copied), self._in_double(copied)
        except tf.errors.OpError:  # an assertion in the model, which the original values satisfy
            return None

    def _in_keras(self, arrays: Arrays, advance: bool = False) -> dict[str, np.ndarray]:
        with self._state.used(advance=advance):
            return self._in_chunks(self._inference.predict, arrays)

    def _in_double(self, arrays: Arrays) -> dict[str, np.ndarray]:
        with self._state.used():
            return self._in_chunks(self._double.run, arrays)

    @property
    def _batched(self) -> frozenset[str]:
        return frozenset(batched(self.inputs))

    @property
    def _in_step(self) -> bool:
        """Whether all inputs can have the same number of rows, so that each copy of a row is a row."""
        return len({i.shape[0] for i in self.inputs if i.shape} - {None}) <= 1

    def _in_chunks(self, run: Any, arrays: Arrays) -> dict[str, np.ndarray]:
        """Run in portions that the model takes and the memory holds."""
        fixed, rows = fixed_batch(self.inputs), rows_of(arrays, self.inputs)
        size = fixed or max(1, BUDGET // self._cost)
        per_row = all(o.shape and o.shape[0] in (None, fixed) for o in self.outputs)
        together = fixed is None and (rows <= size or not per_row)
        if rows == fixed or not rows or together or not in_step(arrays, self.inputs):
            return run(arrays)
        return run_in_chunks(run, arrays, size, sorted(self._batched))
