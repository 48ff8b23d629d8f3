"""A SavedModel in TensorFlow, called through its signature: in another process, or, to take times, in this one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from exporter.errors import InvalidArtifactError
from exporter.formats.saved_model.process import Process
from exporter.formats.saved_model.worker import Models
from exporter.spec import TensorInfo


class Home(Protocol):
    """Where a model runs."""

    def run(self, number: int, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the model of this number on arrays, by the names in its signature."""
        ...

    def close(self, number: int) -> None:
        """Forget the model."""
        ...


class SavedModelRunner:
    """A SavedModel by Keras's names.

    Args:
        home: where it runs.
        number: under which it is known there.
        signature: shapes and dtypes of its inputs and outputs.
        extra: what the exporter wrote beside it: Keras's names, by those in the signature.
    """

    remarks: tuple[str, ...] = ()
    arithmetic: Mapping[str, str] = MappingProxyType({})  # TensorFlow computes as Keras does

    def __init__(self, home: Home, number: int, signature: Mapping[str, Any], extra: Mapping[str, Any]) -> None:
        self._home, self._number = home, number
        inputs, outputs = signature["inputs"], signature["outputs"]
        keras_names = extra.get("inputs", {name: name for name in sorted(inputs)})
        self._spelled = {keras_name: name for name, keras_name in keras_names.items()}
        self.inputs = tuple(_info(name, *inputs[self._spelled[name]]) for name in keras_names.values())
        self.outputs = tuple(_info(name, *outputs[name]) for name in extra.get("outputs", sorted(outputs)))

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the signature once.

        Raises:
            InvalidArtifactError: if TensorFlow fails, or its process ends.
        """
        fed = {self._spelled[i.name]: np.asarray(inputs[i.name]) for i in self.inputs}
        results = self._home.run(self._number, fed)
        return {o.name: results[o.name] for o in self.outputs}

    def __del__(self) -> None:
        """Forget the model where it runs."""
        home = getattr(self, "_home", None)
        if home is not None:
            home.close(self._number)


class Here:
    """This process, for one model."""

    def __init__(self, path: Path) -> None:
        import tensorflow as tf

        self._models = Models()
        try:
            self.signature = self._models.load(0, str(path))
        except (OSError, ValueError, KeyError, tf.errors.OpError) as error:
            raise InvalidArtifactError(
                "TensorFlow cannot load the SavedModel", where=str(path), reason=str(error)
            ) from error

    def run(self, number: int, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the model."""
        import tensorflow as tf

        try:
            return self._models.run(number, arrays)
        except tf.errors.OpError as error:
            raise InvalidArtifactError("TensorFlow cannot run the SavedModel", reason=error.message) from error

    def close(self, number: int) -> None:
        """Forget the model."""
        self._models.close(number)


def opened_here(path: Path, extra: Mapping[str, Any]) -> SavedModelRunner:
    """Open a folder in this process."""
    here = Here(path)
    return SavedModelRunner(here, 0, here.signature, extra)


def opened_in(process: Process, path: Path, extra: Mapping[str, Any]) -> SavedModelRunner:
    """Open a folder in another process."""
    number, signature = process.load(path)
    return SavedModelRunner(process, number, signature, extra)


def _info(name: str, shape: list[int | None] | None, dtype: str) -> TensorInfo:
    return TensorInfo(name, tuple(shape or ()), dtype)
