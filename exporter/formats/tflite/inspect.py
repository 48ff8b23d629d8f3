"""What a TFLite file says of itself, read from its flatbuffer."""

from __future__ import annotations

import json
import mmap
import struct
from collections import Counter
from pathlib import Path
from typing import Any

from exporter.errors import InvalidArtifactError
from exporter.formats.tflite.flex import cost_of_flex
from exporter.formats.tflite.limits import limits_of
from exporter.formats.tflite.writer import METADATA_NAME
from exporter.spec import Inspection, TensorInfo

# What reading a flatbuffer raises when an offset in it leads astray.
_MALFORMED = (OSError, ValueError, AttributeError, IndexError, TypeError, OverflowError, struct.error)


def inspect(path: Path) -> Inspection:
    """Return names and order from the file's signature, ops over all subgraphs, and its metadata.

    `facts` holds "minimum_runtime", "subgraphs", "flex_ops", "custom_ops", and "limits": of the kernels of its ops.
    A file with Flex ops has "remarks": what they cost.

    Raises:
        InvalidArtifactError: if it is not a TFLite file.
    """
    try:
        return _inspect(path, _map(path))
    except _MALFORMED as error:
        raise InvalidArtifactError("not a TFLite file", where=str(path), reason=str(error)) from error


def _inspect(path: Path, model: Any) -> Inspection:
    graph = model.Subgraphs(0)
    inputs, outputs = _names(model)
    entries = _metadata(model)
    codes = [_op_name(model.OperatorCodes(i)) for i in range(model.OperatorCodesLength())]
    ops = Counter(
        codes[subgraph.Operators(i).OpcodeIndex()]
        for subgraph in map(model.Subgraphs, range(model.SubgraphsLength()))
        for i in range(subgraph.OperatorsLength())
    )
    flex = sorted({op for op in codes if op.startswith("Flex")})
    version = entries.get("min_runtime_version", b"").rstrip(b"\0").decode(errors="replace")
    return Inspection(
        format="tflite",
        inputs=tuple(_tensor_info(graph, name, index) for name, index in inputs),
        outputs=tuple(_tensor_info(graph, name, index) for name, index in outputs),
        ops=dict(sorted(ops.items())),
        size=path.stat().st_size,
        facts={
            "minimum_runtime": f"TensorFlow Lite {version}" if version else "unknown",
            "subgraphs": model.SubgraphsLength(),
            "flex_ops": flex,
            "custom_ops": sorted(op for op in codes if op.startswith("CUSTOM")),
            "limits": limits_of(ops),
            **({"remarks": [cost_of_flex(flex)]} if flex else {}),
        },
        metadata=_json(entries.get(METADATA_NAME, b"{}")),
    )


def _map(path: Path) -> Any:
    """Return the root table over the file mapped into memory."""
    from ai_edge_litert.schema_py_generated import Model

    with path.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    if data[4:8] != b"TFL3":
        raise ValueError("it does not bear the identifier TFL3")
    return Model.GetRootAs(data)


def _names(model: Any) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """Return (name, tensor index) of the inputs and outputs: the signature's, or the tensors' own without one."""
    if model.SignatureDefsLength():
        signature = model.SignatureDefs(0)
        return (
            [_pair(signature.Inputs(i)) for i in range(signature.InputsLength())],
            [_pair(signature.Outputs(i)) for i in range(signature.OutputsLength())],
        )
    graph = model.Subgraphs(0)
    return (
        [(graph.Tensors(index).Name().decode(), index) for index in map(graph.Inputs, range(graph.InputsLength()))],
        [(graph.Tensors(index).Name().decode(), index) for index in map(graph.Outputs, range(graph.OutputsLength()))],
    )


def _pair(entry: Any) -> tuple[str, int]:
    return entry.Name().decode(), entry.TensorIndex()


def _tensor_info(graph: Any, name: str, index: int) -> TensorInfo:
    tensor = graph.Tensors(index)
    if tensor.ShapeSignatureLength():
        dimensions = [int(tensor.ShapeSignature(i)) for i in range(tensor.ShapeSignatureLength())]
    else:
        dimensions = [int(tensor.Shape(i)) for i in range(tensor.ShapeLength())]
    return TensorInfo(name, tuple(None if d < 0 else d for d in dimensions), _enum("TensorType", tensor.Type()).lower())


def _op_name(code: Any) -> str:
    builtin = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    custom = code.CustomCode()
    if custom is None:
        return _enum("BuiltinOperator", builtin)
    name = custom.decode()
    return name if name.startswith("Flex") else f"CUSTOM({name})"


def _enum(kind: str, value: int) -> str:
    from ai_edge_litert import schema_py_generated as schema

    names = {v: k for k, v in vars(getattr(schema, kind)).items() if isinstance(v, int)}
    return names.get(value, str(value))


def _metadata(model: Any) -> dict[str, bytes]:
    entries = {}
    for entry in map(model.Metadata, range(model.MetadataLength())):
        data = model.Buffers(entry.Buffer()).DataAsNumpy()
        entries[entry.Name().decode()] = bytes(data) if model.Buffers(entry.Buffer()).DataLength() else b""
    return entries


def _json(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
