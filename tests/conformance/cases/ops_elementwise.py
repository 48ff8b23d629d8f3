"""keras.ops: elementwise functions, comparisons, logic and bits, with broadcasting."""

from __future__ import annotations

from keras import ops

from tests.conformance.cases.case import Case, booleans, floats, integers, op

X = floats(3, 4)
POSITIVE = floats(3, 4, low=0.1, high=5)
UNIT = floats(3, 4, low=-0.95, high=0.95)
ABOVE_ONE = floats(3, 4, low=1.0, high=5)
I = integers(3, 4, low=-9, high=10)  # noqa: E741 - next to X
COUNTS = integers(3, 4, low=1, high=10)
B = booleans(3, 4)

ON_FLOATS = (
    "abs ceil cos cosh cbrt deg2rad erf erfc exp exp2 expm1 fabs floor isfinite isinf isnan isneginf isposinf "
    "isreal negative nan_to_num rad2deg reciprocal round sigmoid sign signbit sin sinc sinh square tan tanh trunc arctan "
    "arcsinh i0 angle conj imag real stop_gradient copy identity_ "
    "celu elu gelu glu hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu log_sigmoid log_softmax relu relu6 selu "
    "silu soft_shrink softmax softplus softsign sparse_plus sparse_sigmoid sparsemax squareplus tanh_shrink"
).replace("identity_ ", "")
ON_POSITIVE = "log log10 log1p log2 rsqrt sqrt"
ON_UNIT = "arccos arcsin arctanh erfinv"
BINARY = (
    "add arctan2 divide divide_no_nan floor_divide fmax fmin fmod heaviside hypot logaddexp logaddexp2 maximum minimum "
    "mod multiply nextafter subtract true_divide equal greater greater_equal isclose less less_equal not_equal"
)
LOGICAL = "logical_and logical_or logical_xor"
BITWISE = "bitwise_and bitwise_or bitwise_xor"
SHIFTS = "bitwise_left_shift bitwise_right_shift left_shift right_shift"


def each(names: str, *specs, label: str = "") -> list[Case]:
    """Return a case for every function named, on the same inputs."""
    return [op(getattr(ops, name), *specs, label=label) for name in names.split()]


CASES = [
    *each(ON_FLOATS, X),
    *each("abs negative sign square relu signbit floor ceil round trunc", I, label="int32"),
    *each("exp sqrt sin tanh log", COUNTS, label="int32"),
    *each(ON_POSITIVE, POSITIVE),
    *each(ON_UNIT, UNIT),
    op(ops.arccosh, ABOVE_ONE),
    op(ops.absolute, X),
    op(ops.round, X, decimals=1),
    op(ops.clip, X, x_min=-0.5, x_max=0.5),
    op(ops.clip, I, x_min=-2, x_max=3),
    op(ops.cast, X, dtype="int32"),
    op(ops.cast, X, dtype="bool"),
    op(ops.cast, I, dtype="float32"),
    op(ops.cast, X, dtype="float16"),
    op(ops.saturate_cast, floats(3, 4, low=-300, high=300), dtype="uint8"),
    op(ops.threshold, X, threshold=0.1, default_value=0.5),
    op(ops.power, POSITIVE, X),
    op(ops.power, X, call=lambda x: ops.power(x, 3), label="cube"),
    op(ops.power, X, call=lambda x: x**-2, label="minus 2"),
    op(ops.power, integers(3, 4, low=0, high=4), integers(3, 4, low=0, high=4), label="int32"),
    op(ops.ldexp, X, integers(3, 4, low=-3, high=4)),
    *each(BINARY, X, floats(1, 4)),
    *each("add subtract multiply maximum minimum equal less greater_equal", I, COUNTS, label="int32"),
    *each("floor_divide mod fmod divide true_divide", I, COUNTS, label="int32"),
    op(ops.floor_divide, floats(3, 4, low=-9, high=9), floats(3, 4, low=1, high=3), label="range"),
    *each(LOGICAL, B, B),
    *each("logical_not", B),
    *each(BITWISE, COUNTS, COUNTS),
    *each(SHIFTS, COUNTS, integers(3, 4, low=0, high=4)),
    *each("bitwise_not bitwise_invert", I),
    op(ops.where, B, X, X),
    op(ops.where, B, X, call=lambda b, x: ops.where(b, x, 0.0), label="scalar"),
    op(ops.where, X, call=lambda x: ops.where(x > 0, ops.log(x), -1.0), label="guarded"),
    op(ops.select, X, call=lambda x: ops.select([x > 1, x > 0], [x, x * 2], -1.0)),
    op(ops.isclose, X, call=lambda x: ops.isclose(x, x + 1e-6), label="near"),
    op(ops.allclose, X, call=lambda x: ops.allclose(x, x + 1e-7)),
    op(ops.gcd, COUNTS, COUNTS, batch=2),
    op(ops.lcm, COUNTS, COUNTS, batch=2),
    op(ops.nan_to_num, X, call=lambda x: ops.nan_to_num(ops.log(x), nan=1.0, neginf=-5.0), label="nan"),
    op(ops.view, X, dtype="int32"),
    op(ops.polar, POSITIVE, X, call=lambda a, p: ops.real(ops.polar(a, p))),
    op(ops.view_as_real, POSITIVE, X, call=lambda a, p: ops.view_as_real(ops.polar(a, p))),
    op(ops.conjugate, X),
    op(
        ops.bitwise_and, integers(3, 4, high=100, dtype="uint8"), integers(3, 4, high=100, dtype="uint8"), label="uint8"
    ),
    op(ops.deg2rad, X, label="of degrees", call=lambda x: ops.sin(ops.deg2rad(x * 90))),
]
