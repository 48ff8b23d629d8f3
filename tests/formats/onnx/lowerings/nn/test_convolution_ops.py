"""Convolutions and pooling of tf.nn in layers of users: fixed and dynamic sizes, every padding, computed kernels and sizes."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.formats.onnx.lowerings.exported import export, inside, model_of, normal

FIXED, ANY = (None, 9, 10, 4), (None, None, None, None)
KERNEL, DEPTHWISE = normal(3, 2, 4, 5), normal(3, 3, 4, 2, seed=1)
PADDINGS = ["SAME", "VALID", [[0, 0], [1, 2], [0, 3], [0, 0]]]


def exported_of(function, *inputs):
    return export(model_of(inside(function), *((shape, "float32") for shape in inputs)))


@pytest.mark.parametrize("shape", [FIXED, ANY], ids=str)
@pytest.mark.parametrize("padding", PADDINGS, ids=str)
def test_convolutions(padding, shape):
    """Strides of 4 are wider than the window: ONNX Runtime works out a wrong padding for some sizes."""

    def function(x):
        return [
            tf.nn.conv2d(x, KERNEL, stride, padding, dilations=gap) for stride, gap in ((1, 1), (2, 1), (4, 1), (1, 2))
        ]

    exported = exported_of(function, shape)
    exported.check(normal(2, 9, 10, 4))
    if shape == ANY:
        exported.check(normal(1, 12, 7, 4))


@pytest.mark.parametrize("shape", [FIXED, ANY], ids=str)
def test_depthwise_convolutions(shape):
    def function(x):
        return [
            tf.nn.depthwise_conv2d(x, DEPTHWISE, [1, 2, 2, 1], "SAME"),
            tf.nn.depthwise_conv2d(x, DEPTHWISE, [1, 1, 1, 1], "SAME", dilations=[2, 2]),
        ]

    exported_of(function, shape).check(normal(2, 9, 10, 4))


def test_volumes():
    kernel = normal(2, 3, 2, 3, 5)
    exported_of(lambda x: tf.nn.conv3d(x, kernel, [1, 1, 2, 1, 1], "SAME"), (None, 5, 6, 7, 3)).check(
        normal(2, 5, 6, 7, 3)
    )


def test_computed_kernels():
    def function(x, kernel, depthwise):
        grouped = tf.nn.conv2d(x, kernel[:, :, :2], 1, "SAME")
        return [tf.nn.conv2d(x, kernel, 1, "SAME"), grouped, tf.nn.depthwise_conv2d(x, depthwise, [1] * 4, "SAME")]

    exported = exported_of(function, FIXED, (3, 3, 4, 6), (3, 3, 4, 2))
    exported.check(normal(2, 9, 10, 4), normal(3, 3, 4, 6, seed=1), normal(3, 3, 4, 2, seed=2))


@pytest.mark.parametrize("stride", [1, 2, 4])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_transposed_to_computed_sizes(padding, stride):
    """As many sizes give the same number of windows as the stride has places."""
    kernel = normal(3, 2, 5, 4)

    def function(x, like):
        fixed = tf.nn.conv2d_transpose(x, kernel, tf.stack([tf.shape(x)[0], 17, 14, 5]), stride, padding)
        return [tf.nn.conv2d_transpose(x, kernel, tf.shape(like), stride, padding), fixed]

    def windows(size, extent):
        return -(-size // stride) if padding == "SAME" else -(-(size - extent + 1) // stride)

    exported = exported_of(function, ANY, ANY)
    rows, columns = windows(17, 3), windows(14, 2)
    for height in range(17, 21):
        if windows(height, 3) == rows:
            exported.check(normal(2, rows, columns, 4), normal(2, height, 14, 5))


def test_transposed_volumes_of_computed_sizes():
    kernel = normal(2, 3, 2, 5, 3)
    function = inside(lambda x, like: tf.nn.conv3d_transpose(x, kernel, tf.shape(like), 2, "SAME"))
    exported = export(model_of(function, *[((None,) * 5, "float32")] * 2))
    exported.check(normal(2, 3, 4, 5, 3), normal(2, 6, 7, 9, 5))


@pytest.mark.parametrize("shape", [FIXED, ANY], ids=str)
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_pooling(padding, shape):
    def function(x):
        kinds = (tf.nn.max_pool2d, tf.nn.avg_pool2d)
        return [kind(x, [3, 2], stride, padding) for kind in kinds for stride in (1, 2, 4)]

    exported_of(function, shape).check(normal(2, 9, 10, 4))


@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_places_of_the_largest(padding, batched):
    def function(x):
        return list(tf.nn.max_pool_with_argmax(x, [3, 2], 2, padding, include_batch_in_index=batched))

    exported_of(function, FIXED).check(normal(2, 9, 10, 4))


@pytest.mark.parametrize("shape", [FIXED, ANY], ids=str)
def test_batch_normalization(shape):
    gamma, beta, mean = (normal(4, seed=n) for n in range(3))

    def function(x):
        normalize = tf.compat.v1.nn.fused_batch_norm
        return [
            normalize(x, gamma, beta, mean, np.abs(gamma), is_training=False)[0],
            *normalize(x, gamma, beta, is_training=True),
        ]

    exported_of(function, shape).check(normal(2, 9, 10, 4))
