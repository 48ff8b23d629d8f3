"""Whether a graph computes every element by itself: then a mask of its input holds for its output."""

from __future__ import annotations

from exporter.expressions.graph import Graph

_NAMES = """
    absolute add arccos arccosh arcsin arcsinh arctan arctan2 arctanh cast cbrt ceil celu clip copy cos cosh deg2rad
    divide divide_no_nan elu equal erf erfinv exp exp2 expm1 floor floor_divide gelu greater greater_equal hard_shrink
    hard_sigmoid hard_silu hard_tanh heaviside hypot isfinite isinf isnan leaky_relu less less_equal log log10 log1p
    log2 log_sigmoid logaddexp logical_and logical_not logical_or logical_xor maximum minimum mod multiply nan_to_num
    negative not_equal ones_like power reciprocal relu relu6 round rsqrt selu sigmoid sign sin sinh soft_shrink softplus
    softsign sparse_plus sparse_sigmoid sqrt square squareplus stop_gradient subtract tan tanh tanh_shrink threshold
    true_divide trunc where zeros_like
"""
_OPS = frozenset(_NAMES.split())


def is_elementwise(graph: Graph) -> bool:
    """Whether the only output has the axes of the only input, element for element; constants may span the last axis."""
    return (
        len(graph.specs) == 1
        and not isinstance(graph.outputs, list | tuple | dict)
        and all(node.op in _OPS for node in graph.nodes)
        and all(array.ndim <= 1 for array in graph.constants.values())
    )
