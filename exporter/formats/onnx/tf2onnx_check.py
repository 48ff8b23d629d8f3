"""Whether what tf2onnx makes of one op is valid, runs, and gives what TensorFlow gives, on small tensors made up for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from exporter.formats.onnx.builder.value import Constant
from exporter.formats.onnx.constant_folding import execute

SIZES = (4, 3, 2, 1)  # what dynamic dimensions are tried with
CLOSE = 1e-3  # of the scale: what is wrong is wrong by more, what is rounded by less


def check_converted(op: Any, inputs: Sequence[Any], proto: Any) -> None:
    """Run the model `proto`, made of `op` alone, with the constants among `inputs` built in, beside TensorFlow.

    Made-up tensors that TensorFlow itself refuses tell nothing; nor do ops that draw numbers.

    Raises:
        NotImplementedError: if the model is invalid, fails, or gives something else.
    """
    session = _opened(op, proto)
    if op.op_def.is_stateful or any(t.dtype == "string" for t in (*op.inputs, *op.outputs)):
        return
    for arrays in _made_up(op, inputs):
        expected = _expected(op, arrays)
        if expected is None:
            continue
        computed = [a for a, v in zip(arrays, inputs, strict=True) if not isinstance(v, Constant)]
        _compare(op, _run(op, session, computed), expected)
        return


def _opened(op: Any, proto: Any) -> Any:
    import onnx
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    try:
        onnx.checker.check_model(proto, full_check=True)
        return ort.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # neither package has a base class for what it raises
        raise NotImplementedError(f"what tf2onnx makes of the TensorFlow op {op.type} is not valid") from error


def _run(op: Any, session: Any, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    names = [i.name for i in session.get_inputs()]
    try:
        return list(session.run(None, dict(zip(names, arrays, strict=True))))
    except Exception as error:  # as above
        raise NotImplementedError(f"what tf2onnx makes of the TensorFlow op {op.type} does not run") from error


def _made_up(op: Any, inputs: Sequence[Any]) -> Iterator[list[np.ndarray]]:
    """Yield arguments for the op: constants as they are, numbers around 0, and above it."""
    for positive in (False, True):
        for size in SIZES:
            random = np.random.default_rng(size)
            yield [_array(random, v, t, size, positive) for v, t in zip(inputs, op.inputs, strict=True)]


def _array(random: Any, value: Any, tensor: Any, size: int, positive: bool) -> np.ndarray:
    dtype = tensor.dtype.as_numpy_dtype
    if isinstance(value, Constant):
        return np.asarray(value.array).astype(dtype)
    shape = [size if d is None else d for d in value.shape]
    if np.dtype(dtype).kind in "iub":
        return np.asarray(random.integers(0, 2, shape)).astype(dtype)
    numbers = random.normal(size=shape)
    return np.asarray(np.abs(numbers) if positive else numbers).astype(dtype)


def _expected(op: Any, arrays: Sequence[np.ndarray]) -> list[np.ndarray] | None:
    """Return what TensorFlow gives, None if it refuses the arguments."""
    import tensorflow as tf

    try:
        with tf.init_scope():
            tensors = [tf.constant(a, dtype=t.dtype) for a, t in zip(arrays, op.inputs, strict=True)]
            return [np.asarray(r.numpy()) for r in execute(op, tensors)]
    except (tf.errors.OpError, TypeError, ValueError):
        return None


def _compare(op: Any, results: Sequence[np.ndarray], expected: Sequence[np.ndarray]) -> None:
    for result, wanted in zip(results, expected, strict=True):
        if result.shape != wanted.shape or not _is_close(np.asarray(result), wanted):
            raise NotImplementedError(f"what tf2onnx makes of the TensorFlow op {op.type} gives something else")


def _is_close(result: np.ndarray, wanted: np.ndarray) -> bool:
    if wanted.dtype.kind not in "fV":
        return bool((result == wanted).all())
    a, b = (x.astype(np.float64) for x in (result, wanted))
    finite = np.abs(b[np.isfinite(b)])
    return bool(np.allclose(a, b, rtol=CLOSE, atol=CLOSE * float(finite.max(initial=0)), equal_nan=True))
