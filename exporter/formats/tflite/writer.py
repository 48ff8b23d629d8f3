"""Keras's names and our metadata around a converted file, without unpacking its weights.

Offsets in a flatbuffer only point forward. So a new root with the signature and the metadata is put *in front of* the
converted bytes, the body, and refers to the tables inside it; new tensor names are put *behind* it, and the large weights
that the body takes as inputs. In the body itself only the tensors' pointers to their names change, and the number of its
inputs. The weights are never held in memory a second time.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exporter.errors import UnsupportedError

if TYPE_CHECKING:
    import numpy as np

    from exporter.formats.tflite.build import Converted

SIGNATURE_KEY = "serving_default"
METADATA_NAME = "keras_exporter"
LIMIT = 2**31 - 2**20  # bytes; flatbuffers address with 31 bits, and the names and metadata need some of them
ALIGNMENT = 16  # of the weights within the file, which the runtime maps into memory

# Positions in the vtable, from the schema that LiteRT publishes (schema.fbs).
_OPERATOR_CODES, _SUBGRAPHS, _DESCRIPTION, _BUFFERS, _METADATA = 6, 8, 10, 12, 16
_TENSOR_NAME, _GRAPH_INPUTS = 10, 6


def write_enveloped(
    path: Path, converted: Converted, inputs: Sequence[str], outputs: Sequence[str], metadata: Mapping[str, object]
) -> None:
    """Write a converted model to `path` with a signature and metadata.

    Args:
        path: the file to write.
        converted: the bytes of a TFLite file whose first subgraph has its inputs and outputs in the order of the names, and
            the weights that its further inputs stand for.
        inputs: names of the inputs.
        outputs: names of the outputs; two of them may be the same tensor.
        metadata: JSON values.

    Raises:
        UnsupportedError: if it would be larger than such a file can be.
    """
    from ai_edge_litert.schema_py_generated import Model

    body, weights = converted.body, converted.weights
    model = Model.GetRootAs(body)
    graph = model.Subgraphs(0)
    taken = [*inputs, *(weight.name for weight in weights)]
    inputs_of = list(zip(taken, _indices(graph.Inputs, graph.InputsLength()), strict=True))
    outputs_of = list(zip(outputs, _indices(graph.Outputs, graph.OutputsLength()), strict=True))
    text = json.dumps(metadata, ensure_ascii=False, sort_keys=True).encode()
    tail, patches = _renaming(graph, len(body), [*inputs_of, *outputs_of])
    tail += bytes(-(len(body) + len(tail)) % ALIGNMENT)
    places, end = _places(weights, len(body) + len(tail))
    _refuse_excess(end)
    moved = {
        graph.Tensors(index).Buffer(): place for (_, index), place in zip(inputs_of[len(inputs) :], places, strict=True)
    }
    prefix = _prefix(model, inputs_of[: len(inputs)], outputs_of, text, moved)
    with path.open("wb") as file:
        file.writelines((prefix, body, tail))
        for weight in weights:
            file.writelines(_filled(weight.array()))
        for position, number in [*patches, (_length_of_inputs(graph), len(inputs))]:
            file.seek(len(prefix) + position)
            file.write(struct.pack("<I", number))


# A Buffer table before its numbers: the vtable (sizes 6 and 8, the field at 4), padding, the table (back to the vtable, on to
# the vector), padding, and the vector's length, which ends where the numbers are aligned.
_BUFFER = struct.Struct("<HHH2xiI12xI")
_TABLE = 8  # the table's place in it
_VECTOR = 16  # from the pointer to the vector


def _places(weights: Sequence[Any], start: int) -> tuple[list[int], int]:
    """Return where the Buffer table of each weight will stand, the first one from `start` on, and where the last one ends."""
    places = []
    for weight in weights:
        places.append(start + _TABLE)
        size = 4 * math.prod(weight.shape)
        start += _BUFFER.size + size + -size % ALIGNMENT
    return places, start


def _refuse_excess(size: int) -> None:
    if size > LIMIT:
        raise UnsupportedError(
            "the weights do not fit into a TFLite file",
            where="the whole model",
            reason=f"{size / 2**30:.2f} GiB, some of them perhaps in two orders; a TFLite file ends at 2 GiB",
            remedy="export to ONNX, which keeps large weights in a second file, or split the model",
        )


def _filled(array: np.ndarray) -> tuple[bytes, memoryview, bytes]:
    """Return the bytes of a Buffer table with the numbers."""
    return _BUFFER.pack(6, 8, 4, _TABLE, _VECTOR, array.nbytes), array.data.cast("B"), bytes(-array.nbytes % ALIGNMENT)


def _length_of_inputs(graph: Any) -> int:
    """Return the place of the number of inputs of a subgraph."""
    return int(graph._tab.Vector(graph._tab.Offset(_GRAPH_INPUTS))) - 4


def _indices(get: Any, length: int) -> list[int]:
    return [int(get(i)) for i in range(length)]


def _prefix(
    model: Any, inputs: list[tuple[str, int]], outputs: list[tuple[str, int]], text: bytes, moved: Mapping[int, int]
) -> bytes:
    """Return the new root and what only it refers to; its length is a multiple of ALIGNMENT.

    `moved` has the places, as in the body, of the buffers that do not lie in it, by their numbers.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    builder = flatbuffers.Builder(4096 + len(text))
    builder.Prep(ALIGNMENT, 0)  # Finish pads to the largest alignment seen
    signature = _signature(builder, inputs, outputs)
    signatures = _vector(builder, [signature])
    metadata = _vector(builder, [*_elements(model, _METADATA), _metadata(builder, model.BuffersLength())])
    tables = [-moved.get(number, -place) for number, place in enumerate(_elements(model, _BUFFERS))]
    buffers = _vector(builder, [*tables, _buffer(builder, text)])
    schema.ModelStart(builder)
    schema.ModelAddVersion(builder, model.Version())
    schema.ModelAddOperatorCodes(builder, _field(model, _OPERATOR_CODES))
    schema.ModelAddSubgraphs(builder, _field(model, _SUBGRAPHS))
    schema.ModelAddDescription(builder, _field(model, _DESCRIPTION))
    schema.ModelAddBuffers(builder, buffers)
    schema.ModelAddMetadata(builder, metadata)
    schema.ModelAddSignatureDefs(builder, signatures)
    builder.Finish(schema.ModelEnd(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _field(model: Any, slot: int) -> int:
    """Return the place of a field's value in the body, as the builder counts: backwards from the end of the prefix."""
    table = model._tab
    offset = table.Offset(slot)
    return -int(table.Indirect(table.Pos + offset)) if offset else 0


def _elements(model: Any, slot: int) -> list[int]:
    """Return the places of the tables of a vector in the body, as the builder counts."""
    table = model._tab
    offset = table.Offset(slot)
    if not offset:
        return []
    first = table.Vector(offset)
    return [-int(table.Indirect(first + 4 * i)) for i in range(table.VectorLen(offset))]


def _vector(builder: Any, tables: Sequence[int]) -> int:
    builder.StartVector(4, len(tables), 4)
    for table in reversed(tables):
        builder.PrependUOffsetTRelative(table)
    return builder.EndVector()


def _signature(builder: Any, inputs: list[tuple[str, int]], outputs: list[tuple[str, int]]) -> int:
    from ai_edge_litert import schema_py_generated as schema

    key = builder.CreateString(SIGNATURE_KEY)
    input_maps = _vector(builder, [_tensor_map(builder, *pair) for pair in inputs])
    output_maps = _vector(builder, [_tensor_map(builder, *pair) for pair in outputs])
    schema.SignatureDefStart(builder)
    schema.SignatureDefAddInputs(builder, input_maps)
    schema.SignatureDefAddOutputs(builder, output_maps)
    schema.SignatureDefAddSignatureKey(builder, key)
    schema.SignatureDefAddSubgraphIndex(builder, 0)
    return schema.SignatureDefEnd(builder)


def _tensor_map(builder: Any, name: str, index: int) -> int:
    from ai_edge_litert import schema_py_generated as schema

    text = builder.CreateString(name)
    schema.TensorMapStart(builder)
    schema.TensorMapAddName(builder, text)
    schema.TensorMapAddTensorIndex(builder, index)
    return schema.TensorMapEnd(builder)


def _metadata(builder: Any, buffer: int) -> int:
    from ai_edge_litert import schema_py_generated as schema

    name = builder.CreateString(METADATA_NAME)
    schema.MetadataStart(builder)
    schema.MetadataAddName(builder, name)
    schema.MetadataAddBuffer(builder, buffer)
    return schema.MetadataEnd(builder)


def _buffer(builder: Any, data: bytes) -> int:
    from ai_edge_litert import schema_py_generated as schema

    vector = builder.CreateByteVector(data)
    schema.BufferStart(builder)
    schema.BufferAddData(builder, vector)
    return schema.BufferEnd(builder)


def _renaming(graph: Any, length: int, names: list[tuple[str, int]]) -> tuple[bytes, list[tuple[int, int]]]:
    """Return the strings to put behind a body of `length` bytes, and (position, offset) of the pointers to them.

    A tensor that is an output twice, or an input and an output, takes its first name.
    """
    tail = bytearray(-length % 4)
    patches = []
    first = dict(reversed([(index, name) for name, index in names]))
    for index, name in sorted(first.items()):
        table = graph.Tensors(index)._tab
        if offset := table.Offset(_TENSOR_NAME):
            pointer = table.Pos + offset
            patches.append((pointer, length + len(tail) - pointer))
            text = name.encode()
            tail += struct.pack("<I", len(text)) + text + bytes(4 - len(text) % 4)  # ends with a NUL, aligned
    return bytes(tail), patches
