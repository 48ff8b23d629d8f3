"""Monte Carlo arithmetic: what float32 makes of a graph, drawn at random rather than taken from one run.

Keras's own error on one sample is one draw, and a matter of luck: on a constant image one kernel is off by 82 units in the last
place and another by 3. So the graph is emitted once more, in the precision in which the file computes, with each result moved
at random as far as another kernel, another order of summation or a fused op may move it:

* eps |y| for most ops, eps max(|y|, 1) for a sigmoid (ONNX Runtime's is off by 8e-7 at -17);
* eps max(|x| |w|, sqrt(n) |y| / 4) for sums of n products, as kernels add them one after the other or in blocks;
* eps max(sqrt(n) / 3, 1) |x| for sums of n terms, and at least what adding them one after the other in float32 does: roundings
  of equal terms are systematic, n / 12 eps;
* eps times the sum of |x| for Fourier transforms, whose exact zeros no runtime gives;
* for linear algebra the matrices are moved, by eps of their largest entry;
* scores are moved before a choice among them (argmax, top-k, non-maximum suppression), so that ties fall either way.

Short numbers (counts, halves, pixel coordinates) come out exact in every order, and are left as they are.

After Parker, Monte Carlo arithmetic: exploiting randomness in floating-point arithmetic (UCLA, 1997).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

import numpy as np

from exporter.freeze import Inference
from exporter.precision import Widened
from exporter.replay import COMPILED, Replay, definition, is_library_call, needs_no_compiler

_PRODUCTS = "BatchMatMulV2 Conv2D Conv2DBackpropInput Conv3D Conv3DBackpropInputV2 DepthwiseConv2dNative Einsum MatMul"
_OTHER_SUMS = "AvgPool AvgPool3D Cumsum SegmentSum UnsortedSegmentSum TensorScatterAdd"
_RESAMPLING = "ImageProjectiveTransformV3 ResizeBicubic ResizeBilinear ScaleAndTranslate"
_SPECTRA = "FFT FFT2D FFT3D IFFT IFFT2D IFFT3D RFFT RFFT2D RFFT3D IRFFT IRFFT2D IRFFT3D"
_MATRICES = """
    Cholesky Eig LogMatrixDeterminant Lu MatrixDeterminant MatrixInverse MatrixSolve MatrixSolveLs MatrixTriangularSolve Qr
    SelfAdjointEigV2 Svd
"""
_CHOICES = """
    ArgMax ArgMin CombinedNonMaxSuppression InTopKV2 NonMaxSuppressionV2 NonMaxSuppressionV3 NonMaxSuppressionV4
    NonMaxSuppressionV5 TopKV2
"""
_EXACT = """
    Abs BatchToSpaceND BroadcastTo Cast Ceil ConcatV2 Const DepthToSpace Diag DiagPart EnsureShape ExpandDims Fill Floor
    GatherNd GatherV2 Identity IdentityN MatrixBandPart MatrixDiagPartV3 MatrixDiagV3 MatrixSetDiagV3 Max MaxPool MaxPool3D
    Maximum Min Minimum MirrorPad Neg OneHot OnesLike Pack Pad PadV2 Placeholder PlaceholderWithDefault Range ReadVariableOp
    Relu Relu6 Reshape ResizeNearestNeighbor ResourceGather ResourceGatherNd ReverseSequence ReverseV2 Rint Roll Round Select
    SelectV2 Shape Sign Size Slice SpaceToBatchND SpaceToDepth Split SplitV Squeeze StopGradient StridedSlice
    TensorListConcatV2 TensorListFromTensor TensorListGetItem TensorListStack TensorScatterUpdate TensorStridedSliceUpdate
    Tile Transpose UnravelIndex Unpack Where ZerosLike
