"""Colours: greys, pure colours, ties of channels, black; both ways and back."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from keras import ops

from tests.formats.onnx.lowerings.exported import export, model_of

LEVELS = np.array(list(itertools.product([0, 0.25, 0.5, 1], repeat=3)), "float32").reshape(1, 8, 8, 3)
RANDOM = np.random.default_rng(0).uniform(size=(3, 8, 8, 3)).astype("float32")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("function", [ops.image.rgb_to_hsv, ops.image.hsv_to_rgb])
def test_colours(function, dtype):
    exported = export(model_of(function, ((None, 8, 8, 3), dtype)))
    for images in (LEVELS, RANDOM, RANDOM[:0]):
        exported.check(images.astype(dtype))
    assert exported.ops["Concat"] == 1


def test_there_and_back_is_the_same_image():
    exported = export(model_of(lambda x: ops.image.hsv_to_rgb(ops.image.rgb_to_hsv(x)), ((None, 8, 8, 3), "float32")))
    (result,) = exported.runner.run({"x0": RANDOM}).values()
    np.testing.assert_allclose(result, RANDOM, rtol=0, atol=1e-6)  # some ten roundings of numbers up to 1


def test_grayscale():
    export(model_of(ops.image.rgb_to_grayscale, ((None, 8, 8, 3), "float32"))).check(RANDOM)
