"""keras.ops: shapes, indexing, sorting, reductions, creation."""

from __future__ import annotations

import numpy as np
from keras import ops

from tests.conformance.cases.case import Case, booleans, floats, inside, integers, op

X = floats(3, 4)
V = floats(6)
I = integers(3, 4, low=-9, high=10)  # noqa: E741 - next to X
B = booleans(3, 4)

REDUCTIONS = "amax amin max mean min prod std sum var logsumexp median ptp"
NAN_REDUCTIONS = "nanmax nanmean nanmin nanprod nanstd nansum nanvar"


def with_nan(x):
    """Put NaN where x is large."""
    return ops.where(x > 0.8, float("nan"), x)


def reductions() -> list[Case]:
    """Return reductions over one axis, several and all, keeping them or not."""
    result = []
    for name in REDUCTIONS.split():
        function = getattr(ops, name)
        result += [op(function, X, axis=-1), op(function, X, axis=1, keepdims=True)]
    for name in ("sum", "max", "min", "mean", "prod"):
        function = getattr(ops, name)
        result += [op(function, X, axis=(1, 2)), op(function, I, axis=2)]
    for name in NAN_REDUCTIONS.split():
        result.append(op(getattr(ops, name), X, call=lambda x, n=name: getattr(ops, n)(with_nan(x), axis=-1), batch=2))
    for name in ("nanargmax", "nanargmin", "nancumsum", "nancumprod"):
        result.append(op(getattr(ops, name), X, call=lambda x, n=name: getattr(ops, n)(with_nan(x), axis=-1)))
    return result


def searched(x):
    """Find the places of the first row's elements; keep the batch."""
    return ops.searchsorted(ops.array([-1.0, 0.0, 1.0]), x[0]) + 0 * ops.cast(x, "int32")


REDUCING = [
    *reductions(),
    op(ops.mean, X, label="all", call=lambda x: x - ops.mean(x)),
    op(ops.all, B, axis=-1),
    op(ops.any, B, axis=-1),
    op(ops.all, X, axis=1, label="floats"),
    op(ops.count_nonzero, I, axis=-1),
    op(ops.average, X, call=lambda x: ops.average(x, axis=-1, weights=ops.array([1.0, 2.0, 3.0, 4.0]))),
    *[op(f, X, axis=-1) for f in (ops.argmax, ops.argmin, ops.argsort, ops.sort, ops.cumsum, ops.cumprod)],
    *[op(f, X, axis=1) for f in (ops.argmax, ops.argmin, ops.argsort, ops.sort, ops.cumsum, ops.cumprod)],
    *[op(f, I, axis=-1, label="int32") for f in (ops.argmax, ops.sort, ops.cumsum)],
    op(ops.argmax, X, axis=-1, keepdims=True),
    op(ops.argpartition, V, kth=1, batch=2, call=lambda x: ops.argpartition(x, 1)[..., :1]),
    op(ops.quantile, X, q=0.3, axis=-1),
    op(ops.quantile, X, q=0.3, axis=-1, method="nearest"),
    op(ops.percentile, X, q=30, axis=-1),
    op(ops.top_k, X, k=2),
    op(ops.in_top_k, integers(high=6), V, call=lambda t, p: ops.in_top_k(t, p, k=2)),
    op(ops.moments, X, axes=[1], call=lambda x: ops.moments(x, axes=[1])),
    op(
        ops.histogram,
        V,
        call=inside(lambda x: ops.histogram(x[0], bins=4, range=(-2.0, 2.0))[0]),
    ),
    op(ops.bincount, integers(6), call=inside(lambda x: ops.bincount(x, minlength=5))),
    op(ops.digitize, X, call=lambda x: ops.digitize(x, np.array([-1.0, 0.0, 1.0]))),
    op(
        ops.searchsorted,
        V,
        call=inside(searched),
    ),
    op(ops.diff, X, axis=-1),
    op(ops.diff, X, n=2, axis=1),
    op(ops.trapezoid, X, axis=-1),
    op(ops.associative_scan, X, call=inside(lambda x: ops.associative_scan(ops.add, x, axis=1))),
    op(ops.unique, integers(6), call=inside(lambda x: ops.unique(x[0], size=5) + 0 * ops.sum(x))),
]

