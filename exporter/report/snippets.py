"""How to run a file: a few lines of Python with the model's own names, for report.html."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from exporter.spec import Artifact, Inspection, TensorInfo


def snippet(artifact: Artifact) -> str | None:
    """Return a program that runs the artifact once in its runtime, from the folder where it lies.

    None when the file or its inputs are unknown, or no program is known for the format.
    """
    form = _PROGRAMS.get(artifact.format)
    if form is None or artifact.path is None or artifact.inspection is None:
        return None
    return form(artifact.path, artifact.inspection)


def _saved_model(path: Path, inspection: Inspection) -> str:
    return f"""\
import numpy as np
import tensorflow as tf

model = tf.saved_model.load({_quoted(path.name)})
{_inputs(inspection)}
run = model.signatures["serving_default"]
outputs = run(**{{name: tf.constant(value) for name, value in inputs.items()}})
for name, value in outputs.items():
    print(name, value.shape)
"""


def _tflite(path: Path, inspection: Inspection) -> str:
    return f"""\
import numpy as np
from ai_edge_litert.interpreter import Interpreter

interpreter = Interpreter({_quoted(path.name)})
{_inputs(inspection)}
run = interpreter.get_signature_runner()
outputs = run(**inputs)
for name, value in outputs.items():
    print(name, value.shape)
"""


def _onnx(path: Path, inspection: Inspection) -> str:
    return f"""\
import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession({_quoted(path.name)})
{_inputs(inspection)}
names = [output.name for output in session.get_outputs()]
for name, value in zip(names, session.run(names, inputs)):
    print(name, value.shape)
"""


_PROGRAMS: dict[str, Callable[[Path, Inspection], str]] = {
    "onnx": _onnx,
    "ort": _onnx,
    "saved_model": _saved_model,
    "tflite": _tflite,
}


def _inputs(inspection: Inspection) -> str:
    lines = [f"    {_quoted(info.name)}: {_zeros(info)}," for info in inspection.inputs]
    return "\n".join(["inputs = {  # put your data here", *lines, "}"])


def _zeros(info: TensorInfo) -> str:
    shape = ", ".join(str(1 if size is None else size) for size in info.shape) + ("," if len(info.shape) == 1 else "")
    if info.dtype == "string":
        return f'np.full(({shape}), b"", dtype=object)'
    return f"np.zeros(({shape}), dtype={_quoted(info.dtype)})"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


__all__ = ["snippet"]
