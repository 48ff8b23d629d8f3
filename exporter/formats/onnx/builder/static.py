"""What is known of a TensorFlow op while exporting: shapes, and arguments that are constants."""

from __future__ import annotations

from typing import Any

import numpy as np

from exporter.formats.onnx.builder.value import Constant, Shape, Value


def static_shape(op: Any, output: int = 0, *, otherwise: Shape | None = None) -> Shape:
    """Return the shape that TensorFlow knows of an output, None where a dimension is dynamic.

    Args:
        op: of TensorFlow's graph.
        output: the number of the output.
        otherwise: what the inputs tell where TensorFlow does not know the number of axes.

    Raises:
        NotImplementedError: if not even the number of axes is known.
    """
    shape = op.outputs[output].shape
    if shape.rank is None and otherwise is not None:
        return otherwise
    if shape.rank is None:
        raise NotImplementedError(f"the number of axes of what {op.type} returns is not known while exporting")
    return tuple(shape.as_list())


def known(value: Value, what: str) -> np.ndarray:
    """Return the contents of an argument that must be known while exporting.

    Raises:
        NotImplementedError: if it is computed by the model.
    """
    if not isinstance(value, Constant):
        raise NotImplementedError(f"{what} must not depend on the model's inputs")
    return value.array


def known_int(value: Value, what: str) -> int:
    """Return an integer argument that must be known while exporting.

    Raises:
        NotImplementedError: if it is computed by the model.
    """
    return int(known(value, what))


def known_ints(value: Value, what: str) -> list[int]:
    """Return a vector of integers (or one integer, as a list) that must be known while exporting.

    Raises:
        NotImplementedError: if it is computed by the model.
    """
    return [int(n) for n in np.ravel(known(value, what))]
