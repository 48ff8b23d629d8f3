"""Large weights stay out of the graph that is converted: it takes them as inputs, and the file gets them when it is written.

The converter copies each weight about eight times: into a GraphDef, its text, another graph, and through every pass. A
product with a weight that is an input, transposed, becomes the same FULLY_CONNECTED as one with a constant, and a look-up in
a table the same GATHER. Only products and look-ups are treated so: the kernels of convolutions are rearranged by the
converter, and constant factors behind a product multiplied into its weight, where it is a constant.

Measured with TensorFlow 2.21, a transformer of 1.15 GB: 11 s and 1.4 GB, most of which is LiteRT trying the file.
`python -m benchmarks.bench_cost tflite`
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

LARGE = 2**20  # bytes; the passes over less cost nothing to speak of
PASSED_THROUGH = ("Add", "AddV2", "BiasAdd", "Reshape")  # between a product and a factor that would be folded into it
PRODUCTS = {"MatMul": ("transpose_a", "transpose_b"), "BatchMatMulV2": ("adj_x", "adj_y")}


@dataclass(frozen=True)
class Weight:
    """What the file holds of one variable: `steps` are applied to it, each a new shape or ("transpose", *permutation)."""

    variable: Any
    steps: tuple[tuple[Any, ...], ...]
    shape: tuple[int, ...]

    @property
    def name(self) -> str:
        """The name of the variable."""
        return self.variable.name.partition(":")[0]

    def array(self) -> np.ndarray:
        """Return the numbers as the file holds them."""
        return np.ascontiguousarray(_applied(self.steps, self.variable.numpy()))


@dataclass
class ExternalWeights:
    """The large weights of a traced function.

    Attributes:
        weights: in the order of the inputs that they become.
        uses: the number of the weight that an op takes, by the op's name.
        left_out: names of the ops that only serve to read and reshape them.
    """

    weights: list[Weight] = field(default_factory=list)
    uses: dict[str, int] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)
    _numbers: dict[tuple[Any, ...], int] = field(default_factory=dict)

    @classmethod
    def of(cls, concrete: Any, least: int | None = None) -> ExternalWeights:
        """Find the weights of at least `least` bytes, by default `LARGE`, that the converter would take as they are."""
        found, least = cls(), LARGE if least is None else least
        variables = {id(v.handle): v for v in concrete.graph.variables}
        live = _live(concrete.graph.outputs)
        for handle, parameter in concrete.graph.captures:
            variable = variables.get(id(handle))
            if variable is not None and variable.dtype == tf.float32 and 4 * variable.shape.num_elements() >= least:
                reads = parameter.consumers()
                uses = [use for read in reads for use in _uses(read, ())] if _are(reads, "ReadVariableOp") else []
                if uses and all(use is not None and use[0] in live for use in uses):
                    found._enter(variable, uses)
        return found

    def _enter(self, variable: Any, uses: list[Any]) -> None:
        for op, steps, path in uses:
            shape = _applied(steps, np.broadcast_to(np.float32(0), variable.shape)).shape  # of one number: no memory
            number = self._numbers.setdefault((id(variable), steps), len(self.weights))
            if number == len(self.weights):
                self.weights.append(Weight(variable, steps, shape))
            self.uses[op.name] = number
            self.left_out.update(path)


def emitted(op: Any, x: Any, weight: Any) -> Any:
    """Return the result of an op that takes a weight, with the weight as an input: x · weightᵀ, or rows of it."""
    if op.type == "GatherV2":
        return tf.gather(weight, x)
    if op.type == "MatMul":
        return tf.matmul(x, weight, transpose_b=True)
    rows = tf.matmul(tf.reshape(x, [-1, weight.shape[1]]), weight, transpose_b=True)
    sizes = tf.shape(x)
    shape = [sizes[i] if size is None else size for i, size in enumerate(x.shape[:-1])]
    return tf.reshape(rows, [*shape, weight.shape[0]])


def _uses(op: Any, steps: tuple[Any, ...], path: tuple[str, ...] = ()) -> Iterator[Any]:
    """Yield (op, steps, names of the ops on the way) for each op that takes the weight; None for what takes it otherwise."""
    path = (*path, op.name)
    if any(op.outputs[0] is output for output in op.graph.outputs):
        yield None
    for consumer in op.outputs[0].consumers():
        first = consumer.inputs[0] is op.outputs[0]
        if consumer.type == "Identity":
            yield from _uses(consumer, steps, path)
        elif consumer.type in ("Reshape", "Transpose") and first:
            numbers = tf.get_static_value(consumer.inputs[1])
            kind = consumer.type.lower()
            yield from _uses(consumer, (*steps, (kind, *numbers.tolist())), path) if numbers is not None else [None]
        elif consumer.type in PRODUCTS and not first and consumer.inputs[1].shape.rank == 2:
            yield _product(consumer, steps, path)
        elif consumer.type == "GatherV2" and first and op.outputs[0].shape.rank == 2:
            plain = tf.get_static_value(consumer.inputs[2]) == 0 and not consumer.get_attr("batch_dims")
            yield (consumer, _without_pairs(steps), path) if plain else None
        else:
            yield None


def _product(op: Any, steps: tuple[Any, ...], path: tuple[str, ...]) -> Any:
    of_x, of_weight = PRODUCTS[op.type]
    if op.get_attr(of_x) or op.inputs[0].shape.rank is None or _is_scaled(op):
        return None
    steps = steps if op.get_attr(of_weight) else (*steps, ("transpose", 1, 0))
    return op, _without_pairs(steps), path


def _without_pairs(steps: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the steps without a transposition of two axes that the next one undoes."""
    twice = (("transpose", 1, 0),) * 2
    return _without_pairs(steps[:-2]) if steps[-2:] == twice else steps


def _applied(steps: tuple[Any, ...], array: np.ndarray) -> np.ndarray:
    for kind, *numbers in steps:
        array = array.transpose(numbers) if kind == "transpose" else array.reshape(numbers)
    return array


def _is_scaled(op: Any) -> bool:
    """Whether a factor that will be a constant follows, which the converter multiplies into a constant weight."""
    tensor = op.outputs[0]
    while len(tensor.consumers()) == 1:
        consumer = tensor.consumers()[0]
        if consumer.type in ("Mul", "RealDiv"):
            return all(is_constant(i) for i in consumer.inputs if i is not tensor)
        if consumer.type not in PASSED_THROUGH:
            return False
        tensor = consumer.outputs[0]
    return False


def is_constant(tensor: Any) -> bool:
    """Whether a tensor depends on weights and constants only."""
    return not any(op.type == "Placeholder" and op.outputs[0].dtype != tf.resource for op in _live([tensor]))


def _live(tensors: Sequence[Any]) -> set[Any]:
    """Return the ops that the tensors are computed from."""
    seen: set[Any] = set()
    new = {t.op for t in tensors}
    while new:
        seen |= new
        new = {i.op for op in new for i in op.inputs} - seen
    return seen


def _are(ops: Sequence[Any], kind: str) -> bool:
    return all(op.type == kind for op in ops)