SHAPING = [
    op(ops.append, X, X, axis=1),
    op(ops.array_split, V, call=lambda x: ops.array_split(x, 4, axis=1)),
    op(ops.broadcast_to, floats(1, 4), call=inside(lambda x: ops.broadcast_to(x, (ops.shape(x)[0], 3, 4)))),
    op(ops.concatenate, X, X, call=lambda *xs: ops.concatenate(xs, axis=-1)),
    op(ops.depth_to_space, floats(3, 4, 8), block_size=2),
    op(ops.space_to_depth, floats(4, 6, 2), block_size=2),
    op(ops.diag, V, call=inside(lambda x: ops.diag(x[0]) + 0 * ops.sum(x))),
    op(ops.diagflat, V, call=inside(lambda x: ops.diagflat(x[0]) + 0 * ops.sum(x))),
    op(ops.diagonal, floats(4, 4), axis1=1, axis2=2),
    op(ops.diagonal, floats(4, 5), offset=1, axis1=1, axis2=2),
    op(ops.trace, floats(4, 4), axis1=1, axis2=2),
    op(ops.dstack, X, X, call=lambda *xs: ops.dstack(xs)),
    op(ops.hstack, X, X, call=lambda *xs: ops.hstack(xs)),
    op(ops.vstack, X, X, call=lambda *xs: ops.vstack(xs)),
    op(ops.stack, X, X, call=lambda *xs: ops.stack(xs, axis=1)),
    op(ops.unstack, X, axis=1),
    op(ops.dsplit, floats(3, 4), call=lambda x: ops.dsplit(x, 2)),
    op(ops.hsplit, X, call=lambda x: ops.hsplit(x, 3)),
    op(ops.vsplit, X, call=lambda x: ops.vsplit(x, 2), batch=4),
    op(ops.split, V, call=lambda x: ops.split(x, 3, axis=1)),
    op(ops.split, V, call=lambda x: ops.split(x, [1, 4], axis=1), label="at"),
    op(ops.expand_dims, X, axis=1),
    op(ops.expand_dims, X, axis=(1, 3)),
    op(ops.extract_sequences, floats(20), sequence_length=6, sequence_stride=3),
    op(ops.flip, X, axis=1),
    op(ops.fliplr, X),
    op(ops.flipud, X),
    op(ops.fold, floats(8, 9), output_size=4, kernel_size=2),
    op(ops.unfold, floats(2, 4, 4), kernel_size=2, batch=2),
    op(ops.get_item, X, call=lambda x: x[:, 1:, ::2]),
    op(ops.get_item, X, call=lambda x: x[..., None, -1], label="new axis"),
    op(ops.get_item, X, call=lambda x: x[:, ::-1], label="backwards"),
    op(ops.identity, X, call=lambda x: x[:, :3, :3] @ ops.identity(3)),
    op(ops.meshgrid, V, call=inside(lambda x: ops.meshgrid(x[0], x[0]))),
    op(ops.moveaxis, X, source=1, destination=2),
    op(ops.swapaxes, X, axis1=1, axis2=2),
    op(ops.transpose, X, axes=(0, 2, 1)),
    op(ops.pad, X, pad_width=((0, 0), (1, 2), (0, 1))),
    op(ops.pad, X, pad_width=((0, 0), (1, 2), (0, 1)), mode="constant", constant_values=2.0),
    op(ops.pad, X, pad_width=((0, 0), (1, 2), (0, 1)), mode="reflect"),
    op(ops.pad, X, pad_width=((0, 0), (1, 2), (0, 1)), mode="symmetric"),
    op(ops.ravel, X),
    op(ops.rearrange, X, pattern="b h w -> b (w h)", batch=2),
    op(ops.repeat, X, repeats=2, axis=1),
    op(ops.repeat, X, call=lambda x: ops.repeat(x, [1, 2, 0], axis=1), label="each"),
    op(ops.reshape, X, newshape=(-1, 2, 6)),
    op(ops.roll, X, shift=1, axis=1),
    op(ops.roll, X, shift=(1, -2), axis=(1, 2)),
    op(ops.rot90, X, k=1, axes=(1, 2)),
    op(ops.squeeze, floats(1, 4), axis=1),
    op(ops.tile, X, repeats=(1, 2, 3)),
    op(ops.tril, floats(4, 4)),
    op(ops.triu, floats(4, 4), k=1),
]

