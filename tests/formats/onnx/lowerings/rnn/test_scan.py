"""Recurrences that ONNX has no op for: Scan, with the step function for a body."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from tests.formats.onnx.lowerings.exported import export, normal
from tests.formats.onnx.lowerings.rnn.test_recurrent import MASKS, masked_model, sequence_model
from tests.formats.onnx.lowerings.weights import randomized


@keras.saving.register_keras_serializable("tests")
class TwoStates(layers.Layer):
    """A cell of a user: two states of different sizes, an output that is neither."""

    state_size = (4, 2)
    output_size = 3

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], 4), name="kernel")
        self.mix = self.add_weight(shape=(4, 2), name="mix")
        self.out = self.add_weight(shape=(2, 3), name="out")

    def call(self, inputs, states, training=False):
        first = ops.tanh(inputs @ self.kernel + states[0])
        second = ops.sin(first @ self.mix) + 0.5 * states[1]
        return second @ self.out, [first, second]


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("sequences", [False, True])
def test_cell_of_a_user(backward, sequences):
    layer = layers.RNN(TwoStates(), go_backwards=backward, return_sequences=sequences, return_state=True)
    exported = export(sequence_model(layer))
    exported.check(normal(3, 5, 3))
    exported.check(normal(1, 9, 3))
    exported.check(normal(0, 5, 3))
    assert exported.ops["Scan"] == 1


@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("sequences", [False, True])
def test_masked_steps(zeros, sequences):
    layer = layers.RNN(TwoStates(), zero_output_for_mask=zeros, return_sequences=sequences, return_state=True)
    exported = export(masked_model(layer))
    x = normal(5, 5, 3)
    x[1, 3] = np.nan
    exported.check(x, MASKS)


def test_activation_that_the_op_lacks():
    exported = export(sequence_model(layers.GRU(4, activation="mish", return_sequences=True)))
    exported.check(normal(2, 5, 3))
    assert exported.ops["Scan"] == 1
    assert "GRU" not in exported.ops


def test_double_precision():
    exported = export(sequence_model(layers.LSTM(4, dtype="float64"), dtype="float64"))
    exported.check(normal(2, 5, 3).astype("float64"))
    assert exported.ops["Scan"] == 1


def test_step_may_use_tensors_from_outside():
    @keras.saving.register_keras_serializable("tests")
    class Conditioned(layers.Layer):
        def call(self, x, condition):
            def step(at, states):
                new = ops.tanh(at + states[0] * condition)
                return new, [new]

            return keras.src.backend.rnn(step, x, [ops.zeros_like(x[:, 0])])[1]

    x, condition = keras.Input((None, 3)), keras.Input((3,))
    exported = export(keras.Model([x, condition], Conditioned()(x, condition)))
    exported.check(normal(2, 5, 3), normal(2, 3, seed=1))


def test_weights_are_outside_of_the_body():
    exported = export(sequence_model(layers.RNN(TwoStates())))
    assert exported.ops["MatMul"] == 3


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("sequences", [False, True])
def test_convolutional_lstm(rank, sequences):
    layer = getattr(layers, f"ConvLSTM{rank}D")(2, 3, padding="same", return_sequences=sequences)
    exported = export(randomized(keras.Sequential([keras.Input((3, *(5,) * rank, 2)), layer])))
    exported.check(normal(2, 3, *(5,) * rank, 2))
