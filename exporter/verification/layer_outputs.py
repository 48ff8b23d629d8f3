"""What each call of a layer takes and gives in Keras, in its own precision and in float64."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from exporter.capture.inference import Inference
from exporter.capture.layer_calls import LayerCall, LayerCalls
from exporter.capture.patching import overridden
from exporter.capture.state import ModelState
from exporter.tfgraph.precision import DOUBLE, Widened


@dataclass(frozen=True)
class CallArrays:
    """One call of a layer on one sample.

    Args:
        inputs: what it took, flat, as Keras computes it.
        outputs: what it gave, flat.
        references: the same outputs in float64; None where there is no float64 graph.
    """

    inputs: tuple[np.ndarray, ...]
    outputs: tuple[np.ndarray, ...]
    references: tuple[np.ndarray, ...] | None


class LayerOutputs:
    """The traced model with every tensor that a layer takes or gives as an output.

    Args:
        inference: the model.

    Attributes:
        calls: of its layers, in order.
    """

    def __init__(self, inference: Inference) -> None:
        self._inputs = inference.inputs
        recorded = LayerCalls()
        self.calls: Sequence[LayerCall] = recorded.found
        self._places: list[tuple[list[int], list[int]]] = []

        def probe(*tensors: Any) -> list[Any]:
            inference(*tensors)
            found: dict[Any, int] = {}

            def places(wanted: Sequence[Any]) -> list[int]:
                return [found.setdefault(t.ref(), len(found)) for t in wanted]

            self._places = [(places(call.inputs), places(call.outputs)) for call in recorded.found]
            return [reference.deref() for reference in found]

        with overridden({}, recorded.recording()):
            self._single = inference.trace(probe, inference.inputs)
        self._double = self._widened()
        self._state = ModelState(self._single)

    def run(self, arrays: Mapping[str, np.ndarray]) -> dict[str, CallArrays]:
        """Return what each call takes and gives for the model's inputs `arrays`, by the call's name."""
        import tensorflow as tf

        tensors = [tf.constant(arrays[i.name], dtype=i.dtype) for i in self._inputs]
        single = self._flat(self._single, tensors)
        double = None
        if self._double is not None:
            try:
                double = self._flat(self._double, tensors)
            except tf.errors.OpError:  # an op without a float64 kernel
                self._double = None
        return {
            call.name: CallArrays(
                tuple(single[i] for i in taken),
                tuple(single[i] for i in given),
                None if double is None else tuple(double[i] for i in given),
            )
            for call, (taken, given) in zip(self.calls, self._places, strict=True)
        }

    def _flat(self, function: Any, tensors: Sequence[Any]) -> list[np.ndarray]:
        with self._state.used():
            return [t.numpy() for t in function(*tensors)]

    def _widened(self) -> Any:
        import tensorflow as tf

        try:
            return Widened(self._single, DOUBLE).compile()
        except (KeyError, NotImplementedError, RuntimeError, TypeError, ValueError, tf.errors.OpError):
            return None
