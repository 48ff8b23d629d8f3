"""Singular values, eigenvalues of symmetric matrices, pseudo-inverses: Jacobi's rotations.

In each turn n / 2 disjoint pairs of columns are turned at once: column i with column n - 1 - i. Then all columns but the first
move on by one place, so that after n - 1 turns every column has met every other. Ten such rounds are more than enough: the
method converges quadratically. Signs of singular vectors and eigenvectors are nobody's convention, so they are not given out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.loops import repeated
from exporter.formats.onnx.builder.scaling import magnitude, scaled
from exporter.formats.onnx.builder.sizes import joined
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.lowerings.array.joining import concatenated
from exporter.formats.onnx.lowerings.array.reshaping import squeezed, unsqueezed
from exporter.formats.onnx.lowerings.array.slicing import Range, sliced
from exporter.formats.onnx.lowerings.math.elimination import matrix_transpose
from exporter.formats.onnx.lowerings.math.matmul import multiplied
from exporter.formats.onnx.lowerings.math.reduction import extreme, reduced
from exporter.formats.onnx.registry import lowers_function, lowers_op

SWEEPS = 10


def _moved_on(n: int) -> np.ndarray:
    """Return which column comes to each place after a turn: the first stays, the others move on by one."""
    return np.array([0, n - 1, *range(1, n - 1)])


def _tangents(g: Graph, own: Value, other: Value, product: Value) -> tuple[Value, Value]:
    """Return cosine and tangent of the rotation that makes a pair orthogonal.

    With ζ = (other - own) / (2 product) it is t = ±1 / (|ζ| + √(1 + ζ²)). Both columns of a pair compute it, with opposite
    signs; where ζ is 0 the first of them takes +.
    """
    n = own.shape[-1] or 0
    zero, one = g.constant(0, own.numpy_dtype), g.constant(1, own.numpy_dtype)
    side = g.constant(np.where(np.arange(n) < n / 2, 1, -1), own.numpy_dtype)
    done = g.op("Equal", product, zero)
    divisor = g.op("Where", done, one, g.op("Add", product, product), dtype=own.dtype)
    zeta = g.op("Div", g.op("Sub", other, own), divisor)
    sign = g.op("Where", g.op("Equal", zeta, zero), side, g.op("Sign", zeta), dtype=own.dtype)
    root = g.op("Sqrt", g.op("Add", g.op("Mul", zeta, zeta), one))
    tangent = g.op("Div", sign, g.op("Add", g.op("Abs", zeta), root))
    tangent = g.op("Where", done, zero, tangent, dtype=own.dtype)
    cosine = g.op("Reciprocal", g.op("Sqrt", g.op("Add", g.op("Mul", tangent, tangent), one)))
    return cosine, tangent


def _take(g: Graph, x: Value, places: np.ndarray, axis: int) -> Value:
    return g.op("Gather", x, g.constant(places), shape=x.shape, axis=axis % x.rank)


def _turned(g: Graph, x: Value, cosine: Value, tangent: Value, axis: int) -> Value:
    """Rotate pairs along an axis: c · (x - t · partner)."""
    n = x.shape[axis] or 0
    partner = _take(g, x, np.arange(n)[::-1].copy(), axis)
    return g.op("Mul", g.op("Sub", x, g.op("Mul", partner, tangent)), cosine, shape=x.shape)


def orthogonalized(g: Graph, a: Value, below: Value | None = None) -> Value:
    """Return (..., m, n) with its columns rotated until they are orthogonal; rows `below` are rotated along with it.

    n must be even; the columns end in the order in which they began.
    """
    m, n = a.shape[-2] or 0, a.shape[-1] or 0
    start = (
        a if below is None else concatenated(g, [a, below], a.rank - 2, (*a.shape[:-2], m + (below.shape[-2] or 0), n))
    )

    def step(g: Graph, turn: Value, states: list[Value]) -> tuple[list[Value], list[Value]]:
        columns = sliced(g, states[0], [Range(a.rank - 2, 0, m)]) if below is not None else states[0]
        partner = _take(g, columns, np.arange(n)[::-1].copy(), -1)
        own = reduced(g, "ReduceSum", g.op("Mul", columns, columns), [a.rank - 2], True)
        other = _take(g, own, np.arange(n)[::-1].copy(), -1)
        product = reduced(g, "ReduceSum", g.op("Mul", columns, partner), [a.rank - 2], True)
        rotated = _turned(g, states[0], *_tangents(g, own, other, product), axis=-1)
        return [_take(g, rotated, _moved_on(n), -1)], []

    (result,), _ = repeated(g, SWEEPS * (n - 1), [g.keras_order(start)], step)
    return result


def _pad_to_even(g: Graph, a: Value) -> tuple[Value, int]:
    """Return tall matrices with an even number of columns (one of zeros added if need be), and the number before."""
    m, n = a.shape[-2:]
    if m is None or n is None:
        raise NotImplementedError("a matrix whose size is not known while exporting")
    tall = g.keras_order(matrix_transpose(a) if m < n else a)
    if min(m, n) % 2 == 0:
        return tall, min(m, n)
    pads = np.zeros(2 * a.rank, np.int64)
    pads[-1] = 1
    shape = (*tall.shape[:-1], min(m, n) + 1)
    return g.op("Pad", tall, pads, g.constant(0, a.numpy_dtype), shape=shape, dtype=a.dtype), min(m, n)


def _lengths(g: Graph, columns: Value) -> Value:
    squares = reduced(g, "ReduceSum", g.op("Mul", columns, columns), [columns.rank - 2], False)
    return g.op("Sqrt", squares)


def _ranked(g: Graph, values: Value, count: int, largest: int) -> Value:
    outputs = [((*values.shape[:-1], count), values.dtype), ((*values.shape[:-1], count), ir.DataType.INT64)]
    return g.ops("TopK", values, g.constant([count], np.int64), outputs=outputs, axis=-1, largest=largest)[0]


@lowers_op("Svd")
def singular_values(g: Graph, op: Any, a: Value) -> list[Any]:
    """The singular values, the largest first."""
    if op.get_attr("compute_uv"):
        raise NotImplementedError(
            "singular vectors are determined up to their signs only; their values can be exported"
        )
    small, scale = scaled(g, a)
    tall, count = _pad_to_even(g, small)
    values = _ranked(g, _lengths(g, orthogonalized(g, tall)), count, largest=1)
    return [g.op("Mul", values, squeezed(g, scale, [a.rank - 1]), shape=values.shape), None, None]


def _is_single(op: Any, output: int) -> bool:
    return bool(op.outputs[output].consumers()) or any(op.outputs[output] is t for t in op.graph.outputs)


@lowers_op("SelfAdjointEigV2")
def eigenvalues(g: Graph, op: Any, a: Value) -> list[Any]:
    """The eigenvalues of symmetric matrices, the smallest first; the lower triangle counts."""
    if op.get_attr("compute_v") and _is_single(op, 1):
        raise NotImplementedError("eigenvectors are determined up to their signs only; eigenvalues can be exported")
    n = a.shape[-1]
    if n is None or a.shape[-2] != n:
        raise NotImplementedError("a matrix whose size is not known while exporting")
    x = _symmetric(g, g.keras_order(a), n)
    size = n + n % 2
    if size != n:  # one row and column more, of zeros, which never meets a product other than 0
        pads = np.zeros(2 * a.rank, np.int64)
        pads[-2:] = 1
        x = g.op("Pad", x, pads, g.constant(0, a.numpy_dtype), shape=(*a.shape[:-2], size, size), dtype=a.dtype)
    (turned,), _ = repeated(g, SWEEPS * (size - 1), [x], _rotation(size))
    values = _diagonal(g, turned, np.arange(size))
    if size != n:  # the column added is back in its place, the last
        values = sliced(g, values, [Range(values.rank - 1, 0, n)])
    return [_ranked(g, values, n, largest=0), None]


def _symmetric(g: Graph, a: Value, n: int) -> Value:
    lower = g.constant(np.tri(n, dtype=bool))
    return g.op("Where", lower, a, g.keras_order(matrix_transpose(a)), shape=a.shape, dtype=a.dtype)


def _rotation(n: int) -> Callable[[Graph, Value, list[Value]], tuple[list[Value], list[Value]]]:
    def step(g: Graph, turn: Value, states: list[Value]) -> tuple[list[Value], list[Value]]:
        x = states[0]
        own = _diagonal(g, x, np.arange(n))
        other = _take(g, own, np.arange(n)[::-1].copy(), -1)
        product = _diagonal(g, x, np.arange(n)[::-1].copy())
        cosine, tangent = _tangents(g, own, other, product)
        columns = _turned(g, x, unsqueezed(g, cosine, x.rank - 2), unsqueezed(g, tangent, x.rank - 2), axis=-1)
        both = _turned(g, columns, unsqueezed(g, cosine, x.rank - 1), unsqueezed(g, tangent, x.rank - 1), axis=-2)
        return [_take(g, _take(g, both, _moved_on(n), -1), _moved_on(n), -2)], []

    return step


def _diagonal(g: Graph, x: Value, columns: np.ndarray) -> Value:
    """Return element columns[i] of row i."""
    n = len(columns)
    mask = np.zeros((n, n), bool)
    mask[np.arange(n), columns] = True
    kept = g.op("Where", g.constant(mask), x, g.constant(0, x.numpy_dtype), shape=x.shape, dtype=x.dtype)
    return reduced(g, "ReduceSum", kept, [x.rank - 1], False)


def _pseudo_inverse(g: Graph, a: Value, cut: float, kept: str) -> Value:
    """Return V · S⁺ · Uᵀ, where singular values count that are `kept` ("Greater", …) against `cut` times the largest."""
    m, n = a.shape[-2:]
    small, scale = scaled(g, a)
    tall, count = _pad_to_even(g, small)
    size = tall.shape[-1] or 0
    sizes = joined(g, [*[g.dimension(a, axis) for axis in range(a.rank - 2)], g.constant([size, size], np.int64)])
    one = g.op("Expand", g.constant(np.eye(size, dtype=a.numpy_dtype)), sizes, shape=(*a.shape[:-2], size, size))
    both = orthogonalized(g, tall, one)
    rows = tall.shape[-2] or 0
    left = sliced(g, both, [Range(a.rank - 2, 0, rows)])
    right = sliced(g, both, [Range(a.rank - 2, rows, rows + count)])
    lengths = unsqueezed(g, _lengths(g, left), a.rank - 2)
    limit = g.op("Mul", extreme(g, "ReduceMax", lengths, [a.rank - 1], True), cut)
    counts = g.op("And", g.op(kept, lengths, limit), g.op("Greater", lengths, g.constant(0, a.numpy_dtype)))
    squares = g.op("Where", counts, g.op("Mul", lengths, lengths), g.constant(np.inf, a.numpy_dtype), dtype=a.dtype)
    inverse = multiplied(g, g.op("Div", right, squares, shape=right.shape), matrix_transpose(left))
    inverse = g.op("Div", inverse, scale, shape=inverse.shape)
    return matrix_transpose(inverse) if (m or 0) < (n or 0) else inverse


def _sized(a: Any, *_: Any, rcond: Any = None, **__: Any) -> bool:
    return isinstance(rcond, float | int | type(None)) and None not in tuple(a.shape)[-2:] and "float" in str(a.dtype)


@lowers_function("linalg.pinv", when=_sized)
def pinv(g: Graph, x: Value, rcond: float | None = None) -> Value:
    """The pseudo-inverse; singular values up to rcond times the largest count as 0."""
    epsilon = float(np.finfo(x.numpy_dtype).eps)
    cut = 10.0 * max(x.shape[-2] or 0, x.shape[-1] or 0) * epsilon if rcond is None else float(rcond)
    return _pseudo_inverse(g, x, cut, "Greater")


@lowers_function("linalg.lstsq", when=_sized)
def least_squares(g: Graph, a: Value, b: Value, rcond: float | None = None) -> Value:
    """The pseudo-inverse of `a` times `b`; NaN if all of `a` is 0, as Keras has it."""
    a, b = g.value_of(a), g.value_of(b)
    epsilon = float(np.finfo(a.numpy_dtype).eps)
    cut = (
        epsilon * max(a.shape[-2] or 0, a.shape[-1] or 0) if rcond is None else float(rcond if rcond >= 0 else epsilon)
    )
    nothing = g.op("Equal", magnitude(g, a), g.constant(0, a.numpy_dtype))
    inverse = _pseudo_inverse(g, a, cut, "GreaterOrEqual")
    inverse = g.op("Where", nothing, g.constant(np.nan, a.numpy_dtype), inverse, shape=inverse.shape, dtype=a.dtype)
    if b.rank == 1:
        return squeezed(g, multiplied(g, inverse, unsqueezed(g, b, 1)), [1])
    return multiplied(g, inverse, b)


@lowers_op("Eig")
def general(g: Graph, op: Any, *_: Any) -> NoReturn:
    """Refuse: the eigenvalues of a matrix that is not symmetric."""
    raise NotImplementedError(
        "ONNX has no eigenvalues of general matrices, which are complex; use ops.eigh if the matrix is symmetric"
    )
