"""What is compared of a model before and after it is reloaded; and the process that reloads it.

    python -m exporter.checks._evidence FOLDER TRUST [MODULE ...]

imports the modules, loads FOLDER/model.keras, and writes FOLDER/answer.json and FOLDER/arrays.npz.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np


def facts_of(model: Any) -> dict[str, Any]:
    """Configuration of the model and of how it was compiled, as JSON data."""
    compiled = model.get_compile_config() if model.compiled else None
    compiled = compiled or {}
    return {
        "compiled": bool(model.compiled),
        "loss": _json(compiled.get("loss")),
        "optimizer": _json(compiled.get("optimizer")),
        "compile config": _json({k: v for k, v in compiled.items() if k not in ("loss", "optimizer")}),
        "config": _json(model.get_config()),
    }


def arrays_of(model: Any, inference: Any, samples: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """Weights, variables of the optimizer, and outputs on samples, by kind and number."""
    optimizer = model.optimizer if model.compiled else None
    variables = optimizer.variables if optimizer is not None else ()
    found = {f"weight {number}": _numpy(w) for number, w in enumerate(model.weights)}
    found |= {f"optimizer variable {number}": _numpy(v) for number, v in enumerate(variables)}
    for number, arrays in enumerate(samples):
        for position, value in enumerate(inference.predict(arrays).values()):
            found[f"output {position} of sample {number}"] = _plain(value)
    return found


def paths_of(model: Any) -> dict[str, str]:
    """What people call the arrays; Keras may call them otherwise after a reload, and no harm is done."""
    variables = model.optimizer.variables if model.compiled and model.optimizer is not None else ()
    paths = {f"weight {number}": w.path for number, w in enumerate(model.weights)}
    return paths | {f"optimizer variable {number}": v.path for number, v in enumerate(variables)}


def _numpy(variable: Any) -> np.ndarray:
    import keras

    return _plain(np.asarray(keras.ops.convert_to_numpy(variable)))


def _plain(array: np.ndarray) -> np.ndarray:
    """What an .npz file holds: texts as bytes, and the bits of dtypes that NumPy itself does not know."""
    if array.dtype.kind == "O":
        return np.array([value if isinstance(value, bytes) else str(value).encode() for value in array.ravel()])
    return array.view(f"u{array.dtype.itemsize}") if array.dtype.kind == "V" else array


def _json(value: Any) -> Any:
    return json.loads(json.dumps(value, sort_keys=True, default=repr))


def _main(folder: Path, trust: str, modules: Sequence[str]) -> None:
    from exporter.capture.inference import Inference
    from exporter.errors import ExporterError
    from exporter.loading import import_custom, load

    try:
        model = load(folder / "model.keras", custom_objects=import_custom(modules), trust=bool(trust))
    except ExporterError as error:
        answer: dict[str, Any] = {"error": f"{error.what}: {error.reason}", "remedy": error.remedy}
    else:
        inference = Inference(model)
        names = [info.name for info in inference.inputs]
        samples = [_read(path, names) for path in sorted(folder.glob("inputs_*.npz"))]
        named: dict[str, Any] = arrays_of(model, inference, samples)
        np.savez(folder / "arrays.npz", **named)
        answer = {"facts": facts_of(model)}
    (folder / "answer.json").write_text(json.dumps(answer))


def _read(path: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """The arrays in the order of the inputs, whose names Keras may have made up again."""
    with np.load(path) as stored:
        arrays = [stored[name] for name in stored.files]
    texts = (array.astype(object) if array.dtype.kind == "U" else array for array in arrays)
    return dict(zip(names, texts, strict=True))


if __name__ == "__main__":
    _main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
