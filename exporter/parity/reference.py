"""The truth that files are compared with: Keras itself, and the same graph and weights in float64."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from exporter.failures import message_of
from exporter.freeze import Inference
from exporter.parity.batches import batched, fixed_batch, in_step, rows_of, run_in_chunks
from exporter.parity.compare import compare, compare_expected
from exporter.parity.double import Double
from exporter.parity.draws import FEW, MANY, ROWS, Drawn, Draws, first_rows, joined, split
from exporter.parity.expectation import Expectation, expect_all
from exporter.parity.plan import BUDGET, cost_of_row
from exporter.parity.samples import Sample
from exporter.parity.softmax import softmax_outputs
from exporter.parity.state import ModelState
from exporter.precision import dtypes_of, effective
from exporter.spec import TensorInfo

Arrays = Mapping[str, np.ndarray]
Arithmetic = Mapping[str, str]
NATIVE: Arithmetic = MappingProxyType({})  # a file that computes in Keras's own dtypes

Key = tuple[tuple[str, str], ...]


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
        """Return the same, for a file that is beyond the bounds: measured on many more draws, if that can be."""
        ...

    def mixes_rows(self, sample: Sample, size: int) -> bool:
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
        self._computed: dict[str, _Computed] = {}
        self._cost = cost_of_row((i.shape for i in inference.inputs), inference.model)
        self._softmax = softmax_outputs(inference)
        self._draws = cache(lambda arithmetic: Draws(inference, dict(arithmetic)))
        self._drawn_notes: tuple[str, ...] = ()
        self._prepared: tuple[Sample, ...] = ()
        self._drawn_ahead: set[Key] = set()
        self._usual: dict[Key, dict[str, float]] = {}
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
        return (*self._double.notes, *stated, *self._drawn_notes)

    def expect(self, sample: Sample, arithmetic: Arithmetic = NATIVE) -> tuple[Expectation, ...]:
        """Return what each output should be for `sample`, with its bounds; cached by the sample's name."""
        computed = self._compute(sample)
        key = effective(arithmetic, self.dtypes)  # files that compute the model alike share their draws
        if key not in computed.expected:
            computed.expected[key] = self._measured(computed, key, self._few(computed, key))
        return computed.expected[key]

    def reconsider(self, sample: Sample, arithmetic: Arithmetic = NATIVE) -> tuple[Expectation, ...]:
        """Return the same after many more draws; kept for later files."""
        computed, key = self._compute(sample), effective(arithmetic, self.dtypes)
        if key not in computed.reconsidered:
            computed.reconsidered.add(key)
            computed.expected[key] = self._measured(computed, key, self._many(computed, key))
        return self.expect(sample, arithmetic)

    def known(self, sample: Sample) -> Mapping[Key, tuple[Expectation, ...]]:
        """Return the expectations in every arithmetic that was asked for, and in Keras's own."""
        self.expect(sample)
        return self._compute(sample).expected

    def mixes_rows(self, sample: Sample, size: int) -> bool:
        """Whether Keras itself fails on `size` rows at a time, or computes something else than on all at once."""
        import tensorflow as tf

        try:
            with self._state.used():
                portions = run_in_chunks(self._inference.predict, sample.arrays, size, sorted(self._batched))
        except (ValueError, tf.errors.OpError):
            return True
        return not all(result.ok for result in compare_expected(portions, self.reconsider(sample), sample.name))

    def _compute(self, sample: Sample) -> _Computed:
        cached = self._computed.get(sample.name)
        if cached is None or cached.sample is not sample:
            double = self._tried_in_double(sample.arrays)
            cached = _Computed(sample, self._in_keras(sample.arrays, advance=True), double)
            self._computed[sample.name] = cached
        return cached

    def prepare(self, samples: Sequence[Sample]) -> None:
        """Compute what samples should give, and draw for all of them at once."""
        for sample in samples:
            self._compute(sample)
        self._prepared = tuple(samples)

    def _measured(self, computed: _Computed, key: Key, drawn: list[Drawn]) -> tuple[Expectation, ...]:
        if computed.double is None:
            return expect_all(computed.keras, None, stated=self._stated)
        return expect_all(
            computed.keras,
            computed.double,
            drawn,
            self._softmax,
            stated=self._stated,
            computed_in=self._draws(key).computed_in if drawn else None,
            usual=self._usual.get(key),
        )

    def _few(self, computed: _Computed, key: Key) -> list[Drawn]:
        """Return the draws of a sample, made together with those of the others if it is one of those prepared."""
        if key not in self._drawn_ahead:
            self._drawn_ahead.add(key)
            self._tried(lambda: self._draw_ahead(key))
        if key not in computed.drawn and not any(computed.sample is s for s in self._prepared):
            arrays = first_rows(computed.sample.arrays, self._cut, ROWS)
            computed.drawn[key] = self._tried(lambda: self._draws(key).few(arrays, _smallest(computed.keras))) or []
        return computed.drawn.get(key, [])

    def _draw_ahead(self, key: Key) -> None:
        """Draw for the prepared samples of each shape together, as far as the budget goes; note how far draws usually go."""
        left = self._affordable_rows
        for group in self._groups() if self._cut else []:
            parts = []
            for computed in group:
                rows = min(ROWS, left, rows_of(computed.sample.arrays, self.inputs))
                left -= rows
                if rows:
                    parts.append((computed, rows))
            if parts and self._rows_are_independent([c for c, _ in parts]):
                self._draw_together(parts, key)
        found = [e for c in self._computed.values() if key in c.drawn for e in self._measured(c, key, c.drawn[key])]
        ratios = [(e.output, e.bound.furthest / e.scale) for e in found if e.scale]
        self._usual[key] = {output: max(r for name, r in ratios if name == output) for output, _ in ratios}

    def _groups(self) -> list[list[_Computed]]:
        groups: dict[Any, list[_Computed]] = {}
        for sample in self._prepared:
            if rows_of(sample.arrays, self.inputs) and in_step(sample.arrays, self.inputs):
                shapes = tuple(a.shape[1:] for a in sample.arrays.values())
                groups.setdefault(shapes, []).append(self._computed[sample.name])
        return list(groups.values())

    def _rows_are_independent(self, group: Sequence[_Computed]) -> bool:
        """Whether Keras gives for the first rows of all samples together what it gives for each sample."""
        together = self._in_keras(joined([first_rows(c.sample.arrays, self._cut, 1) for c in group]))
        alone = {name: np.concatenate([c.keras[name][:1] for c in group]) for name in together}
        return all(result.ok for result in compare(together, None, alone, "rows"))

    def _draw_together(self, parts: Sequence[tuple[_Computed, int]], key: Key) -> None:
        arrays = joined([first_rows(c.sample.arrays, self._cut, rows) for c, rows in parts])
        counts = [rows for _, rows in parts]
        smallest = min(_smallest(c.keras) for c, _ in parts)
        divided = [split(drawn, counts) for drawn in self._draws(key).few(arrays, smallest)]
        for (computed, _), drawn in zip(parts, zip(*divided, strict=True), strict=True):
            computed.drawn[key] = list(drawn)

    def _many(self, computed: _Computed, key: Key) -> list[Drawn]:
        rows = max(1, rows_of(computed.sample.arrays, self.inputs))
        count = max(FEW, min(MANY, 4 * self._affordable_rows // rows))
        arrays = computed.sample.arrays
        cut = self._cut if in_step(arrays, self.inputs) else frozenset()
        return self._tried(lambda: list(self._draws(key).many(arrays, cut, count))) or computed.drawn.get(key, [])

    def _tried(self, draw: Callable[[], Any]) -> Any:
        """Return draws; None where there cannot be any, and then Keras's own error is all that is known."""
        import tensorflow as tf

        if self.stateful or not self._double.available:
            return None
        try:
            return draw()
        except (KeyError, NotImplementedError, RuntimeError, TypeError, ValueError, tf.errors.OpError) as error:
            self._drawn_notes = (f"no spread of float32 is known, only what Keras gives: {message_of(error)}",)
            return None

    @property
    def _affordable_rows(self) -> int:
        return max(1, BUDGET // (4 * self._cost))

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
        for name, computed in self._computed.items():
            self._computed[name] = _Computed(computed.sample, computed.keras, None)
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

    @property
    def _cut(self) -> frozenset[str]:
        """The inputs that can be cut to their first rows."""
        free = self._per_row and self._batch is None and fixed_batch(self.inputs) is None
        return self._batched if free else frozenset()

    def _in_chunks(self, run: Any, arrays: Arrays) -> dict[str, np.ndarray]:
        """Run in portions that the model takes and the memory holds."""
        fixed, rows = self._batch or fixed_batch(self.inputs), rows_of(arrays, self.inputs)
        size = fixed or max(1, BUDGET // self._cost)
        together = fixed is None and (rows <= size or not self._per_row)
        if rows == fixed or not rows or together or not in_step(arrays, self.inputs):
            return run(arrays)
        return run_in_chunks(run, arrays, size, sorted(self._batched))


@dataclass
class _Computed:
    """What is known of one sample: Keras's values, the reference's, and the expectations in each arithmetic."""

    sample: Sample
    keras: dict[str, np.ndarray]
    double: dict[str, np.ndarray] | None
    drawn: dict[Key, list[Drawn]] = field(default_factory=dict)
    expected: dict[Key, tuple[Expectation, ...]] = field(default_factory=dict)
    reconsidered: set[Key] = field(default_factory=set)


def _smallest(outputs: Arrays) -> int:
    return min((a.size for a in outputs.values() if a.size), default=1)
