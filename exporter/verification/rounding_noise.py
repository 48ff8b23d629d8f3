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
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from exporter.capture.inference import Inference
from exporter.tfgraph.precision import Widened
from exporter.tfgraph.rewriter import COMPILED, Replay, definition, is_library_call, needs_no_compiler
from exporter.verification.noise_scales import (
    STEPS,
    Mover,
    Scale,
    at_least_one,
    matrix_scale,
    own_scale,
    product_scale,
    spectrum_scale,
    sum_scale,
    tied_scale,
)

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
# Where a function saturates, its logarithm and its inverse are infinite, and no runtime goes beyond.
LIMITS: Mapping[str, tuple[float, float]] = {
    **dict.fromkeys(("Sigmoid", "Softmax"), (0.0, 1.0)),
    **dict.fromkeys(("Cos", "Erf", "Sin", "Tanh"), (-1.0, 1.0)),
}
EXACT = frozenset(_EXACT.split())  # what moves, chooses or counts numbers, and rounds none

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
        return [self._moved(x, matrix_scale) for x in inputs] if op.type in MATRICES else inputs

    def _moved_outputs(self, op: Any, inputs: list[Any], outputs: list[Any]) -> list[Any]:
        if op.type in SPECTRA:
            return [self._moved(outputs[0], partial(spectrum_scale, op.type), inputs[0])]
        if op.type in PRODUCTS | SUMS | OTHER_SUMS | RESAMPLING:
            return [self._moved_sum(op, inputs, outputs[0]), *outputs[1:]]
        scale = at_least_one if op.type == "Sigmoid" else own_scale
        return [self._moved(y, scale, limits=LIMITS.get(op.type)) for y in outputs]

    def _emit_compiled(self, op: Any, inputs: list[Any]) -> tuple[Any, list[Any]]:
        """Emit a call that XLA compiles, which admits no NumPy function inside: its results alone are moved."""
        self._compiled = True
        try:
            image, outputs = super().emit(op, inputs)
        finally:
            self._compiled = False
        return image, [self._moved(y, matrix_scale) for y in outputs]

    def _moved_sum(self, op: Any, inputs: list[Any], total: Any) -> Any:
        import tensorflow as tf

        if not _is_rounded(total) or total.dtype.is_complex:
            return self._moved(total, own_scale)
        _, absolute = super().emit(op, [tf.abs(x) if _is_rounded(x) else x for x in inputs])
        if op.type in SUMS:
            return self._moved(total, partial(sum_scale, op.type), absolute[0], *inputs)
        reach = 1.0
        if op.type in RESAMPLING:  # a place among n pixels is off by n eps
            reach = float(max((d or 1) for d in op.inputs[0].shape[1:3].as_list()))
        partial_sums = math.sqrt(_terms(op)) / 4 if op.type in PRODUCTS else 0.0
        scale = partial(product_scale, reach, partial_sums)
        return self._moved(total, scale, absolute[0], *(x for x in inputs if _is_rounded(x)))

    def _moved_scores(self, op: Any, number: int, scores: Any) -> Any:
        """Move what a choice is made among, unless it is exact: an input of the model, a mask, a count."""
        return self._moved(scores, tied_scale) if _is_rounded(scores) and _is_computed(op.inputs[number]) else scores

    def _moved(self, exact: Any, scale: Scale, *given: Any, limits: tuple[float, float] | None = None) -> Any:
        """Move numbers at random, by up to eps times what `scale` makes of them and of `given`."""
        import tensorflow as tf

        if not _is_rounded(exact):
            return exact
        self._movers += 1
        mover = Mover(self._movers, self._amplitude, scale, limits)
        moved = tf.numpy_function(mover, [exact, *given], exact.dtype, stateful=True)
        moved.set_shape(exact.shape)
        return moved


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
    shape = op.inputs[op.type in _KERNEL_AXES].shape
    axes: tuple[int, ...] = _KERNEL_AXES.get(op.type, ())
    if op.type == "MatMul":
        axes = (0,) if op.get_attr("transpose_a") else (1,)
    elif op.type == "BatchMatMulV2":
        axes = (-2,) if op.get_attr("adj_x") else (-1,)
    if shape.rank is None or not axes:
        return _UNKNOWN_TERMS
    return math.prod(shape[axis] or 1 for axis in axes)
