"""The same bytes for the same model: the part of an ORT file that ONNX Runtime orders by chance, written anew.

It keeps which types each operator's kernels are told by (`KernelTypeStrResolver`) in a hash map whose order is another at every
run. In the file that part is first, behind the root: it was made last, after the model. Offsets only point forward. So a new
root, with these entries in the order of their names, is put in front of the model's bytes, which stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ALIGNMENT = 64  # at least that of any number in the model
_KNOWN = {"InferenceSession": 4, "KernelTypeStrResolver": 1}  # fields that are written anew; a table of entries has two


def put_in_order(path: Path) -> None:
    """Write the ORT file at `path` anew; leave it where it holds what we do not know, or lies otherwise."""
    from onnxruntime.tools import ort_format_model  # noqa: F401 - it makes ort_flatbuffers_py importable
    from ort_flatbuffers_py.fbs.InferenceSession import InferenceSession

    contents = path.read_bytes()
    session = InferenceSession.GetRootAs(contents, 0)
    resolver, start = session.KernelTypeStrResolver(), _start(session.Model()._tab)
    if resolver is None or any(
        _fields(table._tab) > _KNOWN.get(type(table).__name__, 2) or table._tab.Pos >= start
        for table in (session, resolver, *_entries(resolver))
    ):
        return
    gap = start % ALIGNMENT
    prefix = _prefix(session, resolver, session.Model()._tab.Pos - start + gap) + bytes(gap)
    with path.open("wb") as file:
        file.writelines((prefix, memoryview(contents)[start:]))


def _entries(resolver: Any) -> Iterator[Any]:
    """Yield the tables below the resolver."""
    for operator in _listed(resolver, "OpKernelTypeStrArgs"):
        yield operator
        for entry in _listed(operator, "KernelTypeStrArgs"):
            yield entry
            yield from _listed(entry, "Args")


def _listed(table: Any, name: str) -> list[Any]:
    return [getattr(table, name)(n) for n in range(getattr(table, f"{name}Length")())]


def _fields(table: Any) -> int:
    """Return how many fields a table may have, by the length of its vtable."""
    return int.from_bytes(table.Bytes[_vtable(table) :][:2], "little") // 2 - 2


def _vtable(table: Any) -> int:
    return table.Pos - int.from_bytes(table.Bytes[table.Pos : table.Pos + 4], "little", signed=True)


def _start(model: Any) -> int:
    """Return where the bytes of the model begin: with its table, or with the vtable before it."""
    return min(model.Pos, _vtable(model))


def _prefix(session: Any, resolver: Any, model: int) -> bytes:
    """Return a root and the resolver; `model` is how far behind their end the model's table stands."""
    import flatbuffers
    from ort_flatbuffers_py.fbs import InferenceSession, KernelTypeStrResolver

    builder = flatbuffers.Builder(4096)
    builder.Prep(ALIGNMENT, 0)  # Finish pads to the largest alignment seen
    operators = sorted(_listed(resolver, "OpKernelTypeStrArgs"), key=lambda operator: operator.OpId())
    entries = _vector(builder, [_operator(builder, operator) for operator in operators])
    KernelTypeStrResolver.Start(builder)
    KernelTypeStrResolver.AddOpKernelTypeStrArgs(builder, entries)
    ordered = KernelTypeStrResolver.End(builder)
    version = builder.CreateString(session.OrtVersion())
    InferenceSession.Start(builder)
    InferenceSession.AddOrtVersion(builder, version)
    InferenceSession.AddModel(builder, -model)
    InferenceSession.AddKernelTypeStrResolver(builder, ordered)
    builder.Finish(InferenceSession.End(builder), file_identifier=b"ORTM")
    return bytes(builder.Output())


def _operator(builder: Any, operator: Any) -> int:
    from ort_flatbuffers_py.fbs import OpIdKernelTypeStrArgsEntry

    kinds = sorted(_listed(operator, "KernelTypeStrArgs"), key=lambda kind: kind.KernelTypeStr())
    entries = _vector(builder, [_kind(builder, kind) for kind in kinds])
    name = builder.CreateString(operator.OpId())
    OpIdKernelTypeStrArgsEntry.Start(builder)
    OpIdKernelTypeStrArgsEntry.AddOpId(builder, name)
    OpIdKernelTypeStrArgsEntry.AddKernelTypeStrArgs(builder, entries)
    return OpIdKernelTypeStrArgsEntry.End(builder)


def _kind(builder: Any, kind: Any) -> int:
    from ort_flatbuffers_py.fbs import KernelTypeStrArgsEntry

    arguments = _vector(builder, [_argument(builder, argument) for argument in _listed(kind, "Args")])
    name = builder.CreateString(kind.KernelTypeStr())
    KernelTypeStrArgsEntry.Start(builder)
    KernelTypeStrArgsEntry.AddKernelTypeStr(builder, name)
    KernelTypeStrArgsEntry.AddArgs(builder, arguments)
    return KernelTypeStrArgsEntry.End(builder)


def _argument(builder: Any, argument: Any) -> int:
    from ort_flatbuffers_py.fbs import ArgTypeAndIndex

    ArgTypeAndIndex.Start(builder)
    ArgTypeAndIndex.AddArgType(builder, argument.ArgType())
    ArgTypeAndIndex.AddIndex(builder, argument.Index())
    return ArgTypeAndIndex.End(builder)


def _vector(builder: Any, tables: Sequence[int]) -> int:
    builder.StartVector(4, len(tables), 4)
    for table in reversed(tables):
        builder.PrependUOffsetTRelative(table)
    return builder.EndVector()