"""

# Results that are sums of products, or of terms, and whose error follows from the same op on absolute values.
PRODUCTS, OTHER_SUMS, RESAMPLING = (frozenset(t.split()) for t in (_PRODUCTS, _OTHER_SUMS, _RESAMPLING))
SUMS = frozenset({"Mean", "Sum"})
SPECTRA = frozenset(_SPECTRA.split())
MATRICES = frozenset(_MATRICES.split())
CHOICES = frozenset(_CHOICES.split())
EXACT = frozenset(_EXACT.split())  # what moves, chooses or counts numbers, and rounds none
STEPS: Mapping[str, float] = {"bfloat16": 2.0**-7, "float16": 2.0**-10, "float32": 2.0**-23, "float64": 2.0**-52}
"""eps: relative distance of neighbouring numbers, by dtype."""

_SHORT = 2.0**8  # a number is short that is a whole number of 1 / 256 below 256, or a whole number below 65536
_UNKNOWN_TERMS = 64
# Axes of a kernel over which products are added.
_KERNEL_AXES: Mapping[str, tuple[int, ...]] = {
    "Conv2D": (0, 1, 2),
    "Conv2DBackpropInput": (0, 1, 3),
    "Conv3D": (0, 1, 2, 3),
    "Conv3DBackpropInputV2": (0, 1, 2, 4),
    "DepthwiseConv2dNative": (0, 1),
}


class PerturbedGraph:
    """The graph of a model with each result moved at random, as far as rounding may move it.

    Args:
        inference: the model.
        arithmetic: in which dtypes a file computes, by Keras's dtypes (`Runner.arithmetic`); those not named stay.
        amplitude: how many times as far as rounding each result is moved.
    """

    def __init__(self, inference: Inference, arithmetic: Mapping[str, str], amplitude: float = 1.0) -> None:
        self._inference = inference
        perturbing = partial(_Perturbing, amplitude=amplitude)
        self._function = Widened(inference.concrete(), arithmetic, perturbing).compile()

    def draw(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return one draw of the outputs, by name; another one each time.

        Raises:
            tf.errors.OpError: if a kernel is missing, or an assertion of the model fails.
        """
        import tensorflow as tf

        tensors = [tf.constant(arrays[i.name], dtype=i.dtype) for i in self._inference.inputs]
        results = self._function(*tensors)
        return {o.name: r.numpy() for o, r in zip(self._inference.outputs, results, strict=True)}


class _Perturbing(Replay):
    """Replays a graph and moves its results, each by one call of a NumPy function, so that the graph stays small."""

    def __init__(self, mapping: Mapping[str, str], amplitude: float) -> None:
        super().__init__(mapping)
        self._amplitude = amplitude
        self._movers = 0
        self._compiled = False

    def emit(self, op: Any, inputs: list[Any]) -> tuple[Any, list[Any]]:
        """Emit an op, and move its results, or what it takes."""
        if self._compiled or op.type in EXACT or not any(_is_rounded(t) for t in (*op.inputs, *op.outputs)):
            return super().emit(op, inputs)
        if _is_compiled(op):
            return self._emit_compiled(op, inputs)
        image, outputs = super().emit(op, self._moved_inputs(op, inputs))
        if op.type in CHOICES | MATRICES or _calls_functions(op):
            return image, outputs
        return image, self._moved_outputs(op, inputs, outputs)

    def _moved_inputs(self, op: Any, inputs: list[Any]) -> list[Any]:
        if op.type in CHOICES:
            return [self._moved_scores(op, n, x) for n, x in enumerate(inputs)]
        return [self._moved(x, _matrix_scale) for x in inputs] if op.type in MATRICES else inputs

    def _moved_outputs(self, op: Any, inputs: list[Any], outputs: list[Any]) -> list[Any]:
        if op.type in SPECTRA:
            return [self._moved(outputs[0], partial(_spectrum_scale, op.type), inputs[0])]
        if op.type in PRODUCTS | SUMS | OTHER_SUMS | RESAMPLING:
            return [self._moved_sum(op, inputs, outputs[0]), *outputs[1:]]
        scale = _at_least_one if op.type == "Sigmoid" else _own_scale
        return [self._moved(y, scale) for y in outputs]

    def _emit_compiled(self, op: Any, inputs: list[Any]) -> tuple[Any, list[Any]]:
        """Emit a call that XLA compiles, which admits no NumPy function inside: its results alone are moved."""
        self._compiled = True
        try:
            image, outputs = super().emit(op, inputs)
        finally:
            self._compiled = False
        return image, [self._moved(y, _matrix_scale) for y in outputs]

    def _moved_sum(self, op: Any, inputs: list[Any], total: Any) -> Any:
        import tensorflow as tf

        if not _is_rounded(total) or total.dtype.is_complex:
            return self._moved(total, _own_scale)
        _, absolute = super().emit(op, [tf.abs(x) if _is_rounded(x) else x for x in inputs])
        if op.type in SUMS:
            return self._moved(total, partial(_sum_scale, op.type), absolute[0], *inputs)
        reach = 1.0
        if op.type in RESAMPLING:  # a place among n pixels is off by n eps
            reach = float(max((d or 1) for d in op.inputs[0].shape[1:3].as_list()))
        partial_sums = math.sqrt(_terms(op)) / 4 if op.type in PRODUCTS else 0.0
        scale = partial(_product_scale, reach, partial_sums)
        return self._moved(total, scale, absolute[0], *(x for x in inputs if _is_rounded(x)))

    def _moved_scores(self, op: Any, number: int, scores: Any) -> Any:
        """Move what a choice is made among, unless it is exact: an input of the model, a mask, a count."""
        return self._moved(scores, _tied_scale) if _is_rounded(scores) and _is_computed(op.inputs[number]) else scores

    def _moved(self, exact: Any, scale: _Scale, *given: Any) -> Any:
        """Move numbers at random, by up to eps times what `scale` makes of them and of `given`."""
        import tensorflow as tf

        if not _is_rounded(exact):
            return exact
        self._movers += 1
        mover = _Mover(self._movers, self._amplitude, scale)
        moved = tf.numpy_function(mover, [exact, *given], exact.dtype, stateful=True)
        moved.set_shape(exact.shape)
        return moved


