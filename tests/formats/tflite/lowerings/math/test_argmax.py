"""argmax and argmin: -0.0 counts as less than 0.0, and costs nothing where it cannot come."""

from __future__ import annotations

import numpy as np
import pytest
from keras import layers, ops

from tests.formats.tflite.conftest import normal

ROWS = np.array(
    [[0.0, -0.0, 0.0, -1.0], [-0.0, 0.0, 0.0, -0.0], [-3.0, -1e-5, -0.0, -2.0], [-5.0, -4.0, -np.inf, 3e-38]]
)


@pytest.mark.parametrize(("function", "places"), [(ops.argmax, [0, 1, 2, 3]), (ops.argmin, [3, 0, 0, 2])])
def test_negative_zero_is_less(layer, function, places):
    exported = layer(lambda x: function(x, axis=-1), (4, 4))
    found = exported.runner.run({exported.runner.inputs[0].name: ROWS[None].astype("float32")})
    assert next(iter(found.values())).ravel().tolist() == places
    assert "BITCAST" not in exported.ops


@pytest.mark.parametrize("arguments", [{}, {"keepdims": True}, {"axis": 1, "keepdims": True}], ids=str)
def test_axes(layer, arguments):
    layer(lambda x: ops.argmax(x, **arguments), (4, 4)).agrees(normal(1, 4, 4))


@pytest.mark.parametrize(
    "scores",
    [
        layers.Softmax(),
        layers.Dense(3),
        layers.Dense(3, activation="sigmoid"),
        lambda x: ops.reshape(ops.relu(x), (-1, 8)),
        lambda x: ops.concatenate([ops.softmax(x), ops.exp(x)], axis=1),
    ],
)
def test_scores_without_negative_zero_take_the_plain_op(layer, scores):
    exported = layer(lambda x: ops.argmax(scores(x), axis=-1), (2, 4))
    assert exported.ops["ARG_MAX"] == 1
    assert not {"DIV", "BITCAST", "MINIMUM"} & set(exported.ops)
    exported.agrees(normal(1, 2, 4))
