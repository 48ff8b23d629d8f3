"""From an inference function to an ONNX IR model: trace, lower, optimize, name, choose the opset."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import onnx_ir as ir

from exporter.capture.inference import Inference
from exporter.capture.leading_dimensions import Leading, free_inputs
from exporter.errors import UsageError
from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.layer_map import KEY, LayerMap
from exporter.formats.onnx.lower import lower, outer_type
from exporter.formats.onnx.opset import NEWEST, OLDEST, lowest_opset, settle
from exporter.formats.onnx.passes import optimize
from exporter.formats.onnx.probabilities import exact_sigmoid
from exporter.formats.onnx.runner import PRODUCER
from exporter.formats.onnx.trace import trace
from exporter.spec import Options, TensorInfo

DOMAINS = {"ai.onnx.ml": 2}  # besides the standard's main one, and the lowest opset that has what lowerings use


def build(inference: Inference, options: Options, metadata: Mapping[str, object]) -> ir.Model:
    """Return the ONNX model of `inference`, its weights not yet read.

    Raises:
        UnsupportedError: if something in the model has no counterpart in ONNX.
        UsageError: if the opset asked for is out of range.
    """
    if options.opset is not None and not OLDEST <= options.opset <= NEWEST:
        raise UsageError("unknown opset", where=str(options.opset), reason=f"this version writes {OLDEST} to {NEWEST}")
    inputs = inference.inputs_for(options.batch)
    leading = inference.leading if free_inputs(inputs) else Leading()
    traced = trace(inference, inputs)
    g = Graph(options.opset or NEWEST)
    lowered = lower(traced, g, inputs, dimensions(inputs, leading.inputs))
    infos = [(o.name, o.dtype) for o in inference.outputs_of(traced.graph)]
    graph = ir.Graph(
        [v.ir for v in g.inputs if v.ir is not None],
        [
            _output(g, name, dtype, value, leading.outputs.get(name))
            for (name, dtype), value in zip(infos, lowered.outputs, strict=True)
        ],
        nodes=g.nodes,
        initializers=list(g.initializers.values()),
        name=inference.model.name,
    )
    layers = LayerMap(traced.calls.found, lowered.values, graph)
    optimize(graph, layers, g)
    opset = options.opset or lowest_opset(graph, g.wanted)
    settle(graph, opset)
    graph.opset_imports[""] = opset
    graph.opset_imports.update({d: DOMAINS[d] for d in sorted({node.domain for node in graph.all_nodes()} - {""})})
    model = _model(graph, metadata)
    model.metadata_props[KEY] = layers.encode()
    return model


def dimensions(inputs: Sequence[TensorInfo], leading: Mapping[str, str]) -> list[list[int | str]]:
    """Name the dynamic dimensions: the first as `leading` says, by input, the others after their input and axis."""
    return [
        [d if d is not None else f"{i.name}_{axis}" if axis else leading[i.name] for axis, d in enumerate(i.shape)]
        for i in inputs
    ]


def _output(g: Graph, name: str, dtype: str, value: Value, leading: str | None) -> ir.Value:
    wanted = outer_type(dtype)
    if value.ir is not None and value.ir.name == name:
        return value.ir  # the model returns an input under its own name
    result = exact_sigmoid(g, value)
    result = g.cast(result, wanted) if wanted == ir.DataType.FLOAT16 else result
    written = g.op("Identity", result).ir  # an output needs a name of its own; needless ones are removed
    assert written is not None
    shape = [leading if axis == 0 and d is None else d for axis, d in enumerate(value.shape)]
    written.name, written.shape, written.type = name, ir.Shape(shape), ir.TensorType(wanted)
    return written


def _model(graph: ir.Graph, metadata: Mapping[str, object]) -> ir.Model:
    import onnx.helper

    opset = graph.opset_imports[""]
    version = onnx.helper.find_min_ir_version_for([onnx.helper.make_opsetid("", opset)])
    origin: dict[str, Any] = {"producer_name": PRODUCER, "producer_version": str(metadata.get("exporter", ""))}
    model = ir.Model(graph, ir_version=version, **origin)
    model.metadata_props["keras_exporter"] = json.dumps(metadata, sort_keys=True)
    return model
