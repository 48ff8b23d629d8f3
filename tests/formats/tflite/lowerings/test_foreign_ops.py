"""TensorFlow's ops in users' own layers: each right with sizes that are known and with sizes that are not."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from exporter.errors import UnsupportedError
from tests.formats.tflite.conftest import normal


class Own(layers.Layer):
    """A layer of a function of tensors."""

    def __init__(self, function) -> None:
        super().__init__(autocast=False, name="own")
        self.function = function

    def call(self, *tensors):
        return self.function(*tensors)


def parts(z):
    return [tf.math.real(z), tf.math.imag(z)]


def decoded(scores, lengths):
    (found,), sums = tf.nn.ctc_greedy_decoder(scores, lengths)
    return [found.indices, found.values, found.dense_shape, sums]


def whole(*numbers) -> np.ndarray:
    return np.array(numbers, "int32")


BOXES = np.array([[0, 0, 1, 1], [0.1, 0.2, 0.6, 0.7], [0.5, 0.5, 1.2, 1.3]], "float32")
CASES = {
    "blocks of three axes": (
        lambda x: tf.batch_to_space(x, [2, 1, 2], [[0, 1], [1, 0], [0, 0]]),
        [normal(4, 3, 4, 2, 3)],
    ),
    "image into blocks": (lambda x: tf.space_to_batch(x, [2, 2, 1], [[0, 1], [1, 1], [0, 0]]), [normal(2, 3, 4, 2, 3)]),
    "blocks of a computed size": (
        lambda x, block: tf.batch_to_space(x, tf.ensure_shape(block, [2]), [[0, 1], [1, 0]]),
        [normal(8, 3, 4, 2), whole(2, 2)],
    ),
    "identity": (lambda x: tf.eye(tf.shape(x)[0], tf.shape(x)[1]) + x, [normal(4, 3)]),
    "diagonal": (lambda x: tf.linalg.diag(x, k=1, padding_value=7.0), [normal(2, 3)]),
    "set diagonal": (lambda x, v: tf.linalg.set_diag(x, v, k=-1), [normal(2, 3, 4), normal(2, 2)]),
    "read diagonal": (lambda x: tf.linalg.diag_part(x, k=-1), [normal(2, 3, 4)]),
    "partition": (lambda x, p: tf.dynamic_partition(x, p, 3), [normal(6, 2), whole(0, 2, 1, 0, 0, 2)]),
    "segments": (
        lambda x, i, s: [tf.sparse.segment_sum(x, i, s), tf.sparse.segment_mean(x, i, s, num_segments=4)],
        [normal(6, 2), whole(0, 3, 5, 1), whole(0, 0, 2, 2)],
    ),
    "maxima and places": (lambda x: list(tf.nn.max_pool_with_argmax(x, 3, 2, "SAME")), [normal(2, 7, 8, 3)]),
    "greedy decoder": (decoded, [normal(9, 2, 4), whole(9, 5)]),
    "2-D transform": (lambda x: parts(tf.signal.rfft2d(x)), [normal(2, 6, 10)]),
    "2-D transform of a length": (lambda x: parts(tf.signal.rfft2d(x, [7, 9])), [normal(2, 6, 10)]),
    "crops": (lambda x, b, n: tf.image.crop_and_resize(x, b, n, [3, 4]), [normal(2, 8, 9, 3), BOXES, whole(0, 1, 1)]),
    "nearest crops": (
        lambda x, b, n: tf.image.crop_and_resize(x, b, n, [1, 4], method="nearest", extrapolation_value=7.0),
        [normal(2, 8, 9, 3), BOXES, whole(0, 1, 1)],
    ),
    "dilated": (
        lambda x: tf.nn.depthwise_conv2d(x, tf.ones([3, 3, 3, 1]), [1, 1, 1, 1], "SAME", dilations=[2, 2]),
        [normal(1, 9, 9, 3)],
    ),
}


@pytest.mark.parametrize("known", [True, False], ids=["fixed", "dynamic"])
@pytest.mark.parametrize("name", CASES)
def test_op(export, name, known):
    function, arrays = CASES[name]
    inputs = [keras.Input(batch_shape=a.shape if known else [None] * a.ndim, dtype=str(a.dtype)) for a in arrays]
    exported = export(keras.Model(inputs, Own(function)(*inputs)), batch="dynamic")
    found = exported.runner.run({i.name: a for i, a in zip(exported.runner.inputs, arrays, strict=True)})
    for own, wanted in zip(found.values(), keras.tree.flatten(function(*map(tf.constant, arrays))), strict=True):
        np.testing.assert_allclose(own, wanted, rtol=1e-5, atol=2e-6)


def test_inverse_two_dimensional_transform(export):
    x = keras.Input((6, 10))
    exported = export(keras.Model(x, Own(lambda x: tf.signal.irfft2d(tf.complex(x, 0.5 * x)))(x)))
    data = normal(1, 6, 10)
    (found,) = exported.runner.run({exported.runner.inputs[0].name: data}).values()
    np.testing.assert_allclose(found, np.fft.irfft2(data * (1 + 0.5j)), atol=1e-6)


def test_a_size_that_only_an_input_gives(export):
    """LiteRT refuses 64 numbers for the shape of a transposed convolution; so does Keras: it says nothing about the file."""
    kernel = normal(3, 3, 2, 3)
    x, shape = keras.Input((4, 5, 3), batch_size=1), keras.Input(batch_shape=(None,), dtype="int32")

    def function(x, shape):
        return tf.nn.conv2d_transpose(x, kernel, shape, 2)

    exported = export(keras.Model([x, shape], Own(function)(x, shape)), batch="dynamic")
    arrays = [normal(1, 4, 5, 3), whole(1, 8, 10, 2)]
    found = exported.runner.run({i.name: a for i, a in zip(exported.runner.inputs, arrays, strict=True)})
    np.testing.assert_allclose(next(iter(found.values())), function(*arrays), rtol=1e-5, atol=1e-5)


def test_patches_larger_than_the_image_are_refused_with_the_layer(layer):
    def patches(x):
        return tf.image.extract_patches(x, [1, 9, 9, 1], [1, 1, 1, 1], [1, 1, 1, 1], "VALID")

    with pytest.raises(UnsupportedError, match="ExtractImagePatches") as refused:
        layer(Own(patches), (8, 8, 3))
    assert refused.value.where == "layer 'own'"


def test_growing_tensor_arrays_are_refused_with_a_remedy(layer):
    def growing(x):
        array = tf.TensorArray(tf.float32, size=0, dynamic_size=True)
        steps = tf.shape(x)[1]
        return tf.while_loop(lambda i, a: i < steps, lambda i, a: (i + 1, a.write(i, 2 * x[:, i])), (0, array))[
            1
        ].stack()

    with pytest.raises(UnsupportedError, match="dynamic_size"):
        layer(Own(growing), (None, 3))
