"""The process in which an unknown HDF5 file is opened first: `python -m exporter.loading.hdf5_process`.

Standard input is the file (or the archive around it). Standard output is one JSON document: findings, the size of
the arrays, and the two configs of a legacy model. The HDF5 library may hang, crash or ask for all memory on a
damaged file; here that costs one short-lived process, which may write no file.
"""

from __future__ import annotations

import io
import json
import sys
from dataclasses import asdict
from typing import IO, Any

import h5py

from exporter.loading import limits
from exporter.loading.finding import damaged
from exporter.loading.hdf5 import KERAS_VERSION, MODEL_CONFIG, TRAINING_CONFIG
from exporter.loading.hdf5_rules import Hdf5Rules, read_once


class Window(io.RawIOBase):
    """A part of a file, as a file: the HDF5 file that lies uncompressed inside a `.keras` archive."""

    def __init__(self, stream: IO[bytes], start: int, size: int) -> None:
        self._stream, self._start, self._size, self._at = stream, start, size, 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move, as io.IOBase.seek does."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read into `buffer`, never beyond the window."""
        view = memoryview(buffer).cast("B")[: max(self._size - self._at, 0)]
        self._stream.seek(self._start + self._at)
        count = self._stream.readinto(view)  # type: ignore[attr-defined]
        self._at += count
        return int(count)


def examine(stream: IO[bytes], start: int, size: int, where: str) -> dict[str, Any]:
    """Apply the rules to one file and read it once.

    Args:
        stream: the file, or what it is a part of.
        start: where it begins, in bytes.
        size: how long it is, in bytes.
        where: how messages call it.
    """
    answer: dict[str, Any] = {"findings": [], "arrays": 0, "array_bytes": 0, "configs": {}, "version": None}
    rules = Hdf5Rules(size, where)
    try:
        with h5py.File(Window(stream, start, size), "r") as file:
            for finding in rules.findings(file):
                answer["findings"].append(asdict(finding))
                if len(answer["findings"]) >= limits.FINDINGS:
                    return answer
            if not answer["findings"]:
                read_once(file)
                answer["configs"] = {
                    name: _text(file.attrs[name]) for name in (MODEL_CONFIG, TRAINING_CONFIG) if name in file.attrs
                }
                answer["version"] = _text(file.attrs.get(KERAS_VERSION))
    except Exception as error:  # garbage makes h5py raise OSError, RuntimeError, KeyError, TypeError and others
        answer["findings"].append(asdict(damaged(where, error)))
    answer |= {"arrays": rules.arrays, "array_bytes": rules.array_bytes}
    return answer


def _text(value: Any) -> str | None:
    """The text of an attribute, None if it is none."""
    text = value.decode("utf-8") if isinstance(value, bytes) else value
    return text if isinstance(text, str) else None


def limit_resources(seconds: int) -> None:
    """Bound the time and memory of this process, and take from it the right to write files."""
    try:
        import resource
    except ImportError:  # Windows: the waiting side still has its time limit
        return
    bounds = {
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_AS: limits.HDF5_PROCESS_BYTES,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for kind, bound in bounds.items():
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (bound if hard == resource.RLIM_INFINITY else min(bound, hard), hard))


def main() -> None:
    """Answer for standard input; arguments: start, size, seconds, name."""
    start, size, seconds = (int(argument) for argument in sys.argv[1:4])
    limit_resources(seconds)
    with open(0, "rb", buffering=0, closefd=False) as stream:
        answer = examine(stream, start, size, sys.argv[4])
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
