"""Whole models of tf-keras, in both of its formats: graph, weights and names survive."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from exporter.capture.inference import Inference
from exporter.errors import LoadError
from tests.loading.legacy import graphs
from tests.loading.legacy.comparing import FORMATS, assert_same, inputs, loaded, with_random_weights


def _data(model):
    shapes = [tensor.shape[1:] for tensor in model.inputs] if model.inputs else [(6,)]
    dtypes = [tensor.dtype.name for tensor in model.inputs] if model.inputs else ["float32"]
    arrays = [inputs(shape, dtype, seed) for seed, (shape, dtype) in enumerate(zip(shapes, dtypes, strict=True))]
    if isinstance(getattr(model, "_nested_inputs", None), dict):
        return dict(zip(model.input_names, arrays, strict=True))
    return arrays if len(arrays) > 1 else arrays[0]


def _compared(make, folder, extension):
    tf_keras.backend.clear_session()
    model = with_random_weights(make())
    result = loaded(model, folder, extension)
    data = _data(model)
    if make is graphs.attention:  # of scores around 1e60 the largest is a matter of rounding
        data = [array[:4] for array in data]
    assert_same(result.model(data, training=False), model(data, training=False))
    return model, result


# The formats differ in how they store nodes, weights and nested models; the rest is the same code.
_PARTICULAR = (
    graphs.frozen,
    graphs.masks,
    graphs.nested,
    graphs.shared,
    graphs.slashes,
    graphs.states,
    graphs.wrapped_model,
)
CASES = [
    pytest.param(make, extension, marks=() if extension == "h5" or make in _PARTICULAR else pytest.mark.long)
    for make in graphs.SMALL
    for extension in FORMATS
]


@pytest.mark.parametrize(("make", "extension"), CASES)
def test_models_compute_what_they_computed(tmp_path, make, extension):
    model, result = _compared(make, tmp_path, extension)
    theirs = sorted(np.asarray(weight).tobytes() for weight in model.get_weights())
    ours = sorted(np.asarray(w).tobytes() for w in result.model.weights if "seed" not in w.name)
    assert ours == theirs  # bit for bit


@pytest.mark.long
@pytest.mark.parametrize("extension", FORMATS)
@pytest.mark.parametrize("make", graphs.LARGE, ids=lambda make: make.__name__)
def test_applications_compute_what_they_computed(tmp_path, make, extension):
    _compared(make, tmp_path, extension)


def test_outputs_are_called_after_their_layers(tmp_path):
    model = graphs.slashes()
    inference = Inference(loaded(model, tmp_path, "keras").model)
    assert [info.name for info in inference.inputs] == ["in"]
    assert [info.name for info in inference.outputs] == ["tf.math.add", "add", "tf.tile"]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: tf.py_function(lambda y: y, [x], "float32"), "py_function"),
        (tf.linalg.det, "tf.linalg.det"),
        (lambda x: tf.einsum("abc,abd->acd", x, x), "tf.einsum"),
        (lambda x: tf.image.resize(x[..., None], (3, 3), preserve_aspect_ratio=True), "preserve_aspect_ratio"),
        (lambda x: tf.reduce_mean(tf.cast(x, "int32")), "of integers it gives another type"),
        (lambda x: tf.reshape(x, tf.shape(x)), "tf.compat.v1.shape"),
    ],
)
def test_other_calls_of_tensorflow_are_refused_by_name(tmp_path, call, words):
    x = tf_keras.Input((3, 3))
    with pytest.raises(LoadError, match=words):
        loaded(tf_keras.Model(x, call(x)), tmp_path, "h5")


def test_a_vocabulary_that_was_adapted_comes_along(tmp_path):
    x = tf_keras.Input((1,), dtype="string")
    lookup, text = tf_keras.layers.StringLookup(), tf_keras.layers.TextVectorization(output_mode="count")
    lookup.adapt(np.array([["x"], ["y"], ["x"]]))
    text.adapt(np.array(["a b", "b c"]))
    model = tf_keras.Model(x, [lookup(x), text(x)])
    data = tf.constant([["x"], ["b a b"], ["?"]])
    assert_same(loaded(model, tmp_path, "keras").model(data), model(data))
