"""What can be told of TensorFlow's While before it is written: what changes, what counts, how often it runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.sizes import wide
from exporter.formats.onnx.builder.value import Constant, Value
from exporter.formats.onnx.lowerings.control_flow.conditional import function_graph


class LoopFacts:
    """What can be told of a While before it is written.

    Args:
        op: the While.
        variables: the values of the loop's variables before the first turn.
    """

    def __init__(self, op: Any, variables: list[Any]) -> None:
        self.condition = function_graph(op, op.get_attr("cond").name)
        self.body = function_graph(op, op.get_attr("body").name)
        self.variables = variables

    def source(self, graph: Any, tensor: Any) -> int | None:
        """Return the number of the variable that `tensor` of `graph` passes on, None if it is computed."""
        origin = _origin(tensor)
        places = [n for n, parameter in enumerate(graph.inputs) if parameter is origin]
        return places[0] if places else None

    def is_fixed(self, number: int) -> bool:
        """Whether the body leaves a variable as it is."""
        return self.source(self.body, self.body.outputs[number]) == number

    def counts_from(self, number: int) -> int | None:
        """Return where an integer starts that grows by 1 each turn; None for other variables."""
        add, start = _origin(self.body.outputs[number]).op, self.variables[number]
        if add.type not in ("AddV2", "Add") or not isinstance(start, Constant) or start.rank:
            return None
        if not start.dtype.is_integer():  # floats may start at 0.5
            return None
        steps = [constant_of(t) for t in add.inputs if self.source(self.body, t) != number]
        return int(start.array) if len(steps) == 1 and steps[0] == 1 else None

    def writes(self, number: int) -> list[Any]:
        """Return the ops of the body that write into the list `number`, in their order."""
        found, held = [], [self.body.inputs[number]]
        for op in self.body.get_operations():
            if op.type == "TensorListSetItem" and _among(op.inputs[0], held):
                found.append(op)
                held.append(op.outputs[0])
        return found

    def item_shape(self, number: int) -> tuple[int, ...] | None:
        """Return the shape of what the body writes into a list, None if it is not known."""
        shapes = [w.inputs[2].shape for w in self.writes(number)]
        return next((tuple(shape.as_list()) for shape in shapes if shape.is_fully_defined()), None)

    def grows(self, number: int) -> bool:
        """Whether the body may write behind the end of a list."""
        return any(w.get_attr("resize_if_index_out_of_bounds") for w in self.writes(number))

    def is_kept(self, number: int, places: Iterable[int]) -> bool:
        """Whether the body writes a list at some of these places and nowhere else, as far as its own ops go."""
        writes = self.writes(number)
        last = writes[-1].outputs[0] if writes else self.body.inputs[number]
        known = all(constant_of(w.inputs[1]) in set(places) for w in writes)
        return known and _origin(self.body.outputs[number]) is last

    def is_stacked(self, number: int) -> bool:
        """Whether the body writes a list once a turn, and does nothing else with it."""
        writes = self.writes(number)
        if len(writes) != 1:
            return False
        held = (self.body.inputs[number], writes[0].outputs[0])
        users = [op for op in self.body.get_operations() if any(_among(t, held) for t in op.inputs)]
        return all(op is writes[0] or op.type in ("Identity", "TensorListLength") for op in users)

    def differs(self, tensor: Any) -> bool:
        """Whether an integer of the body is another one in each turn: a counter, moved, turned or multiplied."""
        op, number = _origin(tensor).op, self.source(self.body, tensor)
        if number is not None:
            return self.counts_from(number) is not None
        if op.type not in ("Add", "AddV2", "Sub", "Mul"):
            return False
        moving, *others = sorted(op.inputs, key=self._stays)
        return all(map(self._stays, others)) and self.differs(moving) and (op.type != "Mul" or _is_factor(others))

    def _stays(self, tensor: Any) -> bool:
        """Whether a tensor of the body is the same in each turn, as far as can be told."""
        op, number = _origin(tensor).op, self.source(self.body, tensor)
        if number is not None:
            return self.is_fixed(number)
        return op.type == "Const" or (op.type in ("Add", "AddV2", "Sub", "Mul") and all(map(self._stays, op.inputs)))

    def turns(self, g: Graph) -> int | Value | None:
        """Return how often the body runs; None if that cannot be told before.

        If only the model knows it is an int64 scalar, which may lie below 0: never.

        Raises:
            NotImplementedError: if it never ends.
        """
        limits = self._limits(g, _origin(self.condition.outputs[0]))
        if limits is None:
            return None
        if not limits:
            raise NotImplementedError("a loop whose condition is always true never ends; give it maximum_iterations")
        known = [int(limit.array) for limit in limits if isinstance(limit, Constant)]
        computed = {id(limit.ir): limit for limit in limits if not isinstance(limit, Constant)}
        least = [g.constant(min(known), np.int64)] if known else []
        if not computed:
            return max(min(known), 0)
        return g.op("Min", *least, *computed.values()) if least or len(computed) > 1 else next(iter(computed.values()))

    def _limits(self, g: Graph, tensor: Any) -> list[Value] | None:
        """Return the bounds that counters are compared with, less where they start; None if there is anything else."""
        op = tensor.op
        if op.type == "LogicalAnd":
            parts = [self._limits(g, _origin(t)) for t in op.inputs]
            return None if None in parts else [limit for part in parts for limit in part or ()]
        if op.type == "Const" and constant_of(tensor):
            return []
        if op.type != "Less":
            return None
        counter = self.source(self.condition, op.inputs[0])
        start = None if counter is None else self.counts_from(counter)
        limit = self._bound(g, op.inputs[1])
        if start is None or limit is None:
            return None
        return [limit if start == 0 else _less(g, limit, start)]

    def _bound(self, g: Graph, tensor: Any) -> Value | None:
        number = self.source(self.condition, tensor)
        if number is not None:
            value = self.variables[number]
            return wide(g, value) if self.is_fixed(number) and isinstance(value, Value) and value.rank == 0 else None
        known = constant_of(tensor)
        return None if known is None else g.constant(int(known), np.int64)


def _less(g: Graph, limit: Value, start: int) -> Value:
    if isinstance(limit, Constant):
        return g.constant(int(limit.array) - start, np.int64)
    return g.op("Sub", limit, g.constant(start, np.int64))


def _origin(tensor: Any) -> Any:
    """Return the tensor that is only passed on as `tensor`."""
    while tensor.op.type == "Identity":
        tensor = tensor.op.inputs[0]
    return tensor


def _is_factor(tensors: list[Any]) -> bool:
    """Whether a tensor is known not to be 0."""
    return bool(constant_of(tensors[0]))


def _among(tensor: Any, others: Iterable[Any]) -> bool:
    """Whether `tensor` is one of `others`, perhaps passed on; comparing tensors would make a graph of the comparison."""
    return any(_origin(tensor) is other for other in others)


def constant_of(tensor: Any) -> Any:
    """Return the number that a tensor of TensorFlow's holds, None if it is not known or not one number."""
    from tensorflow.python.framework import tensor_util

    value = tensor_util.constant_value(tensor)
    return value.item() if value is not None and value.size == 1 else None
