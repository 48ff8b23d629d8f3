"""The files of a model: ours in three formats, and those that Keras's own exporter writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from exporter import formats
from exporter.capture.inference import Inference
from exporter.errors import ExporterError
from exporter.formats import Runner
from exporter.spec import Options, TensorInfo

KERAS_FORMATS = {"onnx": "onnx", "tflite": "litert", "saved_model": "tf_saved_model"}


@dataclass(frozen=True)
class Written:
    """A file and who wrote it.

    Args:
        format: of the file.
        maker: "ours" or "keras".
        path: where it lies; None if it was refused.
        refusal: why.
    """

    format: str
    maker: str
    path: Path | None
    refusal: str = ""


def written(inference: Inference, format_name: str, maker: str, folder: Path) -> Written:
    """Write one file into `folder`."""
    form = formats.get(format_name)
    path = folder / maker / form.filename
    path.parent.mkdir(exist_ok=True)
    by_keras = maker == "keras"
    refusal = _by_keras(inference.model, path, format_name) if by_keras else _by_us(inference, path, format_name)
    return Written(format_name, maker, None if refusal else path, refusal)


def _by_us(inference: Inference, path: Path, format_name: str) -> str:
    try:
        formats.get(format_name).write(inference, path, Options(), {})
    except ExporterError as error:
        return f"{error.what}: {error.reason}"
    return ""


def _by_keras(model: Any, path: Path, format_name: str) -> str:
    """Let Keras export; what stops it may be anything, and is no matter of this study."""
    try:
        model.export(str(path), format=KERAS_FORMATS[format_name], verbose=False)
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:200]
    return "" if path.exists() else "nothing was written"


class Renamed:
    """A file of Keras's own, with the model's names instead of its own.

    Args:
        runner: the file.
        inference: the model.
    """

    remarks: tuple[str, ...] = ()

    def __init__(self, runner: Runner, inference: Inference) -> None:
        self._runner = runner
        self.inputs = named_as(runner.inputs, inference.inputs)
        self.outputs = named_as(runner.outputs, inference.outputs)

    @property
    def arithmetic(self) -> Mapping[str, str]:
        return self._runner.arithmetic

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        given = {theirs.name: inputs[ours.name] for theirs, ours in zip(self._runner.inputs, self.inputs, strict=True)}
        results = self._runner.run(given)
        return {o.name: results[t.name] for t, o in zip(self._runner.outputs, self.outputs, strict=True)}


def named_as(theirs: tuple[TensorInfo, ...], ours: tuple[TensorInfo, ...]) -> tuple[TensorInfo, ...]:
    """Give a file's tensors the model's names: those that stand in their own ("serving_default_item:0"), else in order."""
    found = {t.name: o.name for t in theirs for o in ours if o.name in t.name}
    if sorted(found.values()) != sorted(o.name for o in ours):
        found = {t.name: o.name for t, o in zip(theirs, ours, strict=True)}
    return tuple(replace(t, name=found[t.name]) for t in theirs)


def opened(file: Written, inference: Inference) -> Runner:
    """Open a file in its runtime.

    Raises:
        ExporterError: if the runtime refuses it.
        ValueError: if a file of Keras's own has another number of inputs or outputs.
    """
    assert file.path is not None
    runner = formats.get(file.format).open(file.path)
    return runner if file.maker == "ours" else Renamed(runner, inference)
