"""Slices, diagonals and patches: new axes, ellipses, dynamic sizes."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from tests.conformance.cases.case import inside
from tests.formats.tflite.conftest import normal

SLICES = (
    np.s_[None],
    np.s_[..., None],
    np.s_[:, None, 1:, None],
    np.s_[..., None, -1],
    np.s_[:, 1, None, ::2],
    np.s_[..., 1:3, :],
    np.s_[:, ::-1, None, ..., -2:],
    np.s_[None, ..., None, 0],
)


@pytest.mark.parametrize("batch", [1, "dynamic"])
def test_new_axes_and_ellipses(layer, batch):
    exported = layer(inside(lambda x: [x[s] for s in SLICES]), (4, 5, 6), batch=batch)
    exported.agrees(normal(1, 4, 5, 6), *([normal(3, 4, 5, 6)] if batch == "dynamic" else []))


def test_sizes_that_are_known_only_when_it_runs(export):
    x = keras.Input((None, 4))
    calls = inside(lambda x: (x[:, None, : tf.shape(x)[1] - 1], *tf.unstack(x, axis=2), ops.flip(x, 1)[..., None]))
    exported = export(keras.Model(x, calls(x)), batch="dynamic")
    exported.agrees(normal(1, 3, 4), normal(2, 7, 4))


@pytest.mark.parametrize("batch", [1, "dynamic"])
def test_rolling(layer, batch):
    def call(x):
        return (
            ops.roll(x, 1, axis=1),
            ops.roll(x, (7, -9), axis=(1, -1)),
            ops.roll(x, (2, 3), axis=(1, 1)),
            ops.roll(x, 4, 1),
        )

    exported = layer(inside(call), (4, 5), batch=batch)
    exported.agrees(normal(1, 4, 5), *([normal(3, 4, 5)] if batch == "dynamic" else []))


def test_diagonals(layer):
    def call(x):
        diagonals = [ops.diagonal(x, offset=k, axis1=1, axis2=2) for k in (0, 1, -2, 4)]
        return *diagonals, ops.trace(x, axis1=1, axis2=2), *(tf.linalg.diag(x[:, 0], k=k) for k in (0, 2, -1))

    exported = layer(inside(call), (4, 5), batch="dynamic")
    x = normal(2, 4, 5)
    x[0, 1, 2] = np.inf
    x[1, 2, 2] = np.nan
    exported.agrees(x)


@pytest.mark.parametrize(("size", "strides", "padding"), [(3, 1, "valid"), ((2, 3), 2, "same")])
def test_patches(layer, size, strides, padding):
    exported = layer(lambda x: ops.image.extract_patches(x, size, strides=strides, padding=padding), (6, 7, 3))
    exported.agrees(normal(1, 6, 7, 3))
