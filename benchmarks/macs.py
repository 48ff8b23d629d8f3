"""Multiply-accumulates of an ONNX model, counted from the shapes that its tensors have when it runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx

COUNTED = frozenset({"Conv", "ConvTranspose", "MatMul", "Gemm", "GRU", "LSTM", "RNN"})
Shapes = Mapping[str, tuple[int, ...]]


def count(path: Path, fed: Mapping[str, np.ndarray]) -> int:
    """Return the multiply-accumulates of convolutions, matrix products and recurrent layers when the model is `fed`."""
    model = onnx.load(path)
    nodes = [node for node in model.graph.node if node.op_type in COUNTED]
    shapes = _shapes(model, nodes, fed)
    return sum(_node(node, shapes) for node in nodes)


def _shapes(model: onnx.ModelProto, nodes: list[onnx.NodeProto], fed: Mapping[str, np.ndarray]) -> Shapes:
    """Return the shapes of what the nodes read and write: they are made outputs, and the model is run once."""
    import onnxruntime as ort

    known = {t.name: tuple(t.dims) for t in model.graph.initializer} | {name: a.shape for name, a in fed.items()}
    names = dict.fromkeys(n for node in nodes for n in (*node.input[:3], *node.output) if n and n not in known)
    wanted = list(names)
    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in wanted)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return known | {name: a.shape for name, a in zip(wanted, session.run(wanted, dict(fed)), strict=True)}


def _node(node: onnx.NodeProto, shapes: Shapes) -> int:
    first, second = shapes[node.input[0]], shapes[node.input[1]]
    out = next(math.prod(shapes[name]) for name in node.output if name)
    if node.op_type == "Conv":
        return out * math.prod(second[1:])
    if node.op_type == "ConvTranspose":
        return math.prod(first) * math.prod(second[1:])
    if node.op_type in ("MatMul", "Gemm"):
        transposed = any(a.name == "transA" and a.i for a in node.attribute)
        return out * (first[0] if transposed else first[-1])
    return first[0] * first[1] * (math.prod(second) + math.prod(shapes[node.input[2]]))  # steps, batch, weights
