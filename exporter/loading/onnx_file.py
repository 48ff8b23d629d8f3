"""Audit of an ONNX file from elsewhere: its tensors may lie in other files, which it names itself.

Allowed are regular files inside the model's own folder, whose named part exists and has the size of the tensor.
Links are refused, hard ones too: they make a file elsewhere look as if it lay in the folder.
"""

from __future__ import annotations

import math
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from exporter.loading.archive import is_traversal
from exporter.loading.finding import Finding, damaged, refuse

_KEYS = frozenset({"location", "offset", "length", "checksum"})
_REMEDY = "get the model again as one folder: the .onnx file and its data files beside it"


def check_onnx_file(path: Path) -> None:
    """Refuse an ONNX file whose external data lie anywhere but in plain files of its folder. Reads no data.

    Raises:
        UnsafeFileError: if it points out of its folder, to a link, or beyond the end of a file.
        LoadError: if it is no ONNX file, or a data file is missing.
    """
    refuse(path, audit_onnx_file(path))


def audit_onnx_file(path: Path) -> list[Finding]:
    """Every reason to refuse an ONNX file."""
    import onnx

    if path.is_symlink() or not path.is_file():
        return [Finding("no plain file: missing, a link, a folder or a device", path.name, _REMEDY, unsafe=False)]
    try:
        model = onnx.load(path, load_external_data=False)
    except Exception as error:  # OSError, protobuf's DecodeError, and what onnx makes of a wrong text
        return [damaged(path.name, error)]
    return [finding for tensor in _tensors(model) for finding in _audit_tensor(tensor, path.parent)]


def _tensors(message: Any) -> Iterator[Any]:
    """Every TensorProto below a protobuf message: initializers, constants, branches, functions, sparse tensors."""
    import onnx

    pending = [message]
    while pending:
        node = pending.pop()
        if isinstance(node, onnx.TensorProto):
            yield node
            continue
        for field, value in node.ListFields():
            if field.message_type is not None:
                pending.extend([value] if hasattr(value, "ListFields") else value)


def _audit_tensor(tensor: Any, folder: Path) -> Iterator[Finding]:
    import onnx

    if tensor.data_location != onnx.TensorProto.EXTERNAL:
        return
    entries = {entry.key: entry.value for entry in tensor.external_data}
    if not all(isinstance(text, str) for text in (tensor.name, *entries.keys(), *entries.values())):
        yield Finding("external data described by bytes that are no text", str(tensor.name), _REMEDY)
    elif len(entries) != len(tensor.external_data) or not entries.keys() <= _KEYS or "location" not in entries:
        yield Finding(f"external data with the keys {sorted(entries)}", tensor.name, _REMEDY)
    elif is_traversal(entries["location"]) or not entries["location"]:
        what = f"its data lie in {entries['location']!r}, outside of the folder"
        yield Finding(what, tensor.name, _REMEDY, "CVE-2025-51480")
    else:
        yield from _audit_file(tensor, entries, folder)


def _audit_file(tensor: Any, entries: dict[str, str], folder: Path) -> Iterator[Finding]:
    file = folder / entries["location"]
    parts = [file, *(parent for parent in file.parents if folder in parent.parents)]
    if any(part.is_symlink() for part in parts):
        yield Finding(f"the data file {entries['location']!r} is a link", tensor.name, _REMEDY, "CVE-2026-27489")
        return
    try:
        facts = file.stat()
    except OSError as error:
        what = f"the data file {entries['location']!r} cannot be read: {error.strerror}"
        yield Finding(what, tensor.name, _REMEDY, unsafe=False)
        return
    if not stat.S_ISREG(facts.st_mode):
        yield Finding(f"the data file {entries['location']!r} is no plain file", tensor.name, _REMEDY)
    elif facts.st_nlink > 1:
        what = f"the data file {entries['location']!r} has {facts.st_nlink} names (hard links)"
        yield Finding(what, tensor.name, "copy the file: cp model.onnx.data copy.data", "CVE-2026-34446")
    else:
        yield from _audit_range(tensor, entries, facts.st_size)


def _audit_range(tensor: Any, entries: dict[str, str], file_bytes: int) -> Iterator[Finding]:
    numbers = [entries.get("offset", "0"), entries.get("length", "0")]
    if not all(number.isascii() and number.isdigit() and len(number) < 20 for number in numbers):
        yield Finding(f"offset and length are {numbers}", tensor.name, _REMEDY)
        return
    offset, length = map(int, numbers)
    needed = _bytes_needed(tensor)
    if "length" in entries and needed is not None and length != needed:
        yield Finding(
            f"{length} bytes of data for shape {list(tensor.dims)}, which needs {needed}", tensor.name, _REMEDY
        )
    if offset + max(length, needed or 0) > file_bytes:
        yield Finding(f"its data end behind the end of {entries['location']!r}", tensor.name, _REMEDY)


def _bytes_needed(tensor: Any) -> int | None:
    """Size of a tensor from its shape and type; None for types whose elements have no fixed size."""
    import onnx

    try:
        if tensor.data_type in (onnx.TensorProto.UINT4, onnx.TensorProto.INT4, onnx.TensorProto.FLOAT4E2M1):
            return -(-math.prod(tensor.dims) // 2)
        if tensor.data_type == onnx.TensorProto.STRING:
            return None
        return math.prod(tensor.dims) * onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    except KeyError:
        return None
