"""keras.ops: products, linear algebra, Fourier transforms."""

from __future__ import annotations

from keras import ops

from tests.conformance.cases.case import floats, inside, op

X = floats(3, 4)
V = floats(6)
SQUARE = floats(3, 3)
SIGNAL = floats(16)
EINSUMS = {
    "two": ("bij,bjk->bik", (floats(3, 4), floats(4, 2))),
    "outer": ("bi,bj->bij", (floats(3), floats(4))),
    "heads": ("bqhd,bkhd->bhqk", (floats(3, 2, 4), floats(5, 2, 4))),
    "ellipsis": ("...ij,...jk->...ik", (floats(2, 3, 4), floats(2, 4, 5))),
    "repeated": ("bii->bi", (SQUARE,)),
    "trace": ("bii->b", (SQUARE,)),
    "sum": ("bij->b", (X,)),
    "transposed": ("bij->bji", (X,)),
    "implicit": ("bij,bjk", (floats(3, 4), floats(4, 2))),
    "three": ("bij,bjk,bkl->bil", (floats(3, 4), floats(4, 2), floats(2, 5))),
}


def positive_definite(x):
    """Return x xᵀ + 3 I."""
    return x @ ops.swapaxes(x, -1, -2) + 3 * ops.eye(3)


PRODUCTS = [
    op(ops.matmul, X, floats(4, 2)),
    op(ops.matmul, X, floats(4), call=lambda x, v: ops.matmul(x, ops.expand_dims(v, -1)), label="vector"),
    op(ops.dot, X, call=lambda x: ops.dot(x, ops.ones((4, 2)))),
    op(ops.inner, V, call=lambda x: ops.inner(x, ops.ones((6,)))),
    op(ops.outer, V, call=inside(lambda x: ops.outer(x[0], x[0]) + 0 * ops.sum(x))),
    op(ops.tensordot, X, call=lambda x: ops.tensordot(x, ops.ones((3, 4, 2)), axes=2)),
    op(ops.vdot, V, V, call=inside(lambda a, b: ops.vdot(a, b) + 0 * a)),
    op(ops.cross, floats(5, 3), floats(5, 3)),
    op(ops.cross, floats(5, 2), floats(5, 2), label="2-D"),
    op(ops.correlate, V, call=inside(lambda x: ops.correlate(x[0], ops.array([1.0, 2.0, 3.0])) + 0 * ops.sum(x))),
    op(ops.cdist, X, floats(5, 4)),
    *[op(ops.einsum, *specs, call=lambda *xs, e=e: ops.einsum(e, *xs), label=n) for n, (e, specs) in EINSUMS.items()],
]

ALGEBRA = [
    op(ops.cholesky, SQUARE, call=lambda x: ops.cholesky(positive_definite(x))),
    op(ops.cholesky_inverse, SQUARE, call=lambda x: ops.cholesky_inverse(ops.cholesky(positive_definite(x)))),
    op(ops.det, SQUARE),
    op(ops.slogdet, SQUARE),
    op(ops.logdet, SQUARE, call=lambda x: ops.logdet(positive_definite(x))),
    op(ops.eig, SQUARE, call=lambda x: ops.real(ops.eig(positive_definite(x))[0])),
    op(ops.eigh, SQUARE, call=lambda x: ops.eigh(positive_definite(x))[0]),
    op(ops.inv, SQUARE, call=lambda x: ops.inv(positive_definite(x))),
    op(ops.pinv, floats(3, 2)),
    op(ops.lstsq, floats(3), call=lambda x: ops.lstsq(positive_definite(x), x), batch=3),
    op(ops.lu_factor, floats(3), call=lambda x: ops.lu_factor(positive_definite(x))[0], batch=3),
    op(ops.matrix_rank, SQUARE),
    op(ops.norm, X, axis=-1),
    op(ops.norm, X, axis=-1, ord=1),
    op(ops.norm, X, axis=-1, ord=float("inf")),
    op(ops.norm, X, axis=(1, 2)),
    op(ops.norm, X, axis=(1, 2), ord=2),
    op(ops.normalize, X, axis=-1),
    op(ops.normalize, X, axis=-1, order=1),
    op(ops.qr, SQUARE, call=lambda x: ops.abs(ops.qr(x)[1])),
    op(ops.solve, SQUARE, call=lambda x: ops.solve(positive_definite(x), x)),
    op(ops.solve_triangular, SQUARE, call=lambda x: ops.solve_triangular(positive_definite(x), x, lower=True)),
    op(ops.svd, X, compute_uv=False),
]

FOURIER = [
    op(ops.fft, SIGNAL, SIGNAL, call=lambda *xs: ops.fft(xs)),
    op(ops.fft2, floats(4, 8), floats(4, 8), call=lambda *xs: ops.fft2(xs)),
    op(ops.ifft2, floats(4, 8), floats(4, 8), call=lambda *xs: ops.ifft2(xs)),
    op(ops.rfft, SIGNAL),
    op(ops.rfft, SIGNAL, fft_length=20),
    op(ops.rfft, floats(15), label="odd"),
    op(ops.irfft, floats(9), floats(9), call=lambda *xs: ops.irfft(xs)),
    op(ops.stft, floats(64), sequence_length=16, sequence_stride=8, fft_length=16),
    op(ops.stft, floats(64), sequence_length=16, sequence_stride=8, fft_length=32, window=None, center=False),
    op(
        ops.istft,
        floats(9, 9),
        floats(9, 9),
        call=lambda *xs: ops.istft(xs, sequence_length=16, sequence_stride=8, fft_length=16),
    ),
]

CASES = [*PRODUCTS, *ALGEBRA, *FOURIER]
