"""A model run in TensorFlow Lite Micro's interpreter, in a process of its own (see `worker`)."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import numpy as np

from exporter.errors import InvalidArtifactError, UnsupportedError
from exporter.formats.micro.arena import LARGEST, smallest_arena
from exporter.formats.tflite.inspect import inspect
from exporter.formats.tflite.runner import fitting
from exporter.run import child_processes
from exporter.spec import TensorInfo
from exporter.tfgraph.precision import TO_SINGLE

_TRIVIAL = re.compile(r"^\[|^Failed (starting|to) |^\s*$|^Traceback|^  |Error: TFLM failed")  # not why it failed


class MicroRunner:
    """A TFLite file loaded in TensorFlow Lite Micro's interpreter.

    Args:
        path: the file; it may be deleted afterwards.

    Attributes:
        inputs: names, shapes and dtypes in the order of the signature.
        outputs: likewise.

    Raises:
        InvalidArtifactError: if the interpreter refuses the file.
    """

    remarks: tuple[str, ...] = ()
    arithmetic = TO_SINGLE

    def __init__(self, path: Path) -> None:
        found = inspect(path)
        self.inputs, self.outputs = found.inputs, found.outputs
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process runs
        sizes = (LARGEST, len(self.inputs), len(self.outputs))
        self._process = subprocess.Popen(
            child_processes.command("exporter.formats.micro.worker", str(path), *map(str, sizes)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=child_processes.environment(),
        )
        if self._process.stdout is None or self._process.stdout.read(1) != b"\n":
            raise self._failure("does not load")

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the file once on `inputs`, by input name; return the outputs by output name.

        Raises:
            UsageError: if an input is missing, or its shape does not fit the file.
            InvalidArtifactError: if the interpreter fails.
        """
        arrays = [fitting(info, inputs) for info in self.inputs]
        given, answers = self._process.stdin, self._process.stdout
        if given is None or answers is None:
            raise self._failure("does not run")
        try:
            given.write(b"".join(array.tobytes() for array in arrays))
            given.flush()
            return {info.name: _read(answers, info) for info in self.outputs}
        except (OSError, ValueError) as error:  # it is no more, or gives less than it should
            raise self._failure("does not run") from error

    def __del__(self) -> None:
        """End the process, if it was started at all."""
        process = getattr(self, "_process", None)
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, self._errors):
                if stream is not None:
                    stream.close()

    def _said(self) -> str:
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")

    def _failure(self, what: str) -> InvalidArtifactError:
        self._process.kill()
        self._process.wait()
        said = [line for line in self._said().splitlines() if not _TRIVIAL.search(line)]
        return InvalidArtifactError(
            f"TensorFlow Lite Micro {what} the model", reason="; ".join(line.rstrip(".") for line in said[-2:])
        )


def _read(stream: IO[bytes], info: TensorInfo) -> np.ndarray:
    template = np.empty([d or 0 for d in info.shape], info.dtype)  # no dimension is dynamic
    return np.frombuffer(stream.read(template.nbytes), template.dtype).reshape(template.shape)


def measured_arena(path: Path) -> int | None:
    """Return the bytes of the arena that a TFLite file needs.

    Raises:
        UnsupportedError: if the interpreter refuses it: a kernel lacks the type or the form of an op.
    """
    try:
        MicroRunner(path)
    except InvalidArtifactError as error:
        raise UnsupportedError(
            "TensorFlow Lite Micro does not run the model",
            where="the kernels of its reference interpreter",
            reason=error.reason,
            remedy="use other layers or fixed sizes; many of its kernels take fewer types and shapes than LiteRT's",
        ) from error
    return smallest_arena(path)
