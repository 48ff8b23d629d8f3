"""How far float32 takes each element of the outputs, whoever computes it.

E is what Keras's own float32 happens to be off. That is a matter of luck where a model divides by what cancels: of frames that
are all equal (silence), less their mean, over their deviation plus 1e-5, Keras's float32 makes exactly 0, and a runtime that
adds in another order 0.09. So where a file is beyond the tolerance, the graph is run in float64 with each op's result moved
at random, as far as float32 may be off: eps |y| for most ops, eps (|x| |w|) for sums of products, eps sqrt(n) / 3 |x| for sums
of n terms, one after the other. An element that goes as far then is no evidence against the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from exporter.freeze import Inference
from exporter.parity.floats import is_inexact, widest
from exporter.precision import DOUBLE, Widened
from exporter.replay import Replay

RUNS = 8
STEP = 2.0**-23  # eps: relative distance of neighbouring float32 numbers
PRODUCTS = frozenset(
    {"BatchMatMulV2", "Conv2D", "Conv2DBackpropInput", "Conv3D", "DepthwiseConv2dNative", "Einsum", "MatMul"}
)
SUMS = frozenset({"AvgPool", "AvgPool3D", "Mean", "Sum"})


class Sway:
    """The graph in float64, each op's result moved at random.

    Args:
        inference: the model.
    """

    def __init__(self, inference: Inference) -> None:
        self._inference = inference
        self._function = Widened(inference.concrete(), DOUBLE, _Moving).compile()

    def of(self, arrays: Mapping[str, np.ndarray], reference: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return max |moved - reference| over `RUNS` runs, for each element of each output that holds numbers.

        Args:
            arrays: inputs.
            reference: what float64 makes of them, by output name.
        """
        import tensorflow as tf

        tensors = [tf.constant(arrays[i.name], dtype=i.dtype) for i in self._inference.inputs]
        furthest = {name: np.zeros(value.shape) for name, value in reference.items() if value.dtype.kind in "biufc"}
        for _ in range(RUNS):
            for info, result in zip(self._inference.outputs, self._function(*tensors), strict=True):
                if info.name in furthest:
                    distance = _distance(result.numpy(), reference[info.name])
                    furthest[info.name] = np.maximum(furthest[info.name], distance)
        return furthest


def _distance(moved: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return |moved - reference|, 0 where one of them is not finite."""
    if not is_inexact(reference):
        moved, reference = moved.astype("float64"), reference.astype("float64")
    finite = np.isfinite(moved) & np.isfinite(reference)
    return np.abs(np.where(finite, widest(moved), 0) - np.where(finite, widest(reference), 0))


class _Moving(Replay):
    """Replays in float64, and moves the results."""

    def __init__(self, mapping: Mapping[str, str]) -> None:
        super().__init__(mapping)
        self._seeds = 0

    def emit(self, op: Any, inputs: list[Any]) -> tuple[Any, list[Any]]:
        """Emit an op, and move its results."""
        import tensorflow as tf

        image, outputs = super().emit(op, inputs)
        floats = [t.dtype in (tf.float16, tf.bfloat16, tf.float32) for t in op.outputs]
        if not any(floats):
            return image, outputs
        scales = [tf.abs(o) if is_float else None for o, is_float in zip(outputs, floats, strict=True)]
        if op.type in PRODUCTS | SUMS:
            _, scales = super().emit(op, [tf.abs(i) if i.dtype.is_floating else i for i in inputs])
        if op.type in SUMS:
            terms = tf.size(inputs[0]) / tf.maximum(tf.size(outputs[0]), 1)
            scales = [scale * tf.maximum(tf.sqrt(terms) / 3, 1) for scale in scales]
        return image, [o if scale is None else self._moved(o, scale) for o, scale in zip(outputs, scales, strict=True)]

    def _moved(self, exact: Any, scale: Any) -> Any:
        """Move what float32 cannot hold to a number that it can; `scale` is what the error is a part of."""
        import tensorflow as tf

        self._seeds += 1
        uniform = tf.raw_ops.RandomUniform(shape=tf.shape(exact), dtype=tf.float64, seed=1, seed2=self._seeds)
        near = tf.cast(tf.cast(exact, tf.float32), tf.float64)
        moved = tf.cast(tf.cast(exact + STEP * scale * (2 * uniform - 1), tf.float32), tf.float64)
        return tf.where((near == exact) | ~tf.math.is_finite(near), exact, moved)
