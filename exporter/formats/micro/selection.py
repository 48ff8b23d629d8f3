"""SELECT as SELECT_V2, which takes broadcast shapes, too, and is the one that TensorFlow Lite Micro has a kernel for."""

from __future__ import annotations

import struct
from typing import Any

# Positions of the op's number in the vtable of OperatorCode, from LiteRT's schema: the old one, of a byte, and the new one.
_CODES = ((4, "<b"), (10, "<i"))


def with_select_v2(model: bytes) -> bytes:
    """Return a TFLite file in which each SELECT of equal shapes is a SELECT_V2: the same choice under another number."""
    from ai_edge_litert.schema_py_generated import BuiltinOperator, Model

    content = bytearray(model)
    root = Model.GetRootAs(content)
    for number in range(root.OperatorCodesLength()):
        table = root.OperatorCodes(number)._tab
        if root.OperatorCodes(number).BuiltinCode() == BuiltinOperator.SELECT and _of_equal_shapes(root, number):
            for slot, form in _CODES:
                if offset := table.Offset(slot):
                    struct.pack_into(form, content, table.Pos + offset, BuiltinOperator.SELECT_V2)
    return bytes(content)


def _of_equal_shapes(root: Any, code: int) -> bool:
    """Return whether in every op of this code the condition has the shape of what it chooses from."""
    graphs = [root.Subgraphs(i) for i in range(root.SubgraphsLength())]
    ops = ((g, g.Operators(i)) for g in graphs for i in range(g.OperatorsLength()))
    shapes = ([_shape(g.Tensors(op.Inputs(i))) for i in (0, 1)] for g, op in ops if op.OpcodeIndex() == code)
    return all(condition == chosen for condition, chosen in shapes)


def _shape(tensor: Any) -> list[int]:
    return [tensor.Shape(i) for i in range(tensor.ShapeLength())]
