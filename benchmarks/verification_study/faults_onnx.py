"""Faults in ONNX files: constants, attributes, ops, edges, rows beyond a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from benchmarks.verification_study.faults import Fault, constant_faults

Edit = Callable[[Any, Any], None]  # of a graph and one of its nodes

TWINS = {
    "Relu": "Softplus",
    "Max": "Min",
    "Min": "Max",
    "Add": "Sub",
    "MaxPool": "AveragePool",
    "GlobalAveragePool": "GlobalMaxPool",
    "GlobalMaxPool": "GlobalAveragePool",
    "ReduceMean": "ReduceMax",
    "ReduceMax": "ReduceMean",
    "Sigmoid": "HardSigmoid",
    "Tanh": "Erf",
    "Erf": "Tanh",
    "Floor": "Round",
    "Round": "Floor",
    "Greater": "GreaterOrEqual",
    "Less": "LessOrEqual",
    "HardSwish": "Mish",
    "Elu": "Celu",
    "And": "Or",
}
FLAGS = {"ArgMax": ("select_last_index", 0), "TopK": ("largest", 1), "CumSum": ("exclusive", 0)}
SWAPS = ("Sub", "Div", "Pow", "Concat", "Less", "Greater")


def faults(path: Path, seed: int) -> Iterator[Fault]:
    """Yield the faults that an ONNX file can have."""
    proto = onnx.load(path)
    arrays = {
        t.name: numpy_helper.to_array(t) for t in proto.graph.initializer if t.data_type == onnx.TensorProto.FLOAT
    }
    yield from constant_faults(arrays, _write_constant, seed)
    constants = {t.name for t in proto.graph.initializer}
    for number, node in enumerate(proto.graph.node):
        for kind, edit in _edits(node, constants):
            yield Fault(kind, f"{node.op_type} {node.name}", lambda s, t, n=number, e=edit: _write_edit(s, t, n, e))
    yield from _whole(proto)


def _write_constant(source: Path, target: Path, name: str, value: np.ndarray) -> None:
    proto = onnx.load(source)
    for tensor in proto.graph.initializer:
        if tensor.name == name:
            tensor.CopyFrom(numpy_helper.from_array(value, name))
    onnx.save(proto, target)


def _write_edit(source: Path, target: Path, number: int, edit: Edit) -> None:
    proto = onnx.load(source)
    edit(proto.graph, proto.graph.node[number])
    del proto.graph.value_info[:]  # types and shapes of what was there before
    onnx.save(proto, target)


def _edits(node: Any, constants: set[str]) -> Iterator[tuple[str, Edit]]:
    """Yield what can go wrong in a node."""
    values = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    yield from _attribute_edits(node.op_type, values)
    computed = [n for n, name in enumerate(node.input) if name and name not in constants]
    if node.op_type in TWINS:
        yield f"{node.op_type} for its twin", lambda graph, node: _retyped(node, TWINS[node.op_type])
    if node.op_type in SWAPS and len(node.input) == 2:
        yield "inputs swapped", lambda graph, node: _swapped(node, 0, 1)
    if node.op_type == "Add" and len(computed) == 2:
        yield "residual dropped", lambda graph, node: _kept(node, 0)
    if node.op_type in ("Relu", "Clip", "Max", "Min") and computed:
        yield "clip or guard lost", lambda graph, node, c=computed[0]: _kept(node, c)
    if node.op_type == "Where":
        yield "condition turned", lambda graph, node: _swapped(node, 1, 2)
        yield "mask ignored", lambda graph, node: _kept(node, 1)


def _attribute_edits(op: str, values: dict[str, Any]) -> Iterator[tuple[str, Edit]]:
    """Yield other values of attributes, as if they had been read wrongly."""
    if "epsilon" in values:
        yield "epsilon", _with(epsilon=values["epsilon"] / 100)
    if op in ("LeakyRelu", "Elu", "Selu", "ThresholdedRelu", "HardSigmoid"):
        yield "slope", _with(alpha=values.get("alpha", 0.5) * 1.02)
    if op == "Gelu":
        exact = values.get("approximate", b"none") == b"none"
        yield "the other GELU", _with(approximate="tanh" if exact else "none")
    if op in ("LSTM", "GRU", "RNN"):
        yield "cell clipped at 1", _with(clip=1.0)
        yield "cell clipped at 10", _with(clip=10.0)
        backwards = values.get("direction", b"forward") == b"forward"
        yield "another direction", _with(direction="reverse" if backwards else "forward")
    if op == "GRU":
        yield "reset after or before", _with(linear_before_reset=1 - values.get("linear_before_reset", 0))
    yield from _places_edits(op, values)


def _places_edits(op: str, values: dict[str, Any]) -> Iterator[tuple[str, Edit]]:
    """Yield other values of attributes that say where a value comes from: padding, axes, corners, order."""
    pads = list(values.get("pads", ()))
    if pads and pads != (turned := pads[len(pads) // 2 :] + pads[: len(pads) // 2]):
        yield "padding on the other side", _with(pads=turned)
    if values.get("auto_pad") == b"SAME_UPPER":
        yield "padding on the other side", _with(auto_pad="SAME_LOWER")
    if op == "AveragePool":
        yield "padding counted", _with(count_include_pad=1 - values.get("count_include_pad", 0))
    if op in ("Softmax", "LogSoftmax"):
        yield "wrong axis", _with(axis=1 if values.get("axis", -1) in (-1, 2, 3) else -1)
    if op == "Resize":
        yield "corners", _with(coordinate_transformation_mode="align_corners")
        yield "rounding of places", _with(nearest_mode="ceil")
    if op == "Transpose" and len(values.get("perm", ())) > 3:
        yield "axes transposed", _with(perm=_turned(list(values["perm"])))
    if op in FLAGS:
        key, default = FLAGS[op]
        yield f"{op}'s option", _with(**{key: 1 - values.get(key, default)})


def _turned(perm: list[int]) -> list[int]:
    perm[1], perm[2] = perm[2], perm[1]
    return perm


def _with(**values: Any) -> Edit:
    """Return an edit that sets attributes."""

    def edit(graph: Any, node: Any) -> None:
        kept = [a for a in node.attribute if a.name not in values]
        del node.attribute[:]
        node.attribute.extend([*kept, *(helper.make_attribute(k, v) for k, v in values.items())])

    return edit


def _retyped(node: Any, op: str) -> None:
    node.op_type = op
    allowed = set(onnx.defs.get_schema(op).attributes)
    kept = [a for a in node.attribute if a.name in allowed]
    del node.attribute[:]
    node.attribute.extend(kept)


def _swapped(node: Any, first: int, second: int) -> None:
    node.input[first], node.input[second] = node.input[second], node.input[first]


def _kept(node: Any, number: int) -> None:
    """Let a node hand on one of its inputs."""
    name = node.input[number]
    node.op_type = "Identity"
    del node.attribute[:], node.input[:]
    node.input.append(name)


def _whole(proto: Any) -> Iterator[Fault]:
    """Yield faults of the file as a whole: outputs in another order, rows beyond a batch size."""
    outputs = list(proto.graph.output)
    kinds = {
        (o.type.tensor_type.elem_type, tuple(str(d) for d in o.type.tensor_type.shape.dim)): o.name for o in outputs
    }
    if len(outputs) > 1 and len(kinds) < len(outputs):
        yield Fault("outputs swapped", outputs[0].name, _swap_outputs)
    first = outputs[0].type.tensor_type
    if first.elem_type == onnx.TensorProto.FLOAT and first.shape.dim and first.shape.dim[0].dim_param:
        for rows in (64, 128):
            yield Fault(f"rows from {rows} on", outputs[0].name, lambda s, t, r=rows: _spoil_rows(s, t, r))


def _swap_outputs(source: Path, target: Path) -> None:
    proto = onnx.load(source)
    outputs = proto.graph.output
    pairs = [(a, b) for n, a in enumerate(outputs) for b in outputs[n + 1 :] if a.type == b.type]
    names = {pairs[0][0].name: pairs[0][1].name, pairs[0][1].name: pairs[0][0].name}
    for node in proto.graph.node:
        for field in (node.output, node.input):
            field[:] = [names.get(name, name) for name in field]
    onnx.save(proto, target)


def _spoil_rows(source: Path, target: Path, rows: int) -> None:
    """Multiply the first output by 1.01 in rows beyond a number."""
    proto = onnx.load(source)
    graph, name = proto.graph, proto.graph.output[0].name
    rank = len(graph.output[0].type.tensor_type.shape.dim)
    for node in graph.node:
        for field in (node.output, node.input):
            field[:] = ["spoilt/right" if n == name else n for n in field]
    constants = {"zero": np.int64(0), "one": np.int64(1), "rows": np.int64(rows), "right_by": np.float32(1)}
    constants |= {"wrong_by": np.float32(1.01), "shape": np.array([-1, *[1] * (rank - 1)], np.int64)}
    graph.initializer.extend(numpy_helper.from_array(np.asarray(v), f"spoilt/{k}") for k, v in constants.items())
    steps = [
        ("Shape", ["right"], "sizes"),
        ("Gather", ["sizes", "zero"], "batch"),
        ("Range", ["zero", "batch", "one"], "numbers"),
        ("Less", ["numbers", "rows"], "early"),
        ("Where", ["early", "right_by", "wrong_by"], "factors"),
        ("Reshape", ["factors", "shape"], "column"),
    ]
    nodes = [helper.make_node(op, [f"spoilt/{i}" for i in inputs], [f"spoilt/{o}"]) for op, inputs, o in steps]
    graph.node.extend([*nodes, helper.make_node("Mul", ["spoilt/right", "spoilt/column"], [name])])
    onnx.save(proto, target)
