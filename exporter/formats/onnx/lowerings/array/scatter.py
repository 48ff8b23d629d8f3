"""TensorFlow's ops that write into a tensor at indices: ScatterND, in a way that equal indices lose nothing.

ONNX Runtime shares ScatterND out among threads, which lose updates of each other: of 20,000 rows of 512 added to 7 rows, 19 of
20 runs of 4 threads were wrong (1.32). Of less than 210,000 elements it takes one thread. So what is combined is written at
once, in parts of so few, or as ScatterElements, which takes one thread and 6 to 15 times as long.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.sizes import counted, element, sizes_of, wide
from exporter.formats.onnx.builder.static import static_shape
from exporter.formats.onnx.builder.value import Constant, Value
from exporter.formats.onnx.lowerings.array.reshaping import reshaped, transposed, unsqueezed
from exporter.formats.onnx.lowerings.array.slicing import Range, indexed, sliced
from exporter.formats.onnx.lowerings.math.matmul import multiplied
from exporter.formats.onnx.registry import lowers_op

ALONE = 100_000  # elements; updates of so many are made by one thread
COPIED = 10 * ALONE  # elements; copying so many takes as long as making the updates of a part one by one
REDUCTIONS = {"Add": "add", "Sub": "add", "Max": "max", "Min": "min", "Prod": "mul", "Sum": "add"}


def scattered(g: Graph, tensor: Value, indices: Value, updates: Value, reduction: str | None = None) -> Value:
    """Return `tensor` with `updates` at `indices`, each a row of the last axis, combined by `reduction` if given."""
    needed = {None: 13, "add": 16, "mul": 16}.get(reduction, 18)
    if not g.supports_opset(needed):
        raise NotImplementedError(f"scattering with reduction {reduction} needs opset {needed}")
    if reduction is not None and not _is_safe(tensor, indices):
        small = None not in tensor.shape and math.prod(d or 0 for d in tensor.shape) <= COPIED
        return (_in_parts if small else _one_by_one)(g, tensor, indices, updates, reduction)
    shape, dtype = tensor.shape, tensor.dtype
    return g.op("ScatterND", tensor, wide(g, indices), updates, shape=shape, dtype=dtype, reduction=reduction)


def _is_safe(tensor: Value, indices: Value) -> bool:
    """Whether no two threads of ONNX Runtime's ScatterND write at one place: it takes one only, or no place is there twice."""
    sizes = (*indices.shape[:-1], *tensor.shape[indices.shape[-1] or 0 :])
    if 0 in sizes or (None not in sizes and math.prod(d or 0 for d in sizes) <= ALONE):
        return True
    if not isinstance(indices, Constant):
        return False
    places = indices.array.reshape(-1, indices.array.shape[-1])
    return len(np.unique(places, axis=0)) == len(places)