_Scale = Callable[..., np.ndarray | None]
"""What the error of each number is a part of, in units of eps; None where all of them are exact."""


class _Mover:
    """Moves the results of one op; equal seeds give equal draws, in whatever order the ops run."""

    def __init__(self, seed: int, amplitude: float, scale: _Scale) -> None:
        self._seed, self._amplitude, self._scale = seed, amplitude, scale
        self._calls = 0
        self.__name__ = "move"

    def __call__(self, exact: np.ndarray, *given: np.ndarray) -> np.ndarray:
        self._calls += 1
        if not exact.size:
            return exact
        scale = self._scale(exact, *given)
        if scale is None:
            return exact
        if not np.iscomplexobj(exact):
            return self._move(exact, scale)
        moved = self._move(exact.real, scale) + 1j * self._move(exact.imag, scale)
        return moved.astype(exact.dtype)

    def _move(self, exact: np.ndarray, scale: np.ndarray) -> np.ndarray:
        noise = self._noise(exact.size).reshape(exact.shape)
        with np.errstate(all="ignore"):
            moved = exact + (self._amplitude * STEPS[exact.dtype.name]) * noise * scale
        if not np.isfinite(moved).all():
            moved = np.where(np.isfinite(moved), moved, exact)
        return moved.astype(exact.dtype, copy=False)

    def _noise(self, size: int) -> np.ndarray:
        """Return numbers from -1 to 1: a table from a place of this draw on, since drawing afresh takes ten times as long."""
        table = _uniform_table()
        start = (self._seed * 7919 + self._calls * 104729) % len(table)
        if start + size <= len(table):
            return table[start : start + size]
        return np.resize(np.concatenate([table[start:], table[:start]]), size)


@cache
def _uniform_table() -> np.ndarray:
    """Return random numbers from -1 to 1; their count is a prime, so that no size of a tensor is in step with it."""
    return np.random.default_rng(0).uniform(-1, 1, 1_000_003).astype(np.float32)


def _own_scale(exact: np.ndarray) -> np.ndarray:
    magnitude = np.abs(exact)
    return magnitude * ~_short(exact, magnitude)


def _at_least_one(exact: np.ndarray) -> np.ndarray:
    return np.maximum(np.abs(exact), 1)


def _tied_scale(scores: np.ndarray) -> np.ndarray:
    return np.abs(scores) + np.finfo(np.float32).tiny


def _matrix_scale(matrices: np.ndarray) -> np.ndarray:
    axes = tuple(range(max(0, matrices.ndim - 2), matrices.ndim))
    return np.broadcast_to(np.max(np.abs(matrices), axis=axes, keepdims=True, initial=0), matrices.shape)


