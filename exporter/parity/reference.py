"""The truth that files are compared with: Keras itself, and the same graph and weights in float64."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from exporter.freeze import Inference
from exporter.parity.expectation import Expectation, expect_all
from exporter.parity.samples import Sample
from exporter.parity.state import state_restored, writes_state
from exporter.precision import DOUBLE, Widened
from exporter.spec import TensorInfo


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


class Reference:
    """Keras in its own precision and in float64, computed once per sample.

    Args:
        inference: the model.

    Attributes:
        kind: "float64", or "float32" where the graph could not be rewritten and Keras itself is the reference.
        notes: what is less exact than it could be, and why.
        stateful: whether a call changes the model's variables (they are put back).
    """

    def __init__(self, inference: Inference) -> None:
        self._inference = inference
        self._concrete = inference.concrete()
        self._expectations: dict[str, tuple[Sample, tuple[Expectation, ...]]] = {}
        self.inputs = inference.inputs
        self.outputs = inference.outputs
        self.stateful = writes_state(self._concrete)
        self._widen()

    def _widen(self) -> None:
        widened = Widened(self._concrete, DOUBLE)
        try:
            self._double, self.kind = widened.compile(), "float64"
        except (KeyError, NotImplementedError, TypeError, ValueError) as error:
            self._double, self.kind = None, "float32"
            self.notes: tuple[str, ...] = (f"no float64 reference, Keras itself is taken: {_first_line(error)}",)
            return
        narrow = ", ".join(widened.narrow)
        self.notes = (f"in the float64 reference these ops run in their own precision: {narrow}",) if narrow else ()

    def expect(self, sample: Sample) -> tuple[Expectation, ...]:
        """Return what each output should be for `sample`, with the tolerance; cached by the sample's name."""
        cached = self._expectations.get(sample.name)
        if cached is None or cached[0] is not sample:
            with state_restored(self._concrete):
                keras = self._inference.predict(sample.arrays)
            cached = (sample, expect_all(keras, self._in_double(sample.arrays)))
            self._expectations[sample.name] = cached
        return cached[1]

    def _in_double(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray] | None:
        import tensorflow as tf

        if self._double is None:
            return None
        tensors = [tf.constant(arrays[i.name], dtype=i.dtype) for i in self.inputs]
        with state_restored(self._concrete):
            results = self._double(*tensors)
        return {o.name: r.numpy() for o, r in zip(self.outputs, results, strict=True)}


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]
