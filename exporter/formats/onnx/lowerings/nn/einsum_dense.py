"""EinsumDense whose equation is a matrix product: MatMul on a reshaped kernel.

Letters of the input are free (in the output too) or contracted (in the kernel too). Where no letter is in all three, the free
ones come first in the matrix product, then those that the kernel adds. Other equations are traced down to Einsum.
"""

from __future__ import annotations

import math
import string
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Constant, Value
from exporter.formats.onnx.lowerings.activations.activation import activate, known_activation
from exporter.formats.onnx.lowerings.nn.dense import projected
from exporter.formats.onnx.registry import lowers_layer


@dataclass(frozen=True)
class Product:
    """An equation as a matrix product.

    Args:
        inputs: letters of the input.
        kernel: letters of the kernel.
        outputs: letters of the output.
        free: those of input and output, in the input's order.
        contracted: those of input and kernel, in the kernel's order.
        added: those of kernel and output, in the output's order.
    """

    inputs: str
    kernel: str
    outputs: str
    free: str
    contracted: str
    added: str


def product(equation: str, rank: int) -> Product | None:
    """Return the equation, for an input of `rank` axes, as a matrix product; None if it is not one."""
    left, outputs = equation.replace(" ", "").split("->")
    inputs, kernel = left.split(",")
    spare = "".join(letter for letter in string.ascii_letters if letter not in equation)
    elided = spare[: rank - len(inputs.replace("...", ""))]
    inputs, outputs = inputs.replace("...", elided), outputs.replace("...", elided)
    free = "".join(a for a in inputs if a in outputs)
    contracted = "".join(a for a in kernel if a in inputs)
    added = "".join(a for a in outputs if a in kernel)
    repeated = any(len(set(part)) < len(part) for part in (inputs, kernel, outputs))
    whole = len(free) + len(contracted) == len(inputs) and len(contracted) + len(added) == len(kernel)
    if repeated or not whole or len(free) + len(added) != len(outputs) or set(free) & set(kernel) or not contracted:
        return None
    return Product(inputs, kernel, outputs, free, contracted, added)


def _expressible(layer: Any, inputs: Any, training: Any = None) -> bool:
    named = layer.equation.partition(",")[0].replace("...", "")
    if "..." in layer.equation and len(inputs.shape) - len(named) > 1:
        return False  # Keras 3.15 states a wrong shape where "..." stands for several axes
    return known_activation(layer.activation) and product(layer.equation, len(inputs.shape)) is not None


@lowers_layer(keras.layers.EinsumDense, when=_expressible)
def einsum_dense(g: Graph, layer: Any, inputs: Value, training: Any = None) -> Value:
    """Multiply, add the bias, activate."""
    p = product(layer.equation, inputs.rank)
    assert p is not None
    sizes = dict(zip(p.kernel, layer.kernel.shape, strict=True))
    kernel = _matrix(g.weight(layer.kernel), p, sizes)
    bias = None if layer.bias is None else g.weight(layer.bias)
    before = None if bias is None else _row(bias, p, sizes)
    x = _contracted_last(g, inputs, p, sizes)
    y = projected(g, x, kernel, before)
    y = _unfolded(g, y, p, sizes)
    if bias is not None and before is None:
        y = g.elementwise("Add", y, bias)
    return activate(g, y, layer.activation)


def _matrix(kernel: Constant, p: Product, sizes: dict[str, int]) -> Constant:
    """Return the kernel as (contracted, added)."""
    turned = kernel.transpose(*(p.kernel.index(a) for a in p.contracted + p.added))
    return turned.reshape(math.prod(sizes[a] for a in p.contracted), math.prod(sizes[a] for a in p.added))


def _row(bias: Constant, p: Product, sizes: dict[str, int]) -> Constant | None:
    """Return the bias as a vector over the added letters; None if it varies along a free one."""
    shape = (1,) * (len(p.outputs) - bias.rank) + tuple(int(d or 0) for d in bias.shape)
    if any(d != 1 and a in p.free for a, d in zip(p.outputs, shape, strict=True)):
        return None
    wanted = tuple(sizes[a] for a in p.added)
    small = tuple(d for a, d in zip(p.outputs, shape, strict=True) if a in p.added)
    whole = bias.reshape(*small)
    if small != wanted:
        whole = whole.mapped(lambda b: np.broadcast_to(b, wanted), ("broadcast", wanted), wanted)
    return whole.reshape(math.prod(wanted))


def _contracted_last(g: Graph, x: Value, p: Product, sizes: dict[str, int]) -> Value:
    """Return (free …, contracted), the contracted axes as one."""
    order = tuple(p.inputs.index(a) for a in p.free + p.contracted)
    x = g.in_order(x, order) if len(p.contracted) > 1 else x
    named = Value(x.ir, tuple(x.shape[a] for a in order), x.dtype, tuple(order.index(a) for a in x.order))
    if len(p.contracted) == 1:
        return named
    shape = (*named.shape[: len(p.free)], math.prod(sizes[a] for a in p.contracted))
    return g.op("Reshape", named, g.constant([0] * len(p.free) + [shape[-1]], np.int64), shape=shape)


def _unfolded(g: Graph, y: Value, p: Product, sizes: dict[str, int]) -> Value:
    """Return the output in Keras's axes, of (free …, added) with the added axes as one."""
    if len(p.added) != 1:
        added = [sizes[a] for a in p.added]
        target = g.constant([0] * len(p.free) + added, np.int64)
        y = g.op("Reshape", y, target, shape=(*y.shape[: len(p.free)], *added))
    letters = p.free + p.added
    order = tuple(p.outputs.index(letters[axis]) for axis in y.order)
    return Value(y.ir, tuple(y.shape[letters.index(a)] for a in p.outputs), y.dtype, order)
