"""Functions of float16: computed as float32, so right to the last bit that float16 has, specials included."""

from __future__ import annotations

import numpy as np
from keras import ops

from tests.formats.onnx.lowerings.exported import export, model_of, normal

SIZES = [0, 1e-4, 0.3, 0.5, 1, 1.5, 2, 3, 8, 11, 17, 20, 50, 6e4, np.inf, np.nan]
# No denormal numbers, which TensorFlow takes for 0.
LADDER = np.array([*SIZES, *(-s for s in SIZES)], "float16").reshape(-1, 1)
ROUNDED = ["round", "floor", "ceil", "trunc", "sign", "abs", "negative", "reciprocal", "square", "nan_to_num", "isnan"]
POWERS = ["exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "rsqrt", "erf", "erfinv"]
ANGLES = ["tanh", "arctan", "arcsin", "arccos", "arctanh", "arcsinh", "angle"]
SMOOTH = ["sigmoid", "softplus", "gelu", "silu", "log_sigmoid", "tanh_shrink", "sparse_plus", "softsign"]
BENT = ["relu", "relu6", "leaky_relu", "elu", "selu", "celu", "hard_sigmoid", "hard_silu", "soft_shrink", "hard_shrink"]


def test_elementwise():
    names = [*ROUNDED, *POWERS, *ANGLES, *SMOOTH, *BENT]
    exported = export(model_of(lambda x: [getattr(ops, name)(x) for name in names], ((None, 1), "float16")))
    exported.check(LADDER)
    exported.check(LADDER[:0])


def test_turns():
    exported = export(model_of(lambda x: [ops.sin(x), ops.cos(x), ops.tan(x)], ((None, 1), "float16")))
    exported.check(LADDER[~(np.isfinite(LADDER) & (np.abs(LADDER) > 100))].reshape(-1, 1))


def test_reductions():
    names = ["sum", "mean", "var", "prod", "max", "min", "argmax", "logsumexp", "norm", "median"]

    def function(x):
        wide = [ops.cumsum(x, 1), ops.softmax(x), ops.log_softmax(x), *ops.top_k(x, 2), ops.quantile(x, 0.3, 1)]
        return [*(getattr(ops, name)(x, axis=1) for name in names), *wide]

    exported = export(model_of(function, ((None, 4, 5), "float16")))
    for rows in (3, 1, 0):
        exported.check(normal(rows, 4, 5).astype("float16"))


def test_moves_and_products():
    def function(x):
        rows = ops.reshape(x, (-1, 5))
        return [
            ops.take(x, [0, -1], axis=1),
            ops.one_hot(ops.argmax(x, 1), 4, dtype="float16"),
            ops.segment_sum(rows, ops.cast(rows[:, 0] > 0, "int32"), 2),
            ops.sort(x, -1),
            ops.roll(x, 1, 1),
            ops.pad(x, [[0, 0], [1, 1], [0, 2]], constant_values=3.0),
            ops.diagonal(x, axis1=1, axis2=2),
            ops.where(x > 0, x, -x),
            ops.einsum("abc,adc->abd", x, x),
            ops.matmul(x, ops.transpose(x, (0, 2, 1))),
            ops.cross(x[..., :3], x[..., 1:4]),
            ops.searchsorted(np.array([-1, 0, 1], "float16"), rows[:, 0]),
        ]

    exported = export(model_of(function, ((None, 4, 5), "float16")))
    exported.check(normal(3, 4, 5).astype("float16"))
    exported.check(normal(0, 4, 5).astype("float16"))


def test_images():
    def function(x):
        resized = ops.image.resize(x, (5, 11))
        colours = ops.image.rgb_to_hsv(ops.sigmoid(x)), ops.image.rgb_to_grayscale(x)
        return [resized, *colours, ops.average_pool(x, 2), ops.conv(x, np.ones((3, 3, 3, 2), "float16"))]

    export(model_of(function, ((None, 8, 8, 3), "float16"))).check(normal(2, 8, 8, 3).astype("float16"))
