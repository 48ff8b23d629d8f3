"""Read what an ONNX file says of itself, without its weights and without a runtime."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import onnx
import onnx_ir as ir

from exporter.errors import InvalidArtifactError
from exporter.formats.onnx.layer_map import KEY
from exporter.spec import Inspection, TensorInfo

# The first release of ONNX Runtime that implements an opset, from its documentation of compatibility.
RUNTIMES = {
    13: "1.7",
    14: "1.9",
    15: "1.10",
    16: "1.11",
    17: "1.12",
    18: "1.14",
    19: "1.15",
    20: "1.17",
    21: "1.18",
    22: "1.20",
    23: "1.23",
    24: "1.24",
}


def inspect_model(path: Path) -> Inspection:
    """Return what the file holds.

    Raises:
        InvalidArtifactError: if it is not an ONNX file.
    """
    try:
        proto = onnx.load(path, load_external_data=False)
        model = ir.from_proto(proto)
    except Exception as error:  # protobuf's DecodeError has no stable home
        raise InvalidArtifactError("not an ONNX file", where=str(path), reason=str(error)) from error
    if not proto.graph.output:
        raise InvalidArtifactError("not an ONNX file", where=str(path), reason="it holds no graph")
    ops = Counter(node.op_type for node in model.graph.all_nodes())
    opset = model.opset_imports.get("", 0)
    data = path.with_name(path.name + ".data")
    size = path.stat().st_size + (data.stat().st_size if data.is_file() else 0)
    facts = {
        "opset": opset,
        "ir_version": model.ir_version,
        "minimum_runtime": f"onnxruntime {RUNTIMES.get(opset, 'newer than 1.24')}",
        "nodes": sum(ops.values()),
        "transposes": ops["Transpose"],
        "layers_told": len(_json(model.metadata_props.get(KEY, "{}"))),
        "producer": f"{model.producer_name or 'unknown'} {model.producer_version or ''}".strip(),
        "external_data": data.name if data.is_file() else None,
    }
    inputs = tuple(_info(v) for v in model.graph.inputs if v.name not in model.graph.initializers)
    outputs = tuple(_info(v) for v in model.graph.outputs)
    metadata = _json(model.metadata_props.get("keras_exporter", "{}"))
    return Inspection("onnx", inputs, outputs, dict(ops.most_common()), size, facts, metadata)


def _json(text: str) -> dict[str, Any]:
    """What we have written there; nothing if somebody else has."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _info(value: ir.Value) -> TensorInfo:
    dtype = value.dtype.name.lower() if value.dtype is not None else "unknown"
    dims = () if value.shape is None else tuple(d if isinstance(d, int) else None for d in value.shape)
    return TensorInfo(value.name or "", dims, {"float": "float32", "double": "float64"}.get(dtype, dtype))
