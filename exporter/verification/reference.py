"""The truth that files are compared with: Keras itself, and the same graph and weights in float64."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from exporter.capture.inference import Inference
from exporter.capture.state import ModelState
from exporter.spec import TensorInfo
from exporter.tfgraph.precision import dtypes_of, effective
from exporter.verification.batches import batched, fixed_batch, in_step, rows_of, run_in_chunks
from exporter.verification.compare import compare_expected
from exporter.verification.double import Double
from exporter.verification.expectation import Expectation, expect_all
from exporter.verification.plan import BUDGET, cost_of_row
from exporter.verification.sample_draws import Computed, SampleDraws
from exporter.verification.samples import Sample
from exporter.verification.softmax import softmax_outputs

Arrays = Mapping[str, np.ndarray]
Arithmetic = Mapping[str, str]
NATIVE: Arithmetic = MappingProxyType({})  # a file that computes in Keras's own dtypes

Key = tuple[tuple[str, str], ...]
NONE, FEW, MANY = range(
    3
)  # draws that expectations follow from: Keras alone, as most files need no more; then a few; then many
STAGES = 2  # times that a file's bounds can be reconsidered


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

    @property
    def dtypes(self) -> Collection[str]:
        """The dtypes that occur in the model."""
        ...

    def expect(self, sample: Sample, arithmetic: Arithmetic = NATIVE) -> tuple[Expectation, ...]:
        """Return what each output should be for `sample`, in a file that computes in `arithmetic`."""
        ...

    def known(self, sample: Sample) -> Mapping[Key, tuple[Expectation, ...]]:
        """Return what is known of `sample`, by what the arithmetic of a file changes in the model."""
        ...

    def reconsider(self, sample: Sample, arithmetic: Arithmetic = NATIVE) -> tuple[Expectation, ...]:
        """Return the same, for a file that is beyond the bounds: measured on more draws, if there can be more."""
        ...

    def depends_across_rows(self, sample: Sample, size: int) -> bool:
        """Whether Keras computes something else on `size` rows at a time than on all at once."""
        ...


class Reference:
    """Keras in its own precision and in float64, computed once per sample, and draws of what rounding makes of it.

    The samples of a stateful model are taken for consecutive calls, the first one on the state that the model has now;
    its variables are put back after each.

    Args:
        inference: the model.
        stated: a tolerance that the user has stated, relative to the scale of each output, in place of the measured one.
        batch: the rows of each call; None: as many as there are.

    Attributes:
        inputs: the model's inputs.
        outputs: the model's outputs.
        stateful: whether a call changes the model's variables.
        dtypes: those that occur in the model.
    """

    def __init__(self, inference: Inference, stated: float | None = None, batch: int | None = None) -> None:
        self._inference = inference
        self._batch = batch
        self._stated = stated
        self._double = Double(inference)
        self._state = ModelState(inference.concrete())
        self._computed: dict[str, Computed] = {}
        self._expected: dict[str, dict[Key, tuple[int, tuple[Expectation, ...]]]] = {}
        self._prepared: tuple[Computed, ...] = ()
        self._cost = cost_of_row((i.shape for i in inference.inputs), inference.model)
        self._softmax = softmax_outputs(inference)
        self._draws: dict[Key, SampleDraws] = {}
        self.inputs = inference.inputs
        self.outputs = inference.outputs
        self.stateful = self._state.changes
        self.dtypes = dtypes_of(inference.concrete())

    @property
    def kind(self) -> str:
        """What outputs are compared with: "float64" or "float32" (Keras itself)."""
        return "float64" if self._double.available else "float32"

    @property
    def notes(self) -> tuple[str, ...]:
        """What is less exact than it could be, and why."""
        stated = () if self._stated is None else (f"the tolerance is stated by you: {self._stated:g} of the scale",)
        return (*self._double.notes, *stated, *(note for draws in self._draws.values() for note in draws.notes))

    def expect(self, sample: Sample, arithmetic: Arithmetic = NATIVE) -> tuple[Expectation, ...]:
        """Return what each output should be for `sample`, with its bounds; cached by the sample's name."""
        key = effective(arithmetic, self.dtypes)  # files that compute the model alike share their draws
        return self._measured(sample, key, FEW if key else NONE)

    def reconsider(self, sample: Sample, arithmetic: Arithmetic = NATIVE) -> tuple[Expectation, ...]:
        """Return the same after more draws: a few at first, then many; kept for later files."""
        key = effective(arithmetic, self.dtypes)
        return self._measured(sample, key, FEW if self._level(sample, key) < FEW else MANY)

    def known(self, sample: Sample) -> Mapping[Key, tuple[Expectation, ...]]:
        """Return the expectations in every arithmetic that was asked for, and in Keras's own, after a few draws at least."""
        self._compute(sample)
        keys = dict.fromkeys([(), *self._expected[sample.name]])
        return {key: self._measured(sample, key, FEW) for key in keys}

    def depends_across_rows(self, sample: Sample, size: int) -> bool:
        """Whether Keras itself fails on `size` rows at a time, or computes something else than on all at once."""
        import tensorflow as tf

        try:
            with self._state.used():
                portions = run_in_chunks(self._inference.predict, sample.arrays, size, sorted(self._batched))
        except (ValueError, tf.errors.OpError):
            return True
        return not all(
            result.ok for result in compare_expected(portions, self._measured(sample, (), MANY), sample.name)
        )

    def prepare(self, samples: Sequence[Sample]) -> None:
        """Compute what samples should give; the first draws will be made for all of them together."""
        self._prepared = tuple(self._compute(sample) for sample in samples)

    def _compute(self, sample: Sample) -> Computed:
        cached = self._computed.get(sample.name)
        if cached is None or cached.sample is not sample:
            double = self._tried_in_double(sample.arrays)
            cached = Computed(sample, self._in_keras(sample.arrays, advance=True), double)
            self._computed[sample.name], self._expected[sample.name] = cached, {}
        return cached

    def _level(self, sample: Sample, key: Key) -> int:
        """Return how many draws the expectations of a sample follow from: `NONE`, `FEW` or `MANY`."""
        self._compute(sample)
        level, _ = self._expected[sample.name].get(key, (-1, ()))
        return level

    def _measured(self, sample: Sample, key: Key, level: int) -> tuple[Expectation, ...]:
        """Return the expectations of a sample after so many draws at least."""
        if self._level(sample, key) < level:
            self._expected[sample.name][key] = level, self._measure(self._compute(sample), key, level)
        return self._expected[sample.name][key][1]

    def _measure(self, computed: Computed, key: Key, level: int) -> tuple[Expectation, ...]:
        if computed.double is None:
            return expect_all(computed.keras, None, stated=self._stated)
        if level == NONE or self.stateful or not any(a.size for a in computed.sample.arrays.values()):
            return expect_all(computed.keras, computed.double, softmax=self._softmax, stated=self._stated)
        draws = self._drawn_in(key)
        drawn = draws.few(computed) if level == FEW else draws.many(computed)
        return expect_all(
            computed.keras,
            computed.double,
            drawn,
            self._softmax,
            stated=self._stated,
            computed_in=draws.computed_in if drawn else None,
            usual=draws.usual,
        )

    def _drawn_in(self, key: Key) -> SampleDraws:
        """Return the draws in one arithmetic."""
        if key not in self._draws:
            affordable = max(1, BUDGET // (4 * self._cost))
            self._draws[key] = SampleDraws(
                self._inference, dict(key), self._prepared, self._in_keras, batch=self._batch, affordable=affordable
            )
        return self._draws[key]

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
        self._computed = {name: replace(computed, double=None) for name, computed in self._computed.items()}
        self._expected = {name: {} for name in self._expected}
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
    def _per_row(self) -> bool:
        """Whether every output has one entry per row of the inputs."""
        fixed = fixed_batch(self.inputs)
        return all(o.shape and o.shape[0] in (None, fixed) for o in self.outputs)

    def _in_chunks(self, run: Any, arrays: Arrays) -> dict[str, np.ndarray]:
        """Run in portions that the model takes and the memory holds."""
        fixed, rows = self._batch or fixed_batch(self.inputs), rows_of(arrays, self.inputs)
        size = fixed or max(1, BUDGET // self._cost)
        together = fixed is None and (rows <= size or not self._per_row)
        if rows == fixed or not rows or together or not in_step(arrays, self.inputs):
            return run(arrays)
        return run_in_chunks(run, arrays, size, sorted(self._batched))
