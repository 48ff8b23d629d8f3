"""Faults in TFLite files: constants, options, opcodes, edges, through the flatbuffer's object interface."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.verification_study.faults import Fault, constant_faults

Edit = Callable[[Any, Any], None]  # of a model and one of its operators

# Ops whose options another op shares, or that have none.
TWINS = {
    "MAXIMUM": "MINIMUM",
    "MINIMUM": "MAXIMUM",
    "LOGISTIC": "TANH",
    "TANH": "LOGISTIC",
    "HARD_SWISH": "RELU6",
    "RELU": "RELU6",
    "RELU6": "RELU",
    "AVERAGE_POOL_2D": "MAX_POOL_2D",
    "MAX_POOL_2D": "AVERAGE_POOL_2D",
    "MEAN": "REDUCE_MAX",
    "REDUCE_MAX": "MEAN",
    "SUM": "REDUCE_MAX",
    "FLOOR": "ROUND",
    "ROUND": "FLOOR",
    "LESS": "LESS_EQUAL",
    "GREATER": "GREATER_EQUAL",
    "RELU_0_TO_1": "RELU6",
}
SWAPS = ("SUB", "DIV", "POW", "CONCATENATION", "LESS", "GREATER")


def schema() -> Any:
    from ai_edge_litert import schema_py_generated

    return schema_py_generated


def loaded(path: Path) -> Any:
    """Return the file as an object."""
    return schema().ModelT.InitFromPackedBuf(path.read_bytes(), 0)


def saved(model: Any, path: Path) -> None:
    """Write the object."""
    import flatbuffers

    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))


def faults(path: Path, seed: int) -> Iterator[Fault]:
    """Yield the faults that a TFLite file can have."""
    model = loaded(path)
    yield from constant_faults(_constants(model), _write_constant, seed)
    names = {value: name for name, value in vars(schema().BuiltinOperator).items() if isinstance(value, int)}
    for g, graph in enumerate(model.subgraphs):
        constant = {n for n, t in enumerate(graph.tensors) if model.buffers[t.buffer].data is not None}
        for o, operator in enumerate(graph.operators):
            op = names[_code(model, operator)]
            for kind, edit in _edits(op, operator, constant, graph):
                yield Fault(kind, f"{op} {o}", lambda s, t, at=(g, o), e=edit: _write_edit(s, t, at, e))
    yield from _swapped_outputs(model)


def _code(model: Any, operator: Any) -> int:
    code = model.operatorCodes[operator.opcodeIndex]
    return max(code.builtinCode, code.deprecatedBuiltinCode)


def _constants(model: Any) -> dict[str, np.ndarray]:
    """Return the float32 constants by their buffer's number."""
    found = {}
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            data = model.buffers[tensor.buffer].data
            if tensor.type == schema().TensorType.FLOAT32 and data is not None and tensor.sparsity is None:
                shape = () if tensor.shape is None else tuple(tensor.shape)
                found[str(tensor.buffer)] = np.frombuffer(bytes(data), np.float32).reshape(shape)
    return found


def _write_constant(source: Path, target: Path, name: str, value: np.ndarray) -> None:
    model = loaded(source)
    model.buffers[int(name)].data = np.frombuffer(value.tobytes(), np.uint8)
    saved(model, target)


def _write_edit(source: Path, target: Path, at: tuple[int, int], edit: Edit) -> None:
    model = loaded(source)
    edit(model, model.subgraphs[at[0]].operators[at[1]])
    saved(model, target)


