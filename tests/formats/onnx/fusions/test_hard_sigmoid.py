"""relu6(x + 3) / 6 becomes HardSigmoid; what only looks like it does not."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from tests.formats.onnx.lowerings.exported import export, model_of

X = np.float32([[-4, -3, -1.5, 0], [2.999, 3, 7, np.nan], [np.inf, -np.inf, 1e30, -1e30]])


def exported(function, dtype="float32"):
    return export(model_of(function, ((None, 4), dtype)))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: layers.ReLU(6.0)(x + 3.0) * (1.0 / 6.0),
        lambda x: (1.0 / 6.0) * layers.ReLU(6.0)(3.0 + x),
        lambda x: keras.ops.relu6(x + 2.0) * (1.0 / 6.0),
    ],
)
def test_it_is_one_node(function):
    made = exported(function)
    assert dict(made.ops) == {"HardSigmoid": 1}
    made.check(X[:2])
    made.check(X[2:])


def test_within_a_model_the_rest_stays():
    made = exported(lambda x: x * (layers.ReLU(6.0)(x + 3.0) * (1.0 / 6.0)))
    made.check(X[:2])
    assert dict(made.ops) == {"HardSigmoid": 1, "Mul": 1}


@pytest.mark.parametrize(
    "function",
    [
        lambda x: layers.ReLU(6.0)(x + 3.0) * 0.25,
        lambda x: layers.ReLU(5.0)(x + 3.0) * (1.0 / 6.0),
        lambda x: layers.ReLU(6.0)(x * 3.0) * (1.0 / 6.0),
        lambda x: layers.ReLU(6.0)(x + x) * (1.0 / 6.0),
    ],
)
def test_other_products_are_left_alone(function):
    made = exported(function)
    made.check(X[:2])
    assert "HardSigmoid" not in made.ops


def test_what_is_used_elsewhere_is_kept():
    def both(x):
        clipped = layers.ReLU(6.0)(x + 3.0)
        return [clipped * (1.0 / 6.0), clipped]

    exported(both).check(X[:2])


def test_float64_has_no_such_kernel():
    made = exported(lambda x: layers.ReLU(6.0, dtype="float64")(x + 3.0) * (1.0 / 6.0), "float64")
    made.check(X[:2].astype("float64"))
    assert "HardSigmoid" not in made.ops


@pytest.mark.parametrize(
    "function",
    [
        lambda x: keras.ops.clip((x + 3.0) / 0.0, 0.0, 1.0),
        lambda x: keras.ops.clip(x * float("inf") + 0.5, 0.0, 1.0),
        lambda x: layers.ReLU(6.0)(x + 3.0) / 0.0,
        lambda x: keras.ops.clip(x + float("nan"), 0.0, 1.0),
    ],
)
def test_numbers_that_make_no_line(function):
    made = exported(function)
    made.check(X[:2])
    assert "HardSigmoid" not in made.ops


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: keras.ops.clip(0.2 * x + 0.5, 0.0, 1.0), {"HardSigmoid": 1}),
        (lambda x: keras.ops.maximum(0.0, keras.ops.minimum(1.0, (x + 3) / 6)), {"HardSigmoid": 1}),
        (lambda x: keras.ops.minimum(keras.ops.maximum(x * 0.1 + 0.2, 0.0), 1.0), {"HardSigmoid": 1}),
        (lambda x: x * keras.ops.relu6(x + 3) / 6, {"HardSigmoid": 1, "Mul": 1}),
    ],
)
def test_other_spellings(function, expected):
    made = exported(function)
    made.check(X[:2])
    made.check(X[2:])
    assert dict(made.ops) == expected
