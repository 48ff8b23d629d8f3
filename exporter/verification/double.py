"""A model's inference function in float64, as far as TensorFlow can be brought to compute it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from exporter.capture.inference import Inference
from exporter.run.failures import message_of
from exporter.tfgraph.precision import DOUBLE, Widened


class Double:
    """The traced graph with the model's own weights, every float in double precision.

    Args:
        inference: the model.

    Attributes:
        available: whether it can be computed. False from the start if the graph cannot be rewritten, or later, when a
            kernel turns out to be missing that XLA does not have either.
        notes: what is less exact than it could be, and why.
    """

    def __init__(self, inference: Inference) -> None:
        import tensorflow as tf

        self._inference = inference
        self._compiled = False
        widened = Widened(inference.concrete(), DOUBLE)
        try:
            self._function: Any = widened.compile()
        except (KeyError, NotImplementedError, RuntimeError, TypeError, ValueError, tf.errors.OpError) as error:
            self._give_up(error)
            return
        narrow = ", ".join(widened.narrow)
        self.notes = (f"these ops of the float64 reference run in float32: {narrow}",) if narrow else ()

    @property
    def available(self) -> bool:
        """Whether the function can be computed, as far as is known."""
        return self._function is not None

    def run(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs by name, in float64 where Keras has floats.

        Raises:
            tf.errors.OpError: if it fails; `retry` then tells whether another attempt makes sense.
        """
        import tensorflow as tf

        tensors = (tf.constant(arrays[i.name], dtype=i.dtype) for i in self._inference.inputs)
        outputs = self._inference.outputs
        return {o.name: r.numpy() for o, r in zip(outputs, self._function(*tensors), strict=True)}

    def retry(self, error: Exception) -> bool:
        """After a failure: let XLA compile the graph, which knows channels first and dilation in double; else give up.

        Returns:
            Whether to run again.
        """
        import tensorflow as tf

        if self._compiled:
            self._give_up(error)
        else:
            self._function, self._compiled = tf.function(self._function, autograph=False, jit_compile=True), True
        return self.available

    def _give_up(self, error: Exception) -> None:
        self._function = None
        self.notes = (f"no float64 reference, Keras itself is taken: {message_of(error)}",)
