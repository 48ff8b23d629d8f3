"""The other process in which SavedModels run (`worker`): one for all of them, started early, replaced when it has died."""

from __future__ import annotations

import atexit
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from exporter.errors import InvalidArtifactError
from exporter.formats.saved_model import worker
from exporter.run import child_processes


class Process:
    """A process that opens SavedModels and runs them.

    It is never ours that fails: when it ends, that is the model's doing, and an error of the package says so.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._forgotten: list[int] = []
        self._said = ""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process runs
        self._process = subprocess.Popen(
            child_processes.command_of_file(worker.__file__),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=child_processes.environment(TF_CPP_MIN_LOG_LEVEL="3"),
        )

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def load(self, path: Path) -> tuple[int, dict[str, Any]]:
        """Open a folder; return the model's number and what its signature takes and gives.

        Raises:
            InvalidArtifactError: if TensorFlow does not load it.
        """
        self._count += 1
        request = {"do": "load", "model": self._count, "path": str(path.absolute())}
        return self._count, self._ask("TensorFlow cannot load the SavedModel", request)[0]

    def run(self, number: int, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run a model on arrays, by the names in its signature.

        Raises:
            InvalidArtifactError: if TensorFlow fails.
        """
        return self._ask("TensorFlow cannot run the SavedModel", {"do": "run", "model": number}, arrays)[1]

    def close(self, number: int) -> None:
        """Forget a model, with the next request: finalizers call this, and they come at any time."""
        self._forgotten.append(number)

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._said = self._last_words()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream is not None:
                stream.close()

    def _ask(
        self, failure: str, request: Mapping[str, Any], arrays: Mapping[str, np.ndarray] | None = None
    ) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        with self._lock:
            forgotten, self._forgotten = self._forgotten, []
            try:
                worker.send(stdin, {**request, "forget": forgotten}, arrays)
                answer, results = worker.receive(stdout)
            except (OSError, EOFError, ValueError) as error:
                raise InvalidArtifactError(failure, where=request.get("path", ""), reason=self._last_words()) from error
            except BaseException:  # an interruption: the answer that is still to come would be taken for the next one
                self._process.kill()
                raise
        if "error" in answer:
            raise InvalidArtifactError(failure, where=request.get("path", ""), reason=answer["error"])
        return answer, results

    def _last_words(self) -> str:
        if self._said:
            return self._said
        code = self._process.wait()
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip().splitlines()
        return f"the process that ran it ended with code {code}" + (f": {said[-1].strip()}" if said else "")


_SHARED: list[Process] = []
_LOCK = threading.Lock()


def shared() -> Process:
    """Return the process that all SavedModels share; start one if there is none, so that it imports TensorFlow meanwhile."""
    with _LOCK:
        if _SHARED and not _SHARED[0].alive:
            _SHARED.pop().end()
        if not _SHARED:
            _SHARED.append(Process())
        return _SHARED[0]


@atexit.register
def _end() -> None:
    if _SHARED and _SHARED[0].alive:
        _SHARED.pop().end()
