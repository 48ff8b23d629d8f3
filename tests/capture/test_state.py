"""The fingerprint sees every change of a variable; states do not leak between model and reference."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from exporter.capture.inference import Inference
from exporter.capture.state import ModelState, fingerprint
from tests.verification.models import dense


def test_a_fingerprint_depends_on_every_bit():
    model = dense()
    before = fingerprint(model)
    bias = model.layers[-1].bias
    bias.assign(np.nextafter(bias.numpy(), np.float32(1)))
    assert fingerprint(model) != before


def test_a_fingerprint_sees_a_swap_of_equal_shapes():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(3), layers.Dense(3)])
    before = fingerprint(model)
    first, second = (layer.get_weights() for layer in model.layers)
    model.layers[0].set_weights(second)
    model.layers[1].set_weights(first)
    assert fingerprint(model) != before


def test_equal_models_have_equal_fingerprints():
    model = dense()
    assert fingerprint(model) == fingerprint(model)


def test_plain_models_have_no_state():
    assert not ModelState(Inference(dense()).concrete()).changes


def test_state_advances_only_when_told():
    x = keras.Input((2, 3), batch_size=1)
    model = keras.Model(x, layers.SimpleRNN(2, stateful=True)(x))
    function = Inference(model).concrete()
    state, data = ModelState(function), tf.ones((1, 2, 3))

    def called(advance):
        with state.used(advance=advance):
            return function(data)[0].numpy()

    first = called(False)
    np.testing.assert_array_equal(called(True), first)
    second = called(False)
    assert (second != first).any()
    np.testing.assert_array_equal(called(False), second)
    assert not model.layers[-1].states[0].numpy().any()
