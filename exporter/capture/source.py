"""The model that was given, and the facts that identify it in every file and report."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exporter.capture.state import fingerprint
from exporter.errors import UsageError
from exporter.spec import Problem
from exporter.version import __version__

PACKAGES = (
    "keras",
    "tensorflow",
    "onnx",
    "onnx-ir",
    "onnxscript",
    "onnxruntime",
    "tf2onnx",
    "ai-edge-litert",
    "tflite-micro",
    "numpy",
)
_SAVED_MODEL = "SavedModelFunction"


@dataclass(frozen=True)
class Source:
    """A built Keras model and where it came from.

    Args:
        model: a keras.Model.
        sha256: of the model file; of configuration and weights for a live model.
        path: the file, if it was one.
        trusted: whether the file was allowed to hold code.
        keras_version: of the Keras that wrote the file, as it says.
        notes: what of a file of Keras 2 was kept by other means, or could not be kept.
    """

    model: Any
    sha256: str
    path: Path | None = None
    trusted: bool = False
    keras_version: str | None = None
    notes: tuple[Problem, ...] = ()

    @property
    def layers(self) -> tuple[Any, ...]:
        """Every layer of the model, nested ones included, without the model itself."""
        return tuple(layer for layer in self.model._flatten_layers() if layer is not self.model)

    @property
    def custom_classes(self) -> tuple[type, ...]:
        """The classes of layers that are not Keras's own, by name; that which a SavedModel becomes is nobody's."""
        every = {type(layer) for layer in self.layers}
        found = {cls for cls in every if cls.__module__.partition(".")[0] != "keras" and cls.__name__ != _SAVED_MODEL}
        return tuple(sorted(found, key=lambda cls: (cls.__module__, cls.__qualname__)))

    @property
    def facts(self) -> dict[str, Any]:
        """What report.json says of the model."""
        return {
            "name": self.model.name,
            "class": type(self.model).__name__,
            "file": self.path.name if self.path else None,
            "sha256": self.sha256,
            "parameters": int(self.model.count_params()),
            "trusted": self.trusted,
            **({"keras_version": self.keras_version} if self.keras_version else {}),
        }

    @property
    def metadata(self) -> dict[str, Any]:
        """What every exported file says of its origin: the same input gives the same bytes, so no time and no path."""
        return {
            "exporter": __version__,
            "keras": versions()["keras"],
            "model": self.model.name,
            "source_sha256": self.sha256,
            "custom_layers": self._custom_layers(),
        }

    def _custom_layers(self) -> dict[str, str]:
        """Return the registered name of each custom class, with the version of its package."""
        import keras

        return {
            keras.saving.get_registered_name(cls): _package_version(cls.__module__.partition(".")[0])
            for cls in self.custom_classes
        }


def open_source(model: Any, custom_objects: Mapping[str, Any] | None, *, trust: bool) -> Source:
    """Load `model` if it is a path, else check that it is a Keras model of the TensorFlow backend.

    Raises:
        UsageError: if it is neither.
        LoadError: if the file does not load.
    """
    if isinstance(model, str | Path):
        from exporter.lambdas.bytecode import default_globals
        from exporter.loading import load_with_notes

        path = Path(model)
        with default_globals() if trust else nullcontext():  # the bytecode of a Lambda does not carry what `tf` meant
            loaded = load_with_notes(path, custom_objects=custom_objects, trust=trust)
        return Source(loaded.model, _sha256_of_path(path), path, trust, loaded.version, loaded.notes)
    import keras

    if keras.config.backend() != "tensorflow":
        raise UsageError(
            "exporting needs Keras's TensorFlow backend",
            where=f"KERAS_BACKEND={keras.config.backend()}",
            remedy="save the model with model.save('model.keras') and run: kx export model.keras -o DIR",
        )
    if not isinstance(model, keras.Model):
        raise UsageError("not a Keras model", where=repr(type(model)), reason="expected a keras.Model or a path")
    return Source(model, fingerprint(model))


def versions() -> dict[str, str]:
    """Return the installed versions of this package and of the libraries that it drives."""
    found = {"exporter": __version__}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


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
