"""Faults in SavedModels: variables in the checkpoint, constants, attributes and ops in the graph."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.verification_study.faults import Fault, constant_faults

Edit = Callable[[Any], None]  # of a node

TWINS = {
    "Relu": "Relu6",
    "Relu6": "Relu",
    "Sigmoid": "Tanh",
    "Tanh": "Erf",
    "Erf": "Tanh",
    "Elu": "Selu",
    "Softplus": "Relu",
    "Maximum": "Minimum",
    "Minimum": "Maximum",
    "Round": "Floor",
    "Max": "Mean",
    "Mean": "Max",
    "Less": "LessEqual",
    "Greater": "GreaterEqual",
    "LogicalAnd": "LogicalOr",
}
SWAPS = ("Sub", "RealDiv", "Pow", "Less", "Greater")
VALUES = "variables/variables"


def faults(path: Path, seed: int) -> Iterator[Fault]:
    """Yield the faults that a SavedModel can have."""
    yield from constant_faults(_variables(path), _write_variable, seed)
    proto = _loaded(path)
    constants = {key: a for key, node in _nodes(proto) if (a := _scalar(node)) is not None}
    yield from constant_faults(constants, _write_constant, seed)
    for key, node in _nodes(proto):
        for kind, edit in _edits(node):
            yield Fault(kind, f"{node.op} {key}", lambda s, t, k=key, e=edit: _write_edit(s, t, k, e))


def _loaded(path: Path) -> Any:
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    return SavedModel.FromString((path / "saved_model.pb").read_bytes())


def _nodes(proto: Any) -> Iterator[tuple[str, Any]]:
    """Yield the nodes of the functions that inference runs, with keys."""
    seen: Counter[str] = Counter()
    for function in proto.meta_graphs[0].graph_def.library.function:
        name = re.sub(r"\d+$", "", function.signature.name)  # TensorFlow counts on within a process
        if "serve" in name or "while" in name:
            seen[name] += 1
            for node in function.node_def:
                yield f"{name}{seen[name]}/{node.name}", node


def _scalar(node: Any) -> np.ndarray | None:
    import tensorflow as tf

    if node.op != "Const" or node.attr["dtype"].type != tf.float32.as_datatype_enum:
        return None
    return tf.make_ndarray(node.attr["value"].tensor)


def _variables(path: Path) -> dict[str, np.ndarray]:
    """Return the float32 variables by their keys in the checkpoint."""
    import tensorflow as tf

    reader = tf.train.load_checkpoint(str(path / VALUES))
    dtypes = reader.get_variable_to_dtype_map()
    return {key: reader.get_tensor(key) for key in sorted(dtypes) if dtypes[key] == tf.float32}


def _write_variable(source: Path, target: Path, name: str, value: np.ndarray) -> None:
    """Copy the folder, and write its checkpoint anew with one other value."""
    import tensorflow as tf

    shutil.copytree(source, target)
    reader = tf.train.load_checkpoint(str(source / VALUES))
    keys = sorted(reader.get_variable_to_dtype_map())
    tensors = [tf.constant(value if key == name else reader.get_tensor(key)) for key in keys]
    shutil.rmtree(target / "variables")
    (target / "variables").mkdir()
    tf.raw_ops.SaveV2(
        prefix=str(target / VALUES), tensor_names=keys, shape_and_slices=[""] * len(keys), tensors=tensors
    )


def _write_constant(source: Path, target: Path, name: str, value: np.ndarray) -> None:
    import tensorflow as tf

    def edit(node: Any) -> None:
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))

    _write_edit(source, target, name, edit)


def _write_edit(source: Path, target: Path, key: str, edit: Edit) -> None:
    proto = _loaded(source)
    for found, node in _nodes(proto):
        if found == key:
            edit(node)
    shutil.copytree(source, target)
    (target / "saved_model.pb").write_bytes(proto.SerializeToString())


def _edits(node: Any) -> Iterator[tuple[str, Edit]]:
    """Yield what can go wrong in a node."""
    if node.op in TWINS:
        yield f"{node.op} for its twin", lambda node: setattr(node, "op", TWINS[node.op])
    if node.op in SWAPS:
        yield "inputs swapped", lambda node: _swapped(node, 0, 1)
    if node.op == "AddV2" and "add" in node.name.lower():
        yield "sign of an addition", lambda node: setattr(node, "op", "Sub")
    if node.op == "SelectV2":
        yield "condition turned", lambda node: _swapped(node, 1, 2)
        yield "mask ignored", lambda node: _doubled(node, 1, 2)
    if node.op in ("AvgPool", "MaxPool"):
        yield f"{node.op} for its twin", _pooled
    if node.op.startswith("FusedBatchNorm"):
        yield "epsilon", lambda node: setattr(node.attr["epsilon"], "f", node.attr["epsilon"].f / 100)
    if node.op == "LeakyRelu":
        yield "slope", lambda node: setattr(node.attr["alpha"], "f", node.attr["alpha"].f * 1.02)
    if node.op.startswith("Resize"):
        yield (
            "corners",
            lambda node: setattr(node.attr["half_pixel_centers"], "b", not node.attr["half_pixel_centers"].b),
        )
    if node.op == "Cumsum":
        yield "CumSum's option", lambda node: setattr(node.attr["exclusive"], "b", not node.attr["exclusive"].b)


def _swapped(node: Any, first: int, second: int) -> None:
    node.input[first], node.input[second] = node.input[second], node.input[first]


def _doubled(node: Any, kept: int, lost: int) -> None:
    node.input[lost] = node.input[kept]


def _pooled(node: Any) -> None:
    node.op = "MaxPool" if node.op == "AvgPool" else "AvgPool"
    node.attr.pop("explicit_paddings", None)
