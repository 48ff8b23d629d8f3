"""A sigmoid that the model returns is right to its last place, also where it is tiny."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from tests.formats.onnx.lowerings.exported import export, model_of

LADDER = np.array(
    [[-88.0], [-50.0], [-17.0], [-8.4], [-1.0], [0.0], [3.0], [17.0], [1e30], [-1e30], [np.inf], [-np.inf]]
)


@pytest.fixture(scope="module")
def exported():
    return export(model_of(keras.activations.sigmoid, ((None, 1), "float32")))


def test_the_tail_is_relatively_exact(exported):
    (got,) = exported.runner.run({"x0": LADDER}).values()

    exact = 1 / (1 + np.exp(-LADDER.astype("float64").clip(-700, 700)))
    normal = exact >= 2.0**-126
    np.testing.assert_allclose(
        got[normal], exact[normal], rtol=5e-7
    )  # ONNX Runtime's exp is within 3 ulp, one more for the division
    assert np.all(got[~normal] <= 2.0**-126)


def test_nan_stays_nan(exported):
    (got,) = exported.runner.run({"x0": np.array([[np.nan]], "float32")}).values()
    assert np.isnan(got).all()


def test_a_sigmoid_inside_the_model_stays_one_op():
    x = keras.Input((4,), name="x")
    found = export(keras.Model(x, layers.Dense(2)(layers.Dense(3, activation="sigmoid")(x))))

    assert found.ops["Sigmoid"] == 1
    assert "Exp" not in found.ops
