"""Every activation, on its own and over the range where it bends."""

from __future__ import annotations

from functools import partial

from keras import activations

from tests.conformance.cases.case import Case, floats, inside, op

NAMES = (
    "celu",
    "elu",
    "exponential",
    "gelu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh",
    "tanh_shrink",
    "threshold",
)
ARGUMENTS = {"threshold": {"threshold": 0.5, "default_value": 0.1}}


def each(name: str) -> Case:
    """Return the case of an activation inside a layer: some of them take no symbolic tensors."""
    function = partial(getattr(activations, name), **ARGUMENTS.get(name, {}))
    return op(getattr(activations, name), floats(6, low=-5, high=5), label=name, call=inside(function))


CASES = [
    *[each(n) for n in NAMES],
    op(activations.gelu, floats(6), approximate=True),
    op(activations.relu, floats(6), negative_slope=0.1, max_value=0.5, threshold=0.2),
    op(activations.elu, floats(6), alpha=0.5),
    op(activations.celu, floats(6), alpha=0.5),
    op(activations.softmax, floats(5, 6), axis=1),
    op(activations.log_softmax, floats(5, 6), axis=1),
]
