"""A process of its own that runs SavedModels: it has TensorFlow, and nothing of the process that wrote them.

    python -P worker.py

Requests come in on standard input, answers go out on what was standard output; both are messages of `send` and `receive`.
What TensorFlow says goes to standard error. The file imports nothing of this package, so that nothing of Keras is there.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from collections.abc import Mapping
from typing import IO, Any

import numpy as np

SIGNATURE = "serving_default"
_LENGTH = struct.Struct("<Q")


def send(stream: IO[bytes], head: Mapping[str, Any], arrays: Mapping[str, np.ndarray] | None = None) -> None:
    """Write a message: JSON values, and arrays by name."""
    parts, described = [], []
    for name, array in (arrays or {}).items():
        items = [_encoded(item) for item in array.ravel()] if array.dtype.kind in "OSU" else None
        parts.append(b"".join(items) if items is not None else np.ascontiguousarray(array).tobytes())
        sizes = None if items is None else [len(item) for item in items]
        described.append([name, array.shape, array.dtype.name if items is None else "string", sizes, len(parts[-1])])
    text = json.dumps({**head, "arrays": described}).encode()
    stream.write(_LENGTH.pack(len(text)))
    stream.write(text)
    for part in parts:
        stream.write(part)
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read a message.

    Raises:
        EOFError: if there is none any more.
    """
    head = json.loads(_read(stream, _LENGTH.unpack(_read(stream, _LENGTH.size))[0]))
    arrays = {}
    for name, shape, dtype, sizes, length in head.pop("arrays"):
        if sizes is not None:
            arrays[name] = _strings(_read(stream, length), sizes, shape)
        else:
            arrays[name] = _numbers(stream, length, dtype, shape)
    return head, arrays


def _encoded(item: Any) -> bytes:
    return item if isinstance(item, bytes) else str(item).encode()


def _numbers(stream: IO[bytes], length: int, dtype: str, shape: list[int]) -> np.ndarray:
    try:
        kind = np.dtype(dtype)
    except TypeError:
        import ml_dtypes

        kind = np.dtype(getattr(ml_dtypes, dtype))
    content = np.empty(length, np.uint8)
    if length and stream.readinto(content.data) < length:  # type: ignore[attr-defined]
        raise EOFError
    return content.view(kind).reshape(shape)


def _strings(content: bytes, sizes: list[int], shape: list[int]) -> np.ndarray:
    values = np.empty(len(sizes), object)
    start = 0
    for index, size in enumerate(sizes):
        values[index] = content[start : start + size]
        start += size
    return values.reshape(shape)


def _read(stream: IO[bytes], length: int) -> bytes:
    content = stream.read(length)
    if len(content) < length:
        raise EOFError
    return content


class Models:
    """The SavedModels that are open, by number."""

    def __init__(self) -> None:
        self._open: dict[int, tuple[Any, Any]] = {}

    def load(self, number: int, path: str) -> dict[str, Any]:
        """Open a folder; return shapes (None of unknown rank) and dtypes of what its signature takes and gives."""
        import tensorflow as tf

        loaded = tf.saved_model.load(path)
        signature = loaded.signatures[SIGNATURE]
        self._open[number] = loaded, signature  # a signature holds its variables weakly
        return {
            "inputs": _described(signature.structured_input_signature[1]),
            "outputs": _described(signature.structured_outputs),
        }

    def run(self, number: int, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Call the signature."""
        import tensorflow as tf

        signature = self._open[number][1]
        specs = signature.structured_input_signature[1]
        results = signature(**{name: tf.constant(a, dtype=specs[name].dtype) for name, a in arrays.items()})
        return {name: tensor.numpy() for name, tensor in results.items()}

    def close(self, number: int) -> None:
        """Forget a model."""
        self._open.pop(number, None)


def _described(specs: Mapping[str, Any]) -> dict[str, Any]:
    return {n: [None if s.shape.rank is None else s.shape.as_list(), s.dtype.name] for n, s in specs.items()}


def main() -> None:
    """Answer requests until there are no more."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever TensorFlow prints
    models = Models()
    import tensorflow as tf  # noqa: F401 - now, while the other process is still busy

    while True:
        try:
            request, arrays = receive(requests)
        except EOFError:
            return
        try:
            answer, results = _answered(models, request, arrays)
        except Exception as error:  # whatever it is, it is about this model: the other process tells the user
            text = getattr(error, "message", None) or str(error) or type(error).__name__
            answer, results = {"error": text, "kind": type(error).__name__}, {}
        send(answers, answer, results)


def _answered(
    models: Models, request: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    for number in request["forget"]:
        models.close(number)
    if request["do"] == "load":
        return models.load(request["model"], request["path"]), {}
    return {}, models.run(request["model"], arrays)


if __name__ == "__main__":
    main()
