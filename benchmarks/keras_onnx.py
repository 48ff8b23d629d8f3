"""The baseline: Keras's own ONNX export, repaired where ONNX Runtime does not load or feed it."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx

from exporter.capture.patching import overridden


def export(model: keras.Model, path: Path) -> None:
    """Write `model` as Keras does, and what was repaired beside it, as `path`.repairs."""
    model([np.zeros((1, *i.shape[1:]), i.dtype) for i in model.inputs])  # Keras refuses a model that was never called
    grouped: list[str] = []
    with overridden({}, {"nn.conv": functools.partial(_depthwise, grouped)}):
        model.export(str(path), format="onnx", verbose=False, input_signature=_static_signature(model))
    proto = onnx.load(path)
    repairs = [*_replace_erfc(proto), *_fill_inputs(proto, model)]
    repairs += ["grouped convolutions, left as StatefulPartitionedCall"] if grouped else []
    onnx.save(proto, path)
    path.with_suffix(".repairs").write_text("; ".join(repairs))


def _static_signature(model: keras.Model) -> list[keras.InputSpec] | None:
    """Return the signature of a model of a fixed batch, which Keras would export with a dynamic one; else None."""
    if any(i.shape[0] is None for i in model.inputs):
        return None
    return [keras.InputSpec(shape=i.shape, dtype=i.dtype) for i in model.inputs]


def _depthwise(found: list[str], original: Any, inputs: Any, kernel: Any, *args: Any, **kwargs: Any) -> Any:
    """Run a convolution of one channel per group as what it is: Keras compiles grouped ones by XLA, unknown to tf2onnx."""
    from keras.src.backend import tensorflow as backend

    if kernel.shape[-2] != 1 or inputs.shape[-1] in (1, None) or kernel.shape[-1] != inputs.shape[-1]:
        return original(inputs, kernel, *args, **kwargs)
    found.append("grouped")
    rank = len(kernel.shape)
    swapped = backend.numpy.transpose(kernel, (*range(rank - 2), rank - 1, rank - 2))
    args, kwargs = keras.tree.lists_to_tuples((args, kwargs))
    return backend.nn.depthwise_conv(inputs, swapped, *args, **kwargs)


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


def _fill_inputs(proto: onnx.ModelProto, model: keras.Model) -> list[str]:
    """Give the mean and variance of a Normalization, which Keras's export makes inputs, their values."""
    surplus = list(proto.graph.input)[len(model.inputs) :]
    for value in surplus:
        layer = next(n for n in model._flatten_layers() if f"/{n.name}_" in value.name and hasattr(n, "mean"))
        array = np.asarray(layer.mean if "/Sub/" in value.name else layer.variance, np.float32)
        proto.graph.initializer.append(onnx.numpy_helper.from_array(array, value.name))
        proto.graph.input.remove(value)
    return [f"{len(surplus)} constants that were inputs"] if surplus else []
