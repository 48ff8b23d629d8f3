"""Parts of patterns that normalize rows, and what is asked of the rows."""

from __future__ import annotations

from typing import Any

from onnxscript.rewriter.pattern import OrValue

from exporter.formats.onnx.builder.value import Value


def row_mean(op: Any, x: Any, axes: Any) -> Any:
    """Match the mean along `axes`, which stay as axes of one element."""
    return op.ReduceMean(x, axes, keepdims=1)


def mean_square(op: Any, x: Any, axes: Any) -> Any:
    """Match the mean of x²."""
    return row_mean(op, OrValue([op.Mul(x, x), op.Pow(x, 2)]), axes)


def _root(op: Any, square: Any) -> Any:
    return OrValue([op.Sqrt(square), op.Pow(square, 0.5)])


def quotient_by_root(op: Any, x: Any, square: Any) -> Any:
    """Match x / sqrt(square)."""
    return op.Div(x, _root(op, square))


def product_with_root(op: Any, x: Any, square: Any) -> Any:
    """Match x · (1 / sqrt(square)), which rsqrt becomes, or x · square^(-1/2)."""
    root = _root(op, square)
    return op.Mul(x, OrValue([op.Reciprocal(root), op.Div(1, root), op.Pow(square, -0.5)]))


BY_ROOT = (quotient_by_root, product_with_root)


def last_axes(x: Value, axes: Value) -> list[int] | None:
    """Return `axes`, counted from 0 and ascending, if they are the last ones of `x`, of known lengths; else None."""
    if axes.ir is None or axes.ir.const_value is None:
        return None
    places = sorted(int(axis) % x.rank for axis in axes.ir.const_value.numpy())
    at_end = places == list(range(x.rank - len(places), x.rank))
    return places if at_end and None not in x.shape[places[0] :] else None


def weights_fit(x: Value, axes: list[int], *weights: Value | None) -> bool:
    """Whether each weight that there is has the shape of a row of `x`."""
    row = x.shape[axes[0] :]
    return all(weight is None or weight.shape == row for weight in weights)
