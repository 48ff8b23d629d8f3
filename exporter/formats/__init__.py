"""The formats: how each is written, opened in its runtime, and inspected. One module or package per format.

A format registers itself in `FORMATS` under its name, which is also the name of its module.
Nothing is imported until a format is asked for.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from exporter.errors import MissingRuntimeError, UsageError
from exporter.registry import Registry
from exporter.spec import Inspection, Options, TensorInfo

if TYPE_CHECKING:
    import numpy as np

    from exporter.capture.inference import Inference


class Runner(Protocol):
    """A file opened in the runtime that devices use."""

    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    remarks: tuple[str, ...]  # what a verification in this runtime should say of it

    @property
    def arithmetic(self) -> Mapping[str, str]:
        """In which dtypes the file computes, by Keras's dtypes; those not named stay."""
        ...

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the file once on `inputs`, by input name; return the outputs by output name.

        Raises:
            InvalidArtifactError: if the runtime refuses to run the file.
        """
        ...


@dataclass(frozen=True)
class ProbedLayer:
    """One call of a Keras layer that a file tells about: its name (`exporter.capture.layer_calls`) and the layer's class.

    Its place (`exporter.capture.auto_names`) is the same in a model whose names Keras counted from other numbers on.
    """

    name: str
    kind: str
    place: str


class LayerProbes(Protocol):
    """A file opened with a look inside, by the calls of Keras's layers.

    Attributes:
        inputs: names of the file's inputs, in order.
        calls: in the order in which they end.
        batch: the number of rows that the file takes; None if that is dynamic.
    """

    inputs: tuple[str, ...]
    calls: tuple[ProbedLayer, ...]
    batch: int | None

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, tuple[np.ndarray, ...]]:
        """Run the file on `inputs`, by their names in it; return what each call gives, by its name, as Keras lays it out."""
        ...

    def run_alone(self, name: str, inputs: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...] | None:
        """Run the part of one call on what its layer takes; None where it cannot be run alone."""
        ...


class Format(Protocol):
    """A file format that can be written can be opened and run: both live side by side."""

    name: str
    filename: str
    title: str
    runtime: str
    packages: tuple[str, ...]

    def write(self, inference: Inference, path: Path, options: Options, metadata: Mapping[str, object]) -> None:
        """Convert `inference` and write it to `path`, with `metadata` (JSON values) in the file.

        Raises:
            UnsupportedError: if a layer or op has no counterpart in this format.
            InvalidArtifactError: if what was written is not valid.
        """
        ...

    def audit(self, path: Path) -> None:
        """Refuse a file from elsewhere that would make its runtime read what is not its own.

        Raises:
            UnsafeFileError: if it names other files that it may not name.
            InvalidArtifactError: if a part of it is missing.
        """
        ...

    def open(self, path: Path, *, threads: int | None = None) -> Runner:
        """Load the file in its runtime; what was not written just now is audited first.

        Args:
            path: the file.
            threads: for one op; None: what the runtime takes by itself.

        Raises:
            InvalidArtifactError: if the runtime refuses it.
        """
        ...

    def layer_probes(self, path: Path) -> LayerProbes | None:
        """Load the file with a look inside; None if it does not say which tensors belong to which layer.

        Raises:
            InvalidArtifactError: if the runtime refuses it.
        """
        ...

    def inspect(self, path: Path) -> Inspection:
        """Read what the file says of itself, without Keras.

        Raises:
            InvalidArtifactError: if it is not such a file.
        """
        ...


FORMATS: Registry[Format] = Registry("format")


def names() -> list[str]:
    """Return the names of all formats, without importing any."""
    return sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))


def get(name: str) -> Format:
    """Return the format called `name`.

    Raises:
        UsageError: if there is none.
        MissingRuntimeError: if a package that it needs is not installed.
    """
    if name not in names():
        raise UsageError("unknown format", where=repr(name), remedy=f"choose from {', '.join(names())}")
    importlib.import_module(f"{__name__}.{name}")
    chosen = FORMATS[name]
    missing = [package for package in chosen.packages if importlib.util.find_spec(package) is None]
    if missing:
        extra = {"saved_model": "tensorflow", "ort": "onnx"}.get(name, name)
        raise MissingRuntimeError(
            f"the {chosen.title} format needs packages that are not installed",
            where=", ".join(missing),
            remedy=f"pip install 'keras-exporter[{extra}]'",
        )
    return chosen


def inspected(form: Format, path: Path) -> Inspection:
    """Inspect and audit a file from elsewhere, before a runtime opens it.

    Raises:
        UnsafeFileError, InvalidArtifactError: as `Format.audit` and `Format.inspect`.
    """
    inspection = form.inspect(path)
    form.audit(path)
    return inspection


def of_path(path: Path) -> Format:
    """Return the format of an artifact by its name on disk.

    Raises:
        UsageError: if the path does not exist or no format claims it.
    """
    if not path.exists():
        raise UsageError("no such file", where=str(path), remedy="check the path")
    suffixes = {".onnx": "onnx", ".ort": "ort", ".tflite": "tflite", ".litert": "tflite", ".cc": "micro"}
    if path.is_dir() and (path / "saved_model.pb").is_file():
        return get("saved_model")
    if path.suffix not in suffixes:
        raise UsageError(
            "not an artifact",
            where=str(path),
            remedy="name a .onnx or .tflite file, a model_data.cc, or the folder of a SavedModel",
        )
    return get(suffixes[path.suffix])
