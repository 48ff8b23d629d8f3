"""What can be told of TensorFlow's While before it is written: what changes, what counts, how often it runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from exporter.lowerings.onnx.control_flow import function_graph
from exporter.lowerings.onnx.graph import Graph
from exporter.lowerings.onnx.sizes import wide
from exporter.lowerings.onnx.value import Constant, Value


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

    def is_collected(self, number: int) -> bool:
        """Whether the body writes a list at places that depend on the turn."""
        writes = [op for op in self.body.get_operations() if op.type == "TensorListSetItem"]
        return any(self.source(self.body, w.inputs[0]) == number and constant_of(w.inputs[1]) is None for w in writes)

    def turns(self, g: Graph) -> int | Value | None:
        """Return how often the body runs; None if that cannot be told before.

        If only the model knows it is an int64 scalar, which may lie below 0: never.
        """
        limits = self._limits(g, _origin(self.condition.outputs[0]))
        if limits is None:
            return None
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


def constant_of(tensor: Any) -> Any:
    """Return the number that a tensor of TensorFlow's holds, None if it is not known or not one number."""
    from tensorflow.python.framework import tensor_util

    value = tensor_util.constant_value(tensor)
    return value.item() if value is not None and value.size == 1 else None
