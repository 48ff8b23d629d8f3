"""Loops that lowerings write themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.lowerings.array.joining import concatenated
from exporter.formats.onnx.lowerings.array.reshaping import unsqueezed

Step = Callable[[Graph, Value, list[Value]], tuple[Sequence[Value], Sequence[Value]]]
UNROLLED = 4  # turns; so many are written one after the other


def repeated(g: Graph, turns: int, states: Sequence[Value], step: Step) -> tuple[list[Value], list[Value]]:
    """Run `step` for turn 0, 1, … and return the last states, and what it gave in every turn, along a new first axis.

    Args:
        g: the graph.
        turns: how often.
        states: before the first turn; they keep their shapes and dtypes.
        step: takes the graph to write into, the number of the turn as an int64 vector of one element, and the states;
            returns the new states, and tensors to be stacked.
    """
    if turns <= UNROLLED:
        return _unrolled(g, turns, list(states), step)
    body = g.body()
    turn = body.input(g.unique("turn"), (), ir.DataType.INT64)
    going = body.input(g.unique("going"), (), ir.DataType.BOOL)
    held = [body.input(g.unique("state"), s.shape, s.dtype) for s in states]
    number = body.op("Unsqueeze", turn, body.constant([0], np.int64), shape=(1,))
    after, given = step(body, number, held)
    outputs = [(s.shape, s.dtype) for s in states] + [((turns, *v.shape), v.dtype) for v in given]
    graph = body.finish_body("body", [going, *after, *given])
    results = g.ops("Loop", g.constant(turns, np.int64), g.constant(True), *states, outputs=outputs, body=graph)
    return results[: len(states)], results[len(states) :]


def _unrolled(g: Graph, turns: int, states: list[Value], step: Step) -> tuple[list[Value], list[Value]]:
    history: list[Sequence[Value]] = []
    for turn in range(turns):
        after, given = step(g, g.constant([turn], np.int64), states)
        states = list(after)
        history.append(given)
    stacks = []
    for parts in zip(*history, strict=True):
        rows = [unsqueezed(g, g.keras_order(part), 0) for part in parts]
        stacks.append(concatenated(g, rows, 0, (turns, *parts[0].shape)))
    return states, stacks