INDEXING = [
    op(ops.take, V, integers(2, high=6), call=lambda x, i: ops.take(x, [0, 2, 5], axis=1) + ops.sum(i) * 0.0),
    op(ops.take, V, call=lambda x: ops.take(x, ops.array([0, -1]), axis=1), label="negative"),
    op(ops.take_along_axis, X, integers(3, 2, high=4), axis=2),
    op(ops.slice, X, call=inside(lambda x: ops.slice(x, (0, 1, 0), (1, 2, 3)))),
    op(ops.slice_update, X, call=inside(lambda x: ops.slice_update(x, (0, 1, 0), ops.ones((1, 2, 3))))),
    op(ops.scatter, V, call=inside(lambda x: ops.scatter(ops.array([[0], [2], [2]]), x[0, :3], (4,)) + 0 * ops.sum(x))),
    op(ops.scatter_update, V, call=inside(lambda x: ops.scatter_update(x, [[0, 1], [0, 3]], [8.0, 9.0]))),
    op(
        ops.scatter_update,
        V,
        call=inside(lambda x: ops.scatter_update(x, [[0, 1], [0, 1]], [8.0, 9.0], reduction="add")),
        label="add",
    ),
    *[
        op(f, V, call=inside(lambda x, f=f: f(ops.transpose(x), ops.array([0, 2, 2, 0, 3, 3]), num_segments=5)))
        for f in (ops.segment_sum, ops.segment_max, ops.segment_min, ops.segment_prod)
    ],
    op(ops.nonzero, integers(6, high=2), call=inside(lambda x: ops.sum(ops.nonzero(x)[1]) + 0 * x)),
    op(ops.unravel_index, integers(5, high=12), shape=(3, 4), batch=2),
    op(ops.one_hot, integers(5), num_classes=5),
    op(ops.one_hot, integers(5, low=-1, high=7), num_classes=5, axis=1, dtype="int32"),
    op(ops.multi_hot, integers(5), num_classes=5),
]

CREATION = [
    op(ops.arange, V, call=lambda x: x + ops.arange(6, dtype="float32")),
    op(
        ops.arange, floats(None), call=inside(lambda x: x + ops.cast(ops.arange(ops.shape(x)[1]), "float32")), label="n"
    ),
    op(ops.array, V, call=lambda x: x + ops.array([1.0])),
    op(ops.convert_to_tensor, V, call=lambda x: x + ops.convert_to_tensor([1.0])),
    *[op(f, V, call=lambda x, f=f: x * f(6)) for f in (ops.bartlett, ops.blackman, ops.hamming, ops.hanning)],
    op(ops.kaiser, V, call=lambda x: x * ops.kaiser(6, 3.0)),
    op(ops.empty, V, call=lambda x: x + 0 * ops.empty((6,))),
    op(ops.empty_like, V, call=lambda x: x + 0 * ops.empty_like(x)),
    op(ops.eye, V, call=lambda x: x @ ops.eye(6, 3)),
    op(ops.full, V, call=lambda x: x + ops.full((6,), 2.0)),
    op(ops.full_like, V, fill_value=3.0),
    op(ops.geomspace, V, call=lambda x: x + ops.geomspace(1.0, 32.0, 6)),
    op(ops.linspace, V, call=lambda x: x + ops.linspace(0.0, 1.0, 6)),
    op(ops.linspace, floats(3), floats(3), call=lambda a, b: ops.linspace(a, b, 4, axis=1), label="tensors"),
    op(ops.logspace, V, call=lambda x: x + ops.logspace(0.0, 1.0, 6)),
    op(ops.ones, V, call=lambda x: x + ops.ones((6,))),
    op(ops.ones_like, V),
    op(ops.zeros, V, call=lambda x: x + ops.zeros((6,))),
    op(ops.zeros_like, V),
    op(ops.tri, floats(4), call=lambda x: x @ ops.tri(4)),
    op(ops.vander, V, call=inside(lambda x: ops.vander(x[0], 3) + 0 * ops.sum(x))),
    op(ops.shape, X, call=inside(lambda x: x + float(ops.shape(x)[1]))),
    op(ops.shape, floats(None), call=inside(lambda x: x * ops.cast(ops.shape(x)[1], "float32")), label="dynamic"),
    op(ops.ndim, X, call=inside(lambda x: x + ops.ndim(x))),
    op(ops.size, X, call=inside(lambda x: x + ops.cast(ops.size(x[0]), "float32"))),
    op(ops.dtype, X, call=inside(lambda x: ops.cast(x, ops.dtype(x)))),
    op(ops.is_tensor, X, call=inside(lambda x: x + float(ops.is_tensor(x)))),
]

CASES = [*REDUCING, *SHAPING, *INDEXING, *CREATION]
