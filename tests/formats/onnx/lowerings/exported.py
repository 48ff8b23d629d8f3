"""Export a model to ONNX in memory of a test, run it, and hold it against Keras in float64."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from exporter import formats
from exporter.capture.inference import Inference
from exporter.formats.onnx.runner import OnnxRunner
from exporter.spec import Inspection, Options
from tests.conformance.cases.case import Applied


@dataclass
class Exported:
    """An ONNX file opened in ONNX Runtime, beside the Keras function that it was made of."""

    inference: Inference
    runner: OnnxRunner
    inspection: Inspection
    _reference: Any = field(default=None, init=False)

    @property
    def ops(self) -> Mapping[str, int]:
        """How often each op occurs."""
        return self.inspection.ops

    def check(self, *arrays: np.ndarray) -> None:
        """Assert that the file computes what Keras computes: tolerance, NaN, Inf, dtype, shape (docs/design/verification)."""
        from exporter.verification.reference import Reference
        from exporter.verification.samples import Sample
        from exporter.verification.verify import judge

        fed = {info.name: np.asarray(a) for info, a in zip(self.inference.inputs, arrays, strict=True)}
        self._reference = self._reference or Reference(self.inference)
        for outcome in judge(self.runner.run(fed), self._reference, Sample("test", fed), self.runner.arithmetic):
            assert outcome.ok, f"{outcome.output}: error {outcome.error} > {outcome.tolerance}; {outcome.note}"


def export(model: Any, *, opset: int | None = None, batch: Any = "dynamic", signature: Any = None) -> Exported:
    """Write `model` as ONNX and open it."""
    form = formats.get("onnx")
    inference = Inference(model, signature)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        form.write(inference, path, Options(opset=opset, batch=batch), {})
        return Exported(inference, form.open(path), form.inspect(path))


def model_of(function: Any, *inputs: tuple[Sequence[int | None], str]) -> keras.Model:
    """Return a Functional model that applies `function` (of keras.ops) to inputs of (shape with batch, dtype)."""
    tensors = [keras.Input(batch_shape=shape, dtype=dtype, name=f"x{n}") for n, (shape, dtype) in enumerate(inputs)]
    return keras.Model(tensors, function(*tensors))


def inside(call: Any) -> Any:
    """Run `call` inside a layer, which leaves dtypes as they are: for functions that take no symbolic tensors."""
    return lambda *xs: Applied(call, autocast=False)(list(xs) if len(xs) > 1 else xs[0])


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    """Return N(0, 1) float32 numbers."""
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


__all__ = ["Exported", "export", "inside", "model_of", "normal"]
