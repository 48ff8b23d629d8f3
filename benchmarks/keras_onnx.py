"""The baseline: Keras's own ONNX export, repaired where ONNX Runtime does not load or feed it."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import onnx


def export(model: keras.Model, path: Path) -> None:
    """Write `model` as Keras does, and what was repaired beside it, as `path`.repairs."""
    model([np.zeros((1, *i.shape[1:]), i.dtype) for i in model.inputs])  # Keras refuses a model that was never called
    model.export(str(path), format="onnx", verbose=False)
    proto = onnx.load(path)
    repairs = [*_replace_erfc(proto), *_fill_inputs(proto, len(model.inputs))]
    onnx.save(proto, path)
    path.with_suffix(".repairs").write_text("; ".join(repairs))


def _replace_erfc(proto: onnx.ModelProto) -> list[str]:
    """Write 1 - Erf for Erfc, which ONNX does not have."""
    nodes, found = [], 0
    for node in proto.graph.node:
        if node.op_type == "Erfc":
            found += 1
            inner = f"{node.output[0]}/erf"
            nodes.append(onnx.helper.make_node("Erf", node.input, [inner]))
            nodes.append(onnx.helper.make_node("Sub", ["exporter/one", inner], node.output))
        else:
            nodes.append(node)
    if not found:
        return []
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)
    proto.graph.initializer.append(onnx.numpy_helper.from_array(np.float32(1), "exporter/one"))
    return [f"{found} Erfc"]


def _fill_inputs(proto: onnx.ModelProto, wanted: int) -> list[str]:
    """Give constants, which Keras's export makes inputs, a value of ones: the time is the same."""
    surplus = list(proto.graph.input)[wanted:]
    for value in surplus:
        shape = [d.dim_value or 1 for d in value.type.tensor_type.shape.dim]
        dtype = onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
        proto.graph.initializer.append(onnx.numpy_helper.from_array(np.ones(shape, dtype), value.name))
        proto.graph.input.remove(value)
    return [f"{len(surplus)} constants that were inputs"] if surplus else []
