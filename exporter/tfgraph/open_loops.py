"""Loops that may never end on values that nobody had in mind: until a condition of floats holds, which zeros may never meet.

A loop that counts ends: its condition compares integers that it is given. Another is run with a limit on its time, after
which TensorFlow cancels it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from exporter.errors import UnsupportedError

T = TypeVar("T")

SECONDS = 10.0  # of one run on made-up values; a loop that ends takes milliseconds
LOOPS = ("While", "StatelessWhile")
COMPARISONS = ("Less", "LessEqual", "Greater", "GreaterEqual", "NotEqual")


def has_open_loop(graph: Any) -> bool:
    """Whether a traced graph has a loop, at any depth, that does not count its turns."""
    definition = graph.as_graph_def()
    functions = {function.signature.name: function for function in definition.library.function}
    nodes = (definition.node, *(function.node_def for function in functions.values()))
    conditions = (node.attr["cond"].func.name for part in nodes for node in part if node.op in LOOPS)
    return any(not _counts(functions[name]) for name in conditions)


def run_with_limit(run: Callable[[], T]) -> T:
    """Run TensorFlow functions in this thread, and have them cancelled after `SECONDS`.

    Raises:
        UnsupportedError: if they were cancelled.
    """
    import tensorflow as tf
    from tensorflow.python.eager import cancellation

    manager = cancellation.CancellationManager()
    timer = threading.Timer(SECONDS, manager.start_cancel)
    timer.start()
    try:
        with cancellation.CancellationManagerContext(manager):
            return run()
    except tf.errors.CancelledError as error:
        raise UnsupportedError(
            "the model does not come to an end",
            where="the condition of a while loop",
            reason=f"a loop was still running after {SECONDS:g} s",
            remedy="give the loop maximum_iterations, or pass data of your own as samples (--samples)",
        ) from error
    finally:
        timer.cancel()


def _counts(condition: Any) -> bool:
    """Whether one of the terms that all have to hold compares integers that the loop is given."""
    producers = {node.name: node for node in condition.node_def}
    (returned,) = condition.ret.values()
    return any(
        node.op in COMPARISONS
        and _is_integer(node)
        and all(_is_given(producers, name) for name in node.input if not name.startswith("^"))
        for node in _terms(producers, returned)
    )


def _terms(producers: Mapping[str, Any], name: str) -> Iterator[Any]:
    node = producers.get(name.partition(":")[0])
    if node is not None and node.op in ("LogicalAnd", "Identity"):
        for below in node.input:
            yield from _terms(producers, below)
    elif node is not None:
        yield node


def _is_given(producers: Mapping[str, Any], name: str) -> bool:
    """Whether a tensor follows from integers that the loop is given, constants and sizes."""
    node = producers.get(name.partition(":")[0])
    if node is None or node.op in ("Const", "Shape", "Size"):
        return True
    return _is_integer(node) and all(_is_given(producers, below) for below in node.input if not below.startswith("^"))


def _is_integer(node: Any) -> bool:
    """Whether an op takes integers."""
    import tensorflow as tf

    kind = node.attr["SrcT" if node.op == "Cast" else "T"].type
    return bool(kind and tf.as_dtype(kind).is_integer)
