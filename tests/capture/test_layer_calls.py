"""Each call of a layer has a name that does not depend on what is replaced while tracing."""

from __future__ import annotations

import keras
import tensorflow as tf
from keras import layers

from exporter.capture.inference import Inference
from exporter.capture.layer_calls import LayerCalls
from exporter.capture.patching import overridden


def traced(model):
    calls, inference = LayerCalls(), Inference(model)
    with overridden({}, calls.recording()):
        inference.trace(inference.__call__, inference.inputs)
    return calls.found


def test_names_tell_the_layers_around_and_count_repeated_calls():
    block = keras.Sequential([keras.Input((4,)), layers.Dense(4, name="a"), layers.ReLU(name="b")], name="block")
    x = inputs = keras.Input((4,))
    for _ in range(2):
        x = block(x)
    model = keras.Model(inputs, layers.Dense(2, name="a")(x))
    names = [call.name for call in traced(model)]
    assert names == ["block/a", "block/b", "block", "block@2/a", "block@2/b", "block@2", "a"]


def test_a_call_holds_what_the_layer_took_and_gave():
    inputs = keras.Input((5, 3))
    model = keras.Model(inputs, layers.LSTM(2, return_state=True, name="lstm")(inputs))
    calls = {call.name: call for call in traced(model)}
    assert calls["lstm"].kind == "LSTM"
    assert [t.shape.as_list() for t in calls["lstm"].inputs] == [[None, 5, 3]]
    assert [t.shape.as_list() for t in calls["lstm"].outputs] == [[None, 2]] * 3


def test_what_runs_in_the_body_of_a_loop_is_not_noted():
    class EachRow(layers.Layer):
        def build(self, shape):
            self.dense = layers.Dense(2, name="inner")
            self.dense.build(shape[1:])

        def call(self, inputs):
            return tf.map_fn(self.dense, inputs)

    inputs = keras.Input((5, 3), batch_size=4)
    model = keras.Model(inputs, EachRow(name="rows")(inputs))
    assert [call.name for call in traced(model)] == ["rows"]


def test_tracing_leaves_keras_as_it_was():
    before = keras.Layer.__call__
    traced(keras.Sequential([keras.Input((2,)), layers.Dense(1)]))
    assert keras.Layer.__call__ is before
