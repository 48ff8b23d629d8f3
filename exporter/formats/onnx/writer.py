"""Write an ONNX model to disk, its weights streamed: each is read from Keras once and held only while it is written.

Up to the limit of a protobuf file the weights lie in the file itself; beyond it in `model.onnx.data` beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import onnx
import onnx_ir as ir

from exporter.errors import InvalidArtifactError

EXTERNAL_FROM = 1_500_000_000  # bytes of weights; protobuf ends at 2 GiB
STREAMED_FROM = 1024  # bytes; smaller tensors go through protobuf's own classes
GRAPH_FIELD, INITIALIZER_FIELD, RAW_DATA_FIELD = 7, 5, 9  # of ModelProto, GraphProto, TensorProto
ALIGNMENT = 4096  # of tensors in the external file, so that runtimes can map them


def write_model(model: ir.Model, path: Path) -> None:
    """Write `model` to `path`, and to `path` + ".data" if the weights are too large for one protobuf."""
    weights = [v for v in model.graph.initializers.values() if _size(v) >= STREAMED_FROM]
    for value in weights:
        model.graph.initializers.pop(value.name or "")
    proto = ir.to_proto(model)
    check(proto, weights)
    graph = onnx.GraphProto()
    graph.CopyFrom(proto.graph)
    proto.ClearField("graph")
    if sum(_size(v) for v in weights) >= EXTERNAL_FROM:
        data = path.with_name(path.name + ".data")
        graph.initializer.extend(_write_external(weights, data))
        proto.graph.CopyFrom(graph)
        path.write_bytes(proto.SerializeToString(deterministic=True))
    else:
        _write_streamed(proto, graph, weights, path)


def check(proto: onnx.ModelProto, weights: list[ir.Value]) -> None:
    """Hold the model against the standard: ops, attributes, types and shapes; the weights count by type and shape only.

    Raises:
        InvalidArtifactError: if the standard refuses it.
    """
    checked = onnx.ModelProto()
    checked.CopyFrom(proto)
    for value in weights:
        header = _header(value)
        checked.graph.input.append(onnx.helper.make_tensor_value_info(header.name, header.data_type, header.dims))
    try:
        onnx.checker.check_model(checked, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise InvalidArtifactError("the ONNX graph is not valid", where=proto.graph.name, reason=str(error)) from error


def _write_streamed(proto: onnx.ModelProto, graph: onnx.GraphProto, weights: list[ir.Value], path: Path) -> None:
    """Write the protobuf by its wire format: fields may stand in any order, so the weights follow the rest of the graph."""
    head, body = proto.SerializeToString(deterministic=True), graph.SerializeToString(deterministic=True)
    frames = [_Frame(value) for value in weights]
    with path.open("wb") as file:
        file.write(head)
        file.write(_key(GRAPH_FIELD) + _varint(len(body) + sum(len(f.prefix) + f.size for f in frames)))
        file.write(body)
        for frame in frames:
            file.write(frame.prefix)
            _write_tensor(frame.value, file)


class _Frame:
    """The bytes before a tensor's data: its field in the graph, its name, type and shape, the length of the data."""

    def __init__(self, value: ir.Value) -> None:
        self.value, self.size = value, _size(value)
        header = _header(value).SerializeToString(deterministic=True) + _key(RAW_DATA_FIELD) + _varint(self.size)
        self.prefix = _key(INITIALIZER_FIELD) + _varint(len(header) + self.size) + header


def _write_external(weights: list[ir.Value], data: Path) -> Iterator[onnx.TensorProto]:
    with data.open("wb") as file:
        for value in weights:
            file.write(b"\0" * (-file.tell() % ALIGNMENT))
            header = _header(value)
            header.data_location = onnx.TensorProto.EXTERNAL
            for key, entry in (("location", data.name), ("offset", file.tell()), ("length", _size(value))):
                header.external_data.add(key=key, value=str(entry))
            _write_tensor(value, file)
            yield header


def _header(value: ir.Value) -> onnx.TensorProto:
    tensor = value.const_value
    assert tensor is not None
    return onnx.TensorProto(name=value.name, data_type=int(tensor.dtype), dims=tensor.shape.numpy())


def _write_tensor(value: ir.Value, file: BinaryIO) -> None:
    tensor = value.const_value
    assert tensor is not None
    array = np.ascontiguousarray(tensor.numpy())
    assert array.nbytes == _size(value), f"{value.name}: {array.nbytes} bytes, {_size(value)} announced"
    file.write(array.reshape(-1).view(np.uint8).data)


def _size(value: ir.Value) -> int:
    tensor = value.const_value
    assert tensor is not None
    return 0 if tensor.dtype == ir.DataType.STRING else tensor.nbytes


def _key(field: int) -> bytes:
    return _varint(field << 3 | 2)  # 2: a length and then bytes


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
