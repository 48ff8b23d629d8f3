"""keras.ops.scan: structures, directions, any batch."""

from __future__ import annotations

import keras
import pytest
from keras import ops

from tests.conformance.cases.case import inside
from tests.formats.tflite.conftest import normal


@pytest.mark.parametrize("batch", [1, "dynamic"])
@pytest.mark.parametrize("reverse", [False, True])
def test_any_batch_and_direction(layer, batch, reverse):
    def call(x):
        steps = ops.transpose(x, (1, 0, 2))
        zero = ops.zeros_like(x[:, 0])
        carry, results = ops.scan(lambda c, v: (c + v, c * v), zero, steps, reverse=reverse)
        pair, both = ops.scan(
            lambda c, v: ((c[0] + v[0], c[1] * 0.5), (c[1] - v[1], v[0])),
            (zero, zero + 1),
            (steps, 2 * steps),
            reverse=reverse,
        )
        only, _ = ops.scan(lambda c, v: (ops.maximum(c, v), None), zero, steps, reverse=reverse)
        return carry, results, *pair, *both, only

    exported = layer(inside(call), (5, 3), batch=batch)
    exported.agrees(normal(1, 5, 3), *([normal(4, 5, 3)] if batch == "dynamic" else []))


def test_dynamic_number_of_steps(export):
    x = keras.Input((None, 3))
    call = inside(
        lambda x: ops.scan(lambda c, v: (c + v, c + v), ops.zeros_like(x[:, 0]), ops.transpose(x, (1, 0, 2)))[1]
    )
    export(keras.Model(x, call(x)), "dynamic").agrees(normal(2, 4, 3), normal(1, 7, 3))
