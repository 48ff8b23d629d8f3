"""The layers of one activation each: that they pass their arguments on, and refuse wrong ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from keras import ops

from exporter import activations
from exporter.layers import ELiSH, HardSigmoid, HardSwish, Mish, Swish

X = np.linspace(-6, 6, 25, dtype="float32")


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (Swish(), activations.swish(X)),
        (Swish(beta=2), activations.swish(X, 2.0)),
        (Mish(), activations.mish(X)),
        (ELiSH(), activations.elish(X)),
        (HardSigmoid(), activations.hard_sigmoid(X)),
        (HardSigmoid(slope=0.5, offset=0.1), activations.hard_sigmoid(X, 0.5, 0.1)),
        (HardSwish(), activations.hard_swish(X)),
        (HardSwish(slope=0.5, offset=0.1), activations.hard_swish(X, 0.5, 0.1)),
    ],
)
def test_layer_calls_its_function_with_its_arguments(layer: Any, expected: Any) -> None:
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(X)), ops.convert_to_numpy(expected))


def test_hard_sigmoid_has_slope_one_fifth_by_default() -> None:
    values = ops.convert_to_numpy(HardSigmoid()(np.float32([-2.5, -1, 0, 1, 2.5])))
    np.testing.assert_allclose(values, [0, 0.3, 0.5, 0.7, 1], atol=2.0**-23)


@pytest.mark.parametrize(
    ("cls", "arguments", "error", "message"),
    [
        (Swish, {"beta": "1"}, TypeError, "Swish: `beta` must be a number, not '1'"),
        (Swish, {"beta": float("inf")}, ValueError, "Swish: `beta` must be a finite number"),
        (HardSigmoid, {"slope": 0}, ValueError, "HardSigmoid: `slope` must be a number greater than 0, not 0"),
        (HardSigmoid, {"slope": -0.2}, ValueError, "HardSigmoid: `slope` must be a number greater than 0"),
        (HardSigmoid, {"offset": None}, TypeError, "HardSigmoid: `offset` must be a number, not None"),
        (HardSwish, {"slope": [0.2]}, TypeError, "HardSwish: `slope` must be a number"),
        (HardSwish, {"offset": float("nan")}, ValueError, "HardSwish: `offset` must be a finite number"),
        (Mish, {"beta": 1}, ValueError, "Unrecognized keyword arguments passed to Mish"),
    ],
)
def test_wrong_arguments_are_refused(
    cls: type, arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message.replace("(", r"\(")):
        cls(**arguments)
