"""Projective transforms by every interpolation and filling, far beyond the edges, at a vanishing line, for any size."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from tests.formats.onnx.lowerings.exported import export

MOVES = {
    "identity": [1, 0, 0, 0, 1, 0, 0, 0],
    "turned": [0.8, 0.3, -1.2, -0.4, 0.9, 2.1, 0, 0],
    "far": [3, 0, -20, 0, -4, 35, 0, 0],
    "halves": [1, 0, 0.5, 0, 1, -1.5, 0, 0],
    "perspective": [1, 0.1, 0.3, 0, 1.1, 0.2, 0.03, -0.02],
    "vanishing": [1, 0, 0, 0, 1, 0, -0.5, 0],  # the denominator is 0 in the third column
}


@keras.saving.register_keras_serializable("tests")
class Moved(layers.Layer):
    """ops.image.affine_transform as a layer."""

    def __init__(self, **arguments):
        super().__init__()
        self.arguments = arguments

    def call(self, inputs):
        return ops.image.affine_transform(*inputs, **self.arguments)


def moved(shape=(7, 9, 2), dtype="float32", **arguments):
    images, transforms = keras.Input(shape, dtype=dtype, name="images"), keras.Input((8,), name="transforms")
    return keras.Model([images, transforms], Moved(**arguments)([images, transforms]))


def images(*shape, dtype="float32"):
    return np.random.default_rng(0).integers(0, 256, shape).astype(dtype)


@pytest.mark.parametrize("fill_mode", ["constant", "nearest", "reflect", "wrap"])
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_every_mode(interpolation, fill_mode):
    exported = export(moved(interpolation=interpolation, fill_mode=fill_mode, fill_value=7.0))
    transforms = np.array(list(MOVES.values()), "float32")
    exported.check(images(len(transforms), 7, 9, 2), transforms)
    exported.check(images(0, 7, 9, 2), transforms[:0])
    assert exported.ops["GatherND"] == (1 if interpolation == "nearest" else 4)


def test_bytes_stay_bytes():
    exported = export(moved(dtype="uint8", interpolation="nearest"))
    exported.check(images(2, 7, 9, 2, dtype="uint8"), np.array([MOVES["turned"], MOVES["halves"]], "float32"))


def test_images_of_any_size():
    exported = export(moved((None, None, 2)))
    for height, width in ((7, 9), (1, 4), (12, 3)):
        exported.check(images(2, height, width, 2), np.array([MOVES["turned"], MOVES["far"]], "float32"))


def test_perspective():
    start = np.array([[[0, 0], [8, 0], [0, 6], [8, 6]]], "float32")
    end = start + np.array([[[0, 1], [-1, 0], [1, 0], [0, -1]]], "float32")
    x = keras.Input((7, 9, 2))
    y = ops.image.perspective_transform(x, keras.ops.tile(start, (2, 1, 1)), keras.ops.tile(end, (2, 1, 1)))
    export(keras.Model(x, y)).check(images(2, 7, 9, 2))
