"""Read what an ORT file says of itself, without its weights and without a runtime."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from exporter.errors import InvalidArtifactError
from exporter.formats.onnx.inspect import RUNTIMES
from exporter.spec import Inspection, TensorInfo

MAIN_DOMAIN = ("", "ai.onnx")
DTYPES = {"FLOAT": "float32", "DOUBLE": "float64"}


def inspect_model(path: Path) -> Inspection:
    """Return what the file holds.

    Raises:
        InvalidArtifactError: if it is not an ORT file.
    """
    from onnxruntime.tools import ort_format_model  # noqa: F401 - it makes ort_flatbuffers_py importable
    from ort_flatbuffers_py.fbs.InferenceSession import InferenceSession

    contents = path.read_bytes()
    if not InferenceSession.InferenceSessionBufferHasIdentifier(contents, 0):
        raise InvalidArtifactError("not an ORT file", where=str(path), reason="its first bytes are others")
    session = InferenceSession.GetRootAs(contents, 0)
    model = session.Model()
    graph = model.Graph()
    ops = Counter(node.OpType().decode() for node in _nodes(graph))
    imports = [model.OpsetImport(n) for n in range(model.OpsetImportLength())]
    opset = next((i.Version() for i in imports if i.Domain().decode() in MAIN_DOMAIN), 0)
    properties = [model.MetadataProps(n) for n in range(model.MetadataPropsLength())]
    metadata = {p.Key().decode(): p.Value().decode() for p in properties}
    config = path.with_name(f"{path.stem}.required_operators.config")
    facts = {
        "opset": opset,
        "ort_format": int(session.OrtVersion()),
        "minimum_runtime": f"onnxruntime {RUNTIMES.get(opset, f'newer than {max(RUNTIMES.values())}')}",
        "nodes": sum(ops.values()),
        "transposes": ops["Transpose"],
        "producer": f"{model.ProducerName().decode()} {model.ProducerVersion().decode()}".strip(),
        "required_operators": config.name if config.is_file() else None,
    }
    described = {info.name: info for info in (_info(graph.NodeArgs(n)) for n in range(graph.NodeArgsLength()))}
    weights = {graph.Initializers(n).Name() for n in range(graph.InitializersLength())}
    inputs = [graph.Inputs(n) for n in range(graph.InputsLength()) if graph.Inputs(n) not in weights]
    outputs = [graph.Outputs(n) for n in range(graph.OutputsLength())]
    return Inspection(
        "ort",
        tuple(described[name.decode()] for name in inputs),
        tuple(described[name.decode()] for name in outputs),
        dict(ops.most_common()),
        len(contents),
        facts,
        json.loads(metadata.get("keras_exporter", "{}")),
    )


def _nodes(graph: Any) -> Iterator[Any]:
    """Yield the nodes of a graph and of the bodies of its loops and branches."""
    for n in range(graph.NodesLength()):
        node = graph.Nodes(n)
        yield node
        for a in range(node.AttributesLength()):
            body = node.Attributes(a).G()
            if body is not None:
                yield from _nodes(body)


def _info(described: Any) -> TensorInfo:
    from ort_flatbuffers_py.fbs.TensorDataType import TensorDataType
    from ort_flatbuffers_py.fbs.TensorTypeAndShape import TensorTypeAndShape

    name, kind = described.Name().decode(), described.Type()
    if kind is None or kind.Value() is None:
        return TensorInfo(name, (), "unknown")
    tensor = TensorTypeAndShape()
    tensor.Init(kind.Value().Bytes, kind.Value().Pos)
    types = {number: text for text, number in vars(TensorDataType).items() if not text.startswith("_")}
    spelled = types.get(tensor.ElemType(), "unknown")
    shape = tensor.Shape()
    dims = [] if shape is None else [shape.Dim(n).Value() for n in range(shape.DimLength())]
    sizes = tuple(d.DimValue() if d is not None and d.DimType() == 1 else None for d in dims)
    return TensorInfo(name, sizes, DTYPES.get(spelled, spelled.lower()))
