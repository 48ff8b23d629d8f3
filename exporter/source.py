"""The model that was given, and the facts that identify it in every file and report."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exporter.errors import UsageError
from exporter.version import __version__


@dataclass(frozen=True)
class Source:
    """A built Keras model and where it came from.

    Args:
        model: a keras.Model.
        sha256: of the model file; of configuration and weights for a live model.
        path: the file, if it was one.
    """

    model: Any
    sha256: str
    path: Path | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """What report.json says of the model."""
        return {
            "name": self.model.name,
            "class": type(self.model).__name__,
            "file": self.path.name if self.path else None,
            "sha256": self.sha256,
            "parameters": int(self.model.count_params()),
            "trusted": False,
        }

    @property
    def metadata(self) -> dict[str, Any]:
        """What every exported file says of its origin: the same input gives the same bytes, so no time and no path."""
        return {
            "exporter": __version__,
            "keras": versions()["keras"],
            "model": self.model.name,
            "source_sha256": self.sha256,
            "custom_layers": custom_layers(self.model),
        }


def open_source(model: Any, custom_objects: Mapping[str, Any] | None, *, trust: bool) -> Source:
    """Load `model` if it is a path, else check that it is a Keras model of the TensorFlow backend.

    Raises:
        UsageError: if it is neither.
        LoadError: if the file does not load.
    """
    if isinstance(model, str | Path):
        from exporter.loading import load

        path = Path(model)
        loaded = load(path, custom_objects=custom_objects, trust=trust)
        return Source(loaded, _sha256_of_path(path), path)
    import keras

    if keras.config.backend() != "tensorflow":
        raise UsageError(
            "exporting needs Keras's TensorFlow backend",
            where=f"KERAS_BACKEND={keras.config.backend()}",
            remedy="save the model with model.save('model.keras') and run: kx export model.keras -o DIR",
        )
    if not isinstance(model, keras.Model):
        raise UsageError("not a Keras model", where=repr(type(model)), reason="expected a keras.Model or a path")
    return Source(model, _sha256_of_model(model))


def versions() -> dict[str, str]:
    """Return the installed versions of this package and of the libraries that it drives."""
    found = {"exporter": __version__}
    for package in ("keras", "tensorflow", "onnx", "onnx-ir", "onnxruntime", "tf2onnx", "ai-edge-litert", "numpy"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def custom_layers(model: Any) -> dict[str, str]:
    """Return the registered name of every layer class that is not Keras's own, with the version of its package."""
    import keras

    found = {}
    for layer in model._flatten_layers():
        module = type(layer).__module__
        package = module.partition(".")[0]
        if package == "keras" or layer is model:
            continue
        found[keras.saving.get_registered_name(type(layer))] = _package_version(package)
    return dict(sorted(found.items()))


def _package_version(package: str) -> str:
    if package == "exporter":
        return __version__
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def _sha256_of_path(path: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(f for f in path.rglob("*") if f.is_file()) if path.is_dir() else [path]:
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _sha256_of_model(model: Any) -> str:
    digest = hashlib.sha256()
    digest.update(json.dumps([[v.path, list(v.shape), v.dtype] for v in model.variables]).encode())
    for variable in model.variables:
        digest.update(variable.numpy().data if variable.shape else variable.numpy().tobytes())
    return digest.hexdigest()