def _in_parts(g: Graph, tensor: Value, indices: Value, updates: Value, reduction: str) -> Value:
    """Write a Loop of ScatterNDs; it copies the tensor each turn, which has to be small therefore."""
    depth = indices.shape[-1] or 0
    row = tensor.shape[depth:]
    size = max(ALONE // max(math.prod(d or 0 for d in row), 1), 1)
    places = g.op("Reshape", wide(g, indices), g.constant([-1, depth], np.int64), shape=(None, depth))
    rows = g.op("Reshape", updates, g.constant([-1, *row], np.int64), shape=(None, *row))
    enough = g.op("Add", g.dimension(places, 0), g.constant([size - 1], np.int64))
    turns = element(g, g.op("Div", enough, g.constant([size], np.int64)))
    body = g.body()
    turn = body.input(g.unique("turn"), (), ir.DataType.INT64)
    going = body.input(g.unique("going"), (), ir.DataType.BOOL)
    before = body.input(g.unique("before"), tensor.shape, tensor.dtype)
    start = body.op("Mul", unsqueezed(body, turn, 0), body.constant([size], np.int64))
    stop = body.op("Add", start, body.constant([size], np.int64))
    part = [sliced(body, v, [Range(0, start, stop)]) for v in (places, rows)]
    after = body.op("ScatterND", before, *part, shape=tensor.shape, dtype=tensor.dtype, reduction=reduction)
    graph = body.finish_body("part", [going, after])
    return g.ops("Loop", turns, g.constant(True), tensor, outputs=[(tensor.shape, tensor.dtype)], body=graph)[0]


def _one_by_one(g: Graph, tensor: Value, indices: Value, updates: Value, reduction: str) -> Value:
    """Write ScatterElements on all elements in a row; elsewhere than along one axis ONNX Runtime is 7 times slower."""
    depth = indices.shape[-1]
    if not depth:
        raise NotImplementedError("scattering by indices whose length is not known while exporting; state their shape")
    places = wide(g, indexed(g, indices, indices.rank - 1, g.constant(0)))
    for axis in range(1, depth):
        column = wide(g, indexed(g, indices, indices.rank - 1, g.constant(axis)))
        places = g.op("Add", g.op("Mul", places, element(g, g.dimension(tensor, axis))), column)
    for axis in range(depth, tensor.rank):
        size = element(g, g.dimension(tensor, axis))
        places = g.op("Add", g.op("Mul", unsqueezed(g, places, places.rank), size), counted(g, tensor, axis))
    flat = [g.op("Reshape", v, g.constant([-1], np.int64), shape=(None,)) for v in (tensor, places, updates)]
    written = g.op("ScatterElements", *flat, shape=(None,), axis=0, reduction=reduction)
    return reshaped(g, written, sizes_of(g, tensor), tensor.shape)


@lowers_op("TensorScatterUpdate", "TensorScatterAdd", "TensorScatterSub", "TensorScatterMax", "TensorScatterMin")
def tensor_scatter(g: Graph, op: Any, tensor: Value, indices: Value, updates: Value) -> Value:
    """Replace, add, subtract, or keep the larger or smaller."""
    kind = op.type.removeprefix("TensorScatter")
    if kind == "Sub":
        updates = g.elementwise("Neg", updates)
    if kind in ("Max", "Min") and tensor.dtype.is_floating_point():
        return _extreme(g, kind, tensor, indices, updates)
    return scattered(g, tensor, indices, updates, REDUCTIONS.get(kind))


def _extreme(g: Graph, kind: str, tensor: Value, indices: Value, updates: Value) -> Value:
    """Keep the larger or smaller float: TensorFlow leaves what is NaN and passes over updates by NaN, ONNX Runtime neither."""
    least = g.constant(-np.inf if kind == "Max" else np.inf, updates.numpy_dtype)
    missing = g.elementwise("IsNaN", updates, dtype=ir.DataType.BOOL)
    numbers = g.elementwise("Where", missing, least, updates, dtype=updates.dtype)
    kept = g.elementwise("IsNaN", tensor, dtype=ir.DataType.BOOL)
    result = scattered(g, tensor, indices, g.keras_order(numbers), REDUCTIONS[kind])
    return g.elementwise("Where", kept, tensor, result, dtype=tensor.dtype)


@lowers_op("ScatterNd")
def scatter(g: Graph, op: Any, indices: Value, updates: Value, target: Value) -> Value:
    """Add to zeros."""
    if updates.dtype in (ir.DataType.BOOL, ir.DataType.STRING):
        raise NotImplementedError("scattering what cannot be added")
    zeros = g.op(
        "Expand", g.constant(0, updates.numpy_dtype), wide(g, target), shape=static_shape(op), dtype=updates.dtype
    )
    return scattered(g, zeros, indices, updates, "add")


@lowers_op("XlaDynamicUpdateSlice")
def update_slice(g: Graph, op: Any, x: Value, update: Value, starts: Value) -> Value:
    """Put `update` into `x` at `starts`, moved so that it fits: pad it, and a mask, to the shape of `x`."""
    sizes, own = sizes_of(g, x), sizes_of(g, update)
    room = g.op("Sub", sizes, own)
    before = g.op("Max", g.op("Min", wide(g, starts), room), g.constant(0, np.int64))
    pads = g.op("Concat", before, g.op("Sub", room, before), shape=(2 * x.rank,), axis=0)
    ones = g.op("Expand", g.constant(True), own, shape=update.shape)
    mask = g.op("Pad", ones, pads, g.constant(False), shape=x.shape, dtype=ir.DataType.BOOL)
    placed = g.op("Pad", update, pads, g.constant(0, x.numpy_dtype), shape=x.shape, dtype=x.dtype)
    return g.op("Where", mask, placed, x, shape=x.shape, dtype=x.dtype)


@lowers_op("SparseToDense")
def sparse_to_dense(g: Graph, op: Any, indices: Value, target: Value, values: Value, default: Value) -> Value:
    """The default, but for given places."""
    full = g.op("Expand", default, wide(g, target), shape=static_shape(op), dtype=default.dtype)
    if indices.rank < 2:
        indices = unsqueezed(g, indices, indices.rank)
    if values.rank == 0 and indices.rank == 2:
        rows = g.dimension(indices, 0)
        values = g.op("Expand", values, rows, shape=(indices.shape[0],), dtype=values.dtype)
    return scattered(g, full, indices, values)


@lowers_op("SparseTensorDenseMatMul")
def sparse_product(g: Graph, op: Any, indices: Value, values: Value, sizes: Value, b: Value) -> Value:
    """The product of a sparse matrix, made dense, and a dense one."""
    zeros = g.op("Expand", g.constant(0, values.numpy_dtype), wide(g, sizes), shape=(None, None), dtype=values.dtype)
    a = scattered(g, zeros, indices, values, "add")
    a, b = (transposed(m, [1, 0]) if op.get_attr(name) else m for m, name in ((a, "adjoint_a"), (b, "adjoint_b")))
    return multiplied(g, a, b)
