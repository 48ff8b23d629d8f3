"""Keras is patched while a model is traced, and is itself again afterwards, whatever happens."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
from keras import layers
from keras.src import backend

from exporter.capture.patching import absent, overridden


def seven(original, *args, **kwargs):
    return 7


def test_a_function_is_replaced_and_restored():
    before = backend.nn.gelu
    with overridden({}, {"nn.gelu": seven}):
        assert keras.ops.gelu(np.ones(3, "float32")) == 7
    assert backend.nn.gelu is before


def test_a_layer_is_replaced_and_restored():
    before = layers.Dense.__dict__["call"]
    layer = layers.Dense(2)
    layer.build((None, 3))
    with overridden({layers.Dense: lambda original, self, x: original(self, x) * 0}, {}):
        assert not np.any(layer(np.ones((1, 3), "float32")))
    assert layers.Dense.__dict__["call"] is before


def test_what_a_subclass_defines_itself_is_kept_and_what_it_inherits_is_replaced():
    class Own(layers.Dense):
        def call(self, inputs):
            return inputs

    class Inherited(layers.Dense):
        pass

    with overridden({layers.Dense: seven}, {}):
        assert Own(2).call("x") == "x"
        assert Inherited(2).call("x") == 7


def test_an_inherited_call_is_removed_again():
    class Child(layers.Dense):
        pass

    with overridden({Child: seven}, {}):
        assert "call" in Child.__dict__
    assert "call" not in Child.__dict__


def test_everything_is_restored_when_tracing_fails():
    before = backend.nn.relu, layers.Dense.__dict__["call"]
    with pytest.raises(ZeroDivisionError), overridden({layers.Dense: seven}, {"nn.relu": seven}):
        raise ZeroDivisionError
    assert (backend.nn.relu, layers.Dense.__dict__["call"]) == before


def test_what_this_keras_does_not_have_is_left_out_and_named():
    """Another version of Keras has other private names: an export that does not need them works."""
    names = ("nn.relu", "nn.no_such", "keras.src.ops.nowhere.gone", "rnn")
    with overridden({}, dict.fromkeys(names, seven)):
        assert backend.nn.relu(-1.0) == 7
        assert not hasattr(backend.nn, "no_such")
    assert absent(names) == ["nn.no_such", "keras.src.ops.nowhere.gone"]


def test_what_keras_composes_of_others_is_named_in_full():
    from keras.src.ops import nn

    before = nn._layer_normalization
    with overridden({}, {"keras.src.ops.nn._layer_normalization": seven}):
        assert keras.ops.layer_normalization(np.ones((1, 3), "float32")) == 7
    assert nn._layer_normalization is before


def test_a_static_method_stays_one():
    from keras.src.activations.activations import Mish

    before = vars(Mish)["static_call"]
    with overridden({}, {"keras.src.activations.activations.Mish.static_call": seven}):
        assert Mish.static_call(1.0) == Mish().static_call(1.0) == 7
    assert vars(Mish)["static_call"] is before


def test_other_threads_find_keras_as_it_is():
    dense = layers.Dense(2, kernel_initializer="ones")
    dense.build((None, 2))
    x = np.ones((1, 2), "float32")

    with overridden({layers.Dense: lambda original, self, x: original(self, x) * 0}, {"nn.relu": seven}):
        assert not np.asarray(dense(x)).any()
        assert backend.nn.relu(-1.0) == 7
        with ThreadPoolExecutor(1) as pool:
            assert np.asarray(pool.submit(dense, x).result()).tolist() == [[2.0, 2.0]]
            assert float(pool.submit(backend.nn.relu, -1.0).result()) == 0
