"""Export a model to TFLite and hold it against Keras, at the tolerances of the one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import keras
import numpy as np
import pytest

from exporter import formats
from exporter.capture.inference import Inference
from exporter.spec import Batch, Inspection, Options
from exporter.verification.reference import Reference
from exporter.verification.samples import Sample
from exporter.verification.verify import verify_artifact


class Exported:
    """A model and its TFLite file."""

    def __init__(self, model: keras.Model, path, batch: Batch) -> None:
        chosen = formats.get("tflite")
        self.inference = Inference(model)
        chosen.write(self.inference, path, Options(tflite_batch=batch), {})
        self.inspection: Inspection = chosen.inspect(path)
        self.ops: Mapping[str, int] = self.inspection.ops
        self.runner = chosen.open(path)
        self.reference = Reference(self.inference)

    def agrees(self, *samples: np.ndarray | list[np.ndarray]) -> None:
        """Assert that the file computes what Keras computes on each sample: an array, or a list of one per input."""
        for number, sample in enumerate(samples):
            arrays = sample if isinstance(sample, list) else [sample]
            named = {i.name: a for i, a in zip(self.inference.inputs, arrays, strict=True)}
            parity = verify_artifact(self.runner, self.reference, [Sample(f"sample {number}", named)])
            assert parity.outputs, parity.notes
            assert parity.ok, parity.worst


@pytest.fixture
def export(tmp_path) -> Callable[..., Exported]:
    """Return a function that exports a model: `export(model, batch=1)`."""

    def function(model: keras.Model, batch: Batch = 1) -> Exported:
        return Exported(model, tmp_path / "model.tflite", batch)

    return function


@pytest.fixture
def layer(export) -> Callable[..., Exported]:
    """Return a function that exports one layer or function: `layer(call, shape, …)`, shapes without the batch."""

    def function(call, *shapes, dtype: str = "float32", batch: Batch = 1) -> Exported:
        keras.utils.set_random_seed(0)
        inputs = [keras.Input(shape, dtype=dtype) for shape in shapes]
        return export(keras.Model(inputs, call(*inputs)), batch)

    return function


def normal(*shape: int, seed: int = 0, scale: float = 1.0) -> np.ndarray:
    """Return N(0, scale²) in float32."""
    return (scale * np.random.default_rng(seed).normal(size=shape)).astype("float32")
