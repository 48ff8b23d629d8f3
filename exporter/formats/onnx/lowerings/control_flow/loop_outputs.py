"""A list that a loop writes once a turn: what Loop stacks, put where it belongs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.sizes import counted, element, joined, vector, wide
from exporter.formats.onnx.builder.value import Constant, Value
from exporter.formats.onnx.lowerings.array.reshaping import unsqueezed
from exporter.formats.onnx.lowerings.control_flow.loop_facts import LoopFacts
from exporter.formats.onnx.lowerings.control_flow.tensor_list import Collected, laid_out


class Collection:
    """A list that the loop writes once a turn.

    Args:
        loop: the loop.
        number: of the variable.
        held: the list at the end of a turn.
    """

    def __init__(self, loop: LoopFacts, number: int, held: Collected) -> None:
        assert held.index is not None
        assert held.item is not None
        self.grows = held.grows
        self.number, self.before, self.item, self.place = number, held.before, held.item, held.index[1]
        written = list(held.before.at)
        counter = loop.source(loop.body, held.index[0])
        start = None if counter is None else loop.counts_from(counter)
        self.apart = loop.differs(held.index[0])
        self.in_turn = start == len(written) and written == list(range(len(written)))

    def outputs(self, body: Graph) -> list[Value]:
        """Return what the loop must stack: the items, and where they belong if that is not plain."""
        return [self.item] if self.in_turn else [self.item, wide(body, self.place)]

    def filled(self, g: Graph, items: Value, places: Value | None, turns: int | Value | None) -> Value:
        """Return the whole list: what was in it, then `items` in turn or at `places`, zeros elsewhere."""
        size = wide(g, self.before.size)
        if places is None and not self.before.at and _same(size, turns):
            return items
        if places is not None:
            return self._scattered(g, items, places, vector(g, size))
        shape = (int(size.array) if isinstance(size, Constant) and not self.grows else None, *items.shape[1:])
        early = [unsqueezed(g, g.keras_order(item), 0) for item in self.before.at.values()]
        missing = g.op("Sub", vector(g, size), g.dimension(items, 0))
        missing = g.op("Sub", missing, g.constant([len(early)], np.int64))
        if self.grows:
            missing = g.op("Max", missing, g.constant([0], np.int64))
        return g.op("Concat", *early, items, _zeros(g, missing, items), shape=shape, axis=0)

    def _scattered(self, g: Graph, items: Value, places: Value, size: Value) -> Value:
        if self.grows:
            ends = g.op("Concat", size, g.op("Add", places, g.constant(1, np.int64)), shape=(None,), axis=0)
            size = g.op("ReduceMax", ends, g.constant([0], np.int64), shape=(1,), keepdims=1)
        early = bool(self.before.at)
        rows = laid_out(g, replace(self.before, size=element(g, size))) if early else _zeros(g, size, items)
        if self.apart:
            return g.op("ScatterND", rows, unsqueezed(g, places, 1), items, shape=rows.shape)
        return _latest(g, rows, items, places, size)


def _latest(g: Graph, rows: Value, items: Value, places: Value, size: Value) -> Value:
    """Return `rows` with `items` at `places`, of several at one place the last: ScatterND may leave any of them.

    Each place is the number of a row of both, one after the other, and the largest that is written there stays.
    """
    if not g.supports_opset(18):
        raise NotImplementedError("a list that a loop may write at one place more than once needs opset 18")
    turns = g.op("Add", counted(g, items, 0), size, shape=items.shape[:1])
    chosen = g.op("ScatterElements", counted(g, rows, 0), places, turns, shape=rows.shape[:1], axis=0, reduction="max")
    both = g.op("Concat", rows, items, shape=(None, *rows.shape[1:]), axis=0)
    return g.op("Gather", both, chosen, shape=rows.shape, axis=0)


def _zeros(g: Graph, count: Value, like: Value) -> Value:
    """Return `count` rows of zeros, as those of `like`."""
    sizes = joined(g, [count, *[g.dimension(like, axis) for axis in range(1, like.rank)]])
    known = int(count.array[0]) if isinstance(count, Constant) else None
    return g.op("Expand", g.constant(0, like.numpy_dtype), sizes, shape=(known, *like.shape[1:]))


def _same(size: Value, turns: int | Value | None) -> bool:
    if isinstance(size, Constant):
        return turns == int(size.array)
    return isinstance(turns, Value) and turns.ir is size.ir
