"""Build model files for the tests: honest ones with Keras, dishonest ones by editing those as data."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras

CONFIG, WEIGHTS = "config.json", "model.weights.h5"


def dense_model() -> keras.Model:
    """The smallest model with weights: four of them and a bias."""
    return keras.Sequential([keras.Input((2,), name="x"), keras.layers.Dense(2, name="dense")], name="tiny")


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(path: Path, parts: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def honest(folder: Path) -> Path:
    path = folder / "model.keras"
    dense_model().save(path)
    return path


def edited(folder: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """A `.keras` archive whose config went through `change`."""
    parts = members(honest(folder))
    config = json.loads(parts[CONFIG])
    change(config)
    return write(folder / "edited.keras", {**parts, CONFIG: json.dumps(config).encode()})


def with_layer(folder: Path, layer: dict[str, Any]) -> Path:
    """A `.keras` archive with one more layer in its config."""
    return edited(folder, lambda config: config["config"]["layers"].append(layer))


def with_weights(folder: Path, change: Callable[[h5py.File], None]) -> Path:
    """A `.keras` archive whose weights went through `change`."""
    parts = members(honest(folder))
    weights = io.BytesIO(parts[WEIGHTS])
    with h5py.File(weights, "a") as file:
        change(file)
    return write(folder / "weights.keras", {**parts, WEIGHTS: weights.getvalue()})


def legacy(folder: Path, change: Callable[[dict[str, Any]], None] = lambda config: None) -> Path:
    """An `.h5` file of the whole model, whose config went through `change`."""
    path = folder / "model.h5"
    dense_model().save(path)
    with h5py.File(path, "a") as file:
        config = json.loads(file.attrs["model_config"])
        change(config)
        file.attrs["model_config"] = json.dumps(config)
    return path


def layer(class_name: str, module: str | None = "keras.layers", **config: Any) -> dict[str, Any]:
    """A serialized layer, as Keras writes it."""
    return {
        "module": module,
        "class_name": class_name,
        "config": {"name": "added", **config},
        "registered_name": None if module and module.startswith("keras.") else class_name,
        "build_config": {"input_shape": [None, 2]},
    }


def function(name: str, module: str | None) -> dict[str, Any]:
    """A serialized function."""
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}
