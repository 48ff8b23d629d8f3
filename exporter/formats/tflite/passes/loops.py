"""Loops of a frozen graph as LiteRT's WHILE runs them fast and right.

`tf.while_loop` adds a counter of its own, which LiteRT would count up at every step for nobody. A variable is idle if neither
the condition nor another variable nor anything after the loop takes it. It is passed on as it is, and the converter then
leaves it out. Measured on ai-edge-litert 2.3: LSTM of 128 units 1.08x, of 256 units 1.01x, GRU of 64 units 1.09x.
`benchmarks/tflite_forms.py`

After each step WHILE copies the results over the variables, the first one first. A result that is itself an earlier variable,
as in `a, b = a + b, a`, then takes what was just written there (ai-edge-litert 2.3). So it becomes a tensor of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any

import tensorflow as tf

LOOPS = ("While", "StatelessWhile")


def fix_loops(graph_def: Any, outputs: Collection[str]) -> None:
    """Rewrite the bodies of the loops in a frozen GraphDef, also of loops in loops.

    Args:
        graph_def: changed in place.
        outputs: the names of the graph's results, as of tensors.
    """
    for condition, body, taken in _loops(graph_def, outputs):
        for number, result in enumerate(body.signature.output_arg):
            variable = body.signature.input_arg[number].name
            read = number in taken or _dependent(condition, condition.signature.input_arg[number].name)
            if not read and _dependent(body, variable) <= {result.name}:
                body.ret[result.name] = variable
        _separate(body)


def _loops(graph_def: Any, outputs: Collection[str]) -> Iterator[tuple[Any, Any, set[int]]]:
    """Yield condition, body, and the numbers of the results that are taken, of each loop with functions of its own."""
    functions = {f.signature.name: f for f in graph_def.library.function}
    scopes = [(graph_def.node, outputs), *((f.node_def, f.ret.values()) for f in functions.values())]
    loops = [(node, nodes, returned) for nodes, returned in scopes for node in nodes if node.op in LOOPS]
    bodies = Counter(node.attr["body"].func.name for node, *_ in loops)
    for node, nodes, returned in loops:
        condition, body = (functions[node.attr[name].func.name] for name in ("cond", "body"))
        if bodies[body.signature.name] == 1:
            used = {reference for other in nodes for reference in other.input} | set(returned)
            yield condition, body, {n for n in range(len(node.input)) if used & _references(node.name, n)}


def _references(loop: str, number: int) -> set[str]:
    """Return what a result of a loop is called, in a graph and in a function."""
    names = {f"{loop}:{number}", f"{loop}:output:{number}"}
    return names if number else {*names, loop}


def _dependent(function: Any, argument: str) -> set[str]:
    """Return the results of a function that depend on an argument."""
    reached, before = {argument}, 0
    while len(reached) > before:
        before = len(reached)
        reached |= {node.name for node in function.node_def if any(_source(r) in reached for r in node.input)}
    return {result for result, reference in function.ret.items() if _source(reference) in reached}


def _source(reference: str) -> str:
    """Return the name of the node, or the argument, that a tensor or a control input comes from."""
    return reference.partition(":")[0].lstrip("^")


def _separate(body: Any) -> None:
    """Make results that are earlier variables tensors of their own, by an op that changes nothing and nothing folds."""
    nodes = {node.name: node for node in body.node_def}
    numbers = {argument.name: number for number, argument in enumerate(body.signature.input_arg)}
    for number, result in enumerate(body.signature.output_arg):
        source = _source(body.ret[result.name])
        while source in nodes and nodes[source].op == "Identity":
            source = _source(nodes[source].input[0])
        if numbers.get(source, number) < number:
            dtype = tf.as_dtype(result.type)
            if dtype.is_bool or dtype in (tf.float32, tf.int32, tf.int64):
                copy = body.node_def.add(name=f"{source}_as_{number}", input=[source, source])
                copy.op = "LogicalAnd" if dtype.is_bool else "Maximum"
                if not dtype.is_bool:
                    copy.attr["T"].type = result.type
                body.ret[result.name] = f"{copy.name}:z:0"
