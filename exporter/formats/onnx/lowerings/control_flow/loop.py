"""TensorFlow's While: Loop. A short loop whose number of turns is known is written out turn by turn.

What the loop does not change stays outside. Counters are the number of the turn. Lists written once a turn are outputs that
Loop stacks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Constant, Shape, Value
from exporter.formats.onnx.lowerings.control_flow.conditional import walked
from exporter.formats.onnx.lowerings.control_flow.loop_facts import LoopFacts
from exporter.formats.onnx.lowerings.control_flow.loop_outputs import Collection
from exporter.formats.onnx.lowerings.control_flow.tensor_list import Collected, Items, Rows, laid_out
from exporter.formats.onnx.registry import lowers_op

UNROLLED = 200  # nodes; a loop that takes no more than this is written out


@lowers_op("While", "StatelessWhile")
def while_loop(g: Graph, op: Any, *variables: Any) -> list[Any]:
    """Repeat the body as long as the condition holds."""
    loop = LoopFacts(op, list(variables))
    turns = loop.turns(g)
    if isinstance(turns, int) and turns * len(loop.body.get_operations()) <= UNROLLED:
        for _ in range(turns):
            variables = tuple(walked(g, loop.body, variables))
        return list(variables)
    return LoopWriter(g, loop, turns).write()


@dataclass(frozen=True)
class _State:
    """How a changing variable goes around the loop.

    Args:
        initial: the tensors that it is made of before the first turn.
        shapes: their shapes, in every turn.
        rebuild: makes the variable of such tensors.
        take: takes the tensors out of the variable.
    """

    initial: tuple[Value, ...]
    shapes: tuple[Shape, ...]
    rebuild: Callable[[Sequence[Value]], Any]
    take: Callable[[Any], tuple[Value, ...]]


def _state(g: Graph, loop: LoopFacts, number: int) -> _State:
    variable, parameter = loop.variables[number], loop.body.inputs[number]
    if isinstance(variable, Value):
        shape = tuple(parameter.shape.as_list()) if parameter.shape.rank is not None else (None,) * variable.rank
        return _State((variable,), (shape,), lambda v: v[0], lambda held: (held,))
    if isinstance(variable, Items):
        return _list_state(g, loop, number, variable)
    if isinstance(variable, Rows):
        return _rows_state(variable)
    raise NotImplementedError("a loop that changes anything but tensors")


def _list_state(g: Graph, loop: LoopFacts, number: int, variable: Items) -> _State:
    """Return how a list goes around: by its places, by what each turn adds, or, if it is read or written at will, whole."""
    places, items = tuple(variable.at), tuple(variable.at.values())
    if loop.is_kept(number, places):
        return _State(
            items,
            tuple(item.shape for item in items),
            lambda v: replace(variable, at=dict(zip(places, v, strict=True))),
            lambda held: tuple(held.at[n] for n in places),
        )
    grows = loop.grows(number)
    if loop.is_stacked(number):
        return _State((), (), lambda v: Collected(variable, grows), lambda held: ())
    if grows:
        raise NotImplementedError(
            "a list that a loop reads or writes anywhere while it grows; give tf.TensorArray its size"
        )
    return _rows_state(Rows(laid_out(g, replace(variable, shape=loop.item_shape(number) or variable.shape))))


def _rows_state(variable: Rows) -> _State:
    rows = variable.value
    return _State((rows,), (rows.shape,), lambda v: Rows(v[0]), lambda held: (held.value,))


class LoopWriter:
    """Writes one Loop.

    Args:
        g: the graph that it stands in.
        loop: what is known of it.
        turns: how often it runs, if that is known before.
    """

    def __init__(self, g: Graph, loop: LoopFacts, turns: int | Value | None) -> None:
        self.g, self.loop, self.turns = g, loop, turns
        numbers = range(len(loop.variables))
        fixed = [n for n in numbers if loop.is_fixed(n)]
        self.fixed = {n: _laid(g, loop.variables[n]) for n in fixed}
        self.counters = {n: loop.counts_from(n) for n in numbers if n not in fixed} if turns is not None else {}
        self.counters = {n: start for n, start in self.counters.items() if start is not None}
        self.states = {n: _state(g, loop, n) for n in numbers if n not in fixed and n not in self.counters}

    def write(self) -> list[Any]:
        """Return the variables after the last turn."""
        g, loop = self.g, self.loop
        initial = [g.keras_order(v) for state in self.states.values() for v in state.initial]
        shapes = [shape for state in self.states.values() for shape in state.shapes]
        body = g.body()
        turn = body.input(g.unique("turn"), (), ir.DataType.INT64)
        going = body.input(g.unique("going"), (), ir.DataType.BOOL)
        held = [body.input(g.unique("state"), s, v.dtype) for s, v in zip(shapes, initial, strict=True)]
        after = walked(body, loop.body, self._variables(body, turn, held))
        if self.turns is None:
            going = self._condition(body, [self.fixed.get(n, value) for n, value in enumerate(after)])
        finals = [body.cast(v, s.dtype) for v, s in zip(self._taken(after), initial, strict=True)]
        collected = [Collection(loop, n, after[n]) for n in self.states if _is_written(after[n])]
        extra = [value for c in collected for value in c.outputs(body)]
        length = self.turns if isinstance(self.turns, int) else None
        results = g.ops(
            "Loop",
            self._turns_asked(),
            self._condition(g, loop.variables) if self.turns is None else g.constant(True),
            *initial,
            outputs=[
                *[(shape, v.dtype) for shape, v in zip(shapes, initial, strict=True)],
                *[((length, *v.shape), v.dtype) for v in extra],
            ],
            body=body.finish_body("body", [going, *finals, *extra]),
        )
        stacks = iter(results[len(initial) :])
        left = self._variables(g, self._turns_run(), results[: len(initial)])
        for c in collected:
            left[c.number] = Rows(c.filled(g, next(stacks), None if c.in_turn else next(stacks), self.turns))
        return [v.before if isinstance(v, Collected) else v for v in left]

    def _condition(self, g: Graph, variables: Sequence[Any]) -> Value:
        return g.cast(walked(g, self.loop.condition, variables)[0], ir.DataType.BOOL)

    def _turns_asked(self) -> Value | None:
        return self.g.constant(self.turns, np.int64) if isinstance(self.turns, int) else self.turns

    def _turns_run(self) -> Value | None:
        """Return what counters have grown by: a counter that starts beyond its limit stays there."""
        turns = self._turns_asked()
        if turns is None or isinstance(turns, Constant):
            return turns
        return self.g.op("Max", turns, self.g.constant(0, np.int64))

    def _variables(self, g: Graph, turn: Value | None, tensors: Sequence[Value]) -> list[Any]:
        """Return all variables in a turn, the states made of `tensors`."""
        result, rest = [], list(tensors)
        for n, variable in enumerate(self.loop.variables):
            if n in self.fixed:
                result.append(self.fixed[n])
            elif n in self.counters:
                assert turn is not None
                count = g.op("Add", turn, g.constant(self.counters[n], np.int64)) if self.counters[n] else turn
                result.append(g.narrowed(count, variable.dtype))
            else:
                size = len(self.states[n].initial)
                result.append(self.states[n].rebuild(rest[:size]))
                rest = rest[size:]
        return result

    def _taken(self, after: Sequence[Any]) -> list[Value]:
        return [value for n, state in self.states.items() for value in state.take(after[n])]


def _is_written(variable: Any) -> bool:
    return isinstance(variable, Collected) and variable.item is not None


def _laid(g: Graph, variable: Any) -> Any:
    """Return what a loop only reads in Keras's axis order, so that it is not transposed in every turn."""
    if isinstance(variable, Rows):
        return Rows(g.keras_order(variable.value))
    return g.keras_order(variable) if isinstance(variable, Value) else variable