def _edits(op: str, operator: Any, constant: set[int], graph: Any) -> Iterator[tuple[str, Edit]]:
    """Yield what can go wrong in an operator."""
    options, computed = operator.builtinOptions, [i for i in operator.inputs if i not in constant]
    if op in TWINS:
        yield f"{op} for its twin", lambda model, operator: _retyped(model, operator, TWINS[op])
    if op in SWAPS and len(operator.inputs) == 2:
        yield "inputs swapped", lambda model, operator: _reordered(operator, [1, 0])
    if op == "ADD" and len(computed) == 2 and _same_shape(graph, operator):
        yield "residual dropped", lambda model, operator: _doubled(operator)
    if op in ("SELECT", "SELECT_V2"):
        yield "condition turned", lambda model, operator: _reordered(operator, [0, 2, 1])
        yield "mask ignored", lambda model, operator: _reordered(operator, [0, 1, 1])
    if options is not None:
        yield from _option_edits(op, options)


def _option_edits(op: str, options: Any) -> Iterator[tuple[str, Edit]]:
    """Yield other values of options, as if they had been read wrongly."""
    kinds = schema().ActivationFunctionType
    fused = getattr(options, "fusedActivationFunction", kinds.NONE)
    if fused != kinds.NONE and "LSTM" not in op:
        yield "fused activation lost", _with(fusedActivationFunction=kinds.NONE)
        yield "the other ReLU", _with(fusedActivationFunction=kinds.RELU6 if fused == kinds.RELU else kinds.RELU)
    if op == "LEAKY_RELU":
        yield "slope", _with(alpha=options.alpha * 1.02)
    if op == "SOFTMAX":
        yield "temperature", _with(beta=options.beta * 1.001)
    if op == "GELU":
        yield "the other GELU", _with(approximate=not options.approximate)
    if op.startswith("RESIZE_"):
        yield "corners", _with(halfPixelCenters=not options.halfPixelCenters, alignCorners=False)
    if hasattr(options, "cellClip"):
        yield "cell clipped at 1", _with(cellClip=1.0)
        yield "cell clipped at 10", _with(cellClip=10.0)
    if op == "CUMSUM":
        yield "CumSum's option", _with(exclusive=not options.exclusive)


def _with(**values: Any) -> Edit:
    """Return an edit that sets options."""

    def edit(model: Any, operator: Any) -> None:
        for name, value in values.items():
            setattr(operator.builtinOptions, name, value)

    return edit


def _retyped(model: Any, operator: Any, op: str) -> None:
    """Let an operator be another; options that the two do not share are dropped."""
    types, code = schema().BuiltinOperator, schema().OperatorCodeT()
    code.builtinCode = getattr(types, op)
    code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), 1
    model.operatorCodes.append(code)
    operator.opcodeIndex = len(model.operatorCodes) - 1


def _reordered(operator: Any, order: list[int]) -> None:
    operator.inputs = np.array([operator.inputs[n] for n in order], np.int32)


def _doubled(operator: Any) -> None:
    """Add the first input to itself: the way around is lost."""
    operator.inputs = np.array([operator.inputs[0]] * 2, np.int32)


def _same_shape(graph: Any, operator: Any) -> bool:
    first, second = (tuple(graph.tensors[i].shape) for i in operator.inputs)
    return first == second


def _swapped_outputs(model: Any) -> Iterator[Fault]:
    """Yield the swap of two outputs of one shape and dtype."""
    graph, signatures = model.subgraphs[0], model.signatureDefs or []
    places = list(graph.outputs)
    kinds = {n: (graph.tensors[n].type, tuple(graph.tensors[n].shape)) for n in places}
    twins = [(a, b) for n, a in enumerate(places) for b in places[n + 1 :] if kinds[a] == kinds[b]]
    if twins and signatures:
        yield Fault("outputs swapped", str(twins[0]), lambda s, t, p=twins[0]: _write_swapped(s, t, p))


def _write_swapped(source: Path, target: Path, pair: tuple[int, int]) -> None:
    model = loaded(source)
    turned = {pair[0]: pair[1], pair[1]: pair[0]}
    graph = model.subgraphs[0]
    graph.outputs = np.array([turned.get(n, n) for n in graph.outputs], np.int32)
    for output in model.signatureDefs[0].outputs:
        output.tensorIndex = turned.get(output.tensorIndex, output.tensorIndex)
    saved(model, target)
