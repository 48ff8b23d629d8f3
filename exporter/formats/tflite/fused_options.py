"""Options of fused ops that TensorFlow's converter chooses by itself, written as the layer means them.

The converter gives UNIDIRECTIONAL_SEQUENCE_LSTM a `cell_clip` of 10: the kernel then bounds the cell's state, which Keras does
not. 0 means no bound, in LiteRT and in TensorFlow Lite Micro.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

# Positions in the vtable of UnidirectionalSequenceLSTMOptions, from the schema that LiteRT publishes (schema.fbs).
_BOUNDS = {"cell_clip": 6, "proj_clip": 8}


def without_bounds(body: bytes) -> bytes:
    """Return a TFLite file whose LSTMs bound neither their cells nor their outputs."""
    places = list(_bounds(body))
    if not places:
        return body
    content = bytearray(body)
    for place in places:
        struct.pack_into("<f", content, place, 0.0)
    return bytes(content)


def _bounds(body: bytes) -> Iterator[int]:
    """Give the places of all bounds that the file holds."""
    from ai_edge_litert.schema_py_generated import BuiltinOptions, Model

    root = Model.GetRootAs(body)
    for graph in map(root.Subgraphs, range(root.SubgraphsLength())):
        for op in map(graph.Operators, range(graph.OperatorsLength())):
            if op.BuiltinOptionsType() == BuiltinOptions.UnidirectionalSequenceLSTMOptions:
                yield from _present(op.BuiltinOptions())


def _present(options: Any) -> Iterator[int]:
    """Give the places of the bounds in a table of options; one that is left out is 0."""
    for slot in _BOUNDS.values():
        if offset := options.Offset(slot):
            yield options.Pos + offset