def _spectrum_scale(kind: str, spectrum: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the sum of |x| over the axes of a Fourier transform, over their size where it is an inverse one."""
    axes = tuple(range(-int(kind[-2]), 0)) if kind.endswith("D") else (-1,)
    total = (np.mean if kind.startswith("I") else np.sum)(np.abs(x), axis=axes, keepdims=True)
    return np.broadcast_to(total, spectrum.shape)


def _product_scale(
    reach: float, partial_sums: float, total: np.ndarray, absolute: np.ndarray, *factors: np.ndarray
) -> np.ndarray | None:
    if all(_all_short(factor) for factor in factors):
        return None
    return np.maximum(np.abs(absolute) * reach, np.abs(total) * partial_sums)


def _sum_scale(
    kind: str, total: np.ndarray, absolute: np.ndarray, terms: np.ndarray, axes: np.ndarray
) -> np.ndarray | None:
    if _all_short(terms):
        return None
    count = terms.size / max(total.size, 1)
    by_chance = absolute * max(math.sqrt(count) / 3, 1)
    in_turn = np.abs(_added_in_turn(kind, terms, axes).reshape(total.shape) - total)
    return np.maximum(by_chance, in_turn / STEPS[total.dtype.name])


def _added_in_turn(kind: str, terms: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Return the sum or mean of terms that are added one after the other, in their own precision."""
    reduced = sorted({int(axis) % terms.ndim for axis in np.atleast_1d(axes)}) if terms.ndim else []
    if not reduced:
        return terms
    kept = [axis for axis in range(terms.ndim) if axis not in reduced]
    rows = terms.transpose(kept + reduced).reshape(*(terms.shape[axis] for axis in kept), -1)
    if not rows.shape[-1]:
        return rows.sum(-1)
    total = np.add.accumulate(rows, axis=-1)[..., -1]
    return total / np.asarray(rows.shape[-1], total.dtype) if kind == "Mean" else total


def _short(x: np.ndarray, magnitude: np.ndarray) -> np.ndarray:
    parts = x * _SHORT
    return (parts == np.rint(parts)) & ((magnitude < _SHORT) | ((x == np.rint(x)) & (magnitude < _SHORT**2)))


def _all_short(x: np.ndarray) -> bool:
    """Whether all numbers are short; most arrays show at their beginning that they are not."""
    beginning = x.reshape(-1)[:64]
    return not np.iscomplexobj(x) and bool(_short(beginning, np.abs(beginning)).all() and _short(x, np.abs(x)).all())


def _is_compiled(op: Any) -> bool:
    attributes = op.node_def.attr
    return COMPILED in attributes and not needs_no_compiler(definition(op.graph, attributes["f"].func.name))


def _calls_functions(op: Any) -> bool:
    """Whether an op is a loop, a branch or a call, whose own ops are moved."""
    values = op.node_def.attr.values()
    return any(v.WhichOneof("value") == "func" or v.list.func for v in values) or is_library_call(op)


def _is_rounded(tensor: Any) -> bool:
    return tensor.dtype.name in STEPS or tensor.dtype.is_complex


def _is_computed(tensor: Any) -> bool:
    """Whether rounded ops make a tensor of the original graph: a tie among such numbers may fall either way."""
    seen, waiting = set(), [tensor]
    while waiting:
        op = waiting.pop().op
        if op.name in seen:
            continue
        seen.add(op.name)
        if op.type not in EXACT and any(_is_rounded(t) for t in op.outputs):
            return True
        waiting += [t for t in op.inputs if _is_rounded(t)]
    return False


def _terms(op: Any) -> int:
    """Return how many products are added for each result; a guess where sizes are dynamic."""
    if op.type == "MatMul":
        shape, axes = op.inputs[0].shape, (0,) if op.get_attr("transpose_a") else (1,)
    elif op.type == "BatchMatMulV2":
        shape, axes = op.inputs[0].shape, (-2,) if op.get_attr("adj_x") else (-1,)
    elif op.type in _KERNEL_AXES:
        shape, axes = op.inputs[1].shape, _KERNEL_AXES[op.type]
    else:
        return _UNKNOWN_TERMS
    if shape.rank is None:
        return _UNKNOWN_TERMS
    return math.prod(shape[axis] or 1 for axis in axes)
