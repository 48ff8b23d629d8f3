"""Bidirectional: both directions in one node, merged in every way."""

from __future__ import annotations

import keras
import pytest
from keras import layers

from tests.formats.onnx.lowerings.exported import export, normal
from tests.formats.onnx.lowerings.rnn.test_recurrent import MASKS, OPS, masked_model, sequence_model
from tests.formats.onnx.lowerings.weights import randomized

MODES = ("concat", "sum", "ave", "mul", None)
CASES = [*[(layers.LSTM, mode) for mode in MODES], (layers.GRU, "concat"), (layers.SimpleRNN, "sum")]
LAST_OR_ALL = [pytest.param(False, marks=pytest.mark.long), True]  # the last step is a slice of all


@pytest.mark.parametrize(("cls", "mode"), CASES)
@pytest.mark.parametrize("sequences", LAST_OR_ALL)
def test_merge_modes(cls, mode, sequences):
    layer = layers.Bidirectional(cls(4, return_sequences=sequences, return_state=True), merge_mode=mode)
    exported = export(sequence_model(layer))
    exported.check(normal(3, 5, 3))
    exported.check(normal(0, 5, 3))
    assert exported.ops[OPS[cls]] == 1


@pytest.mark.parametrize(("cls", "mode"), CASES)
@pytest.mark.parametrize("sequences", LAST_OR_ALL)
def test_any_mask(cls, mode, sequences):
    layer = layers.Bidirectional(cls(4, return_sequences=sequences, return_state=True), merge_mode=mode)
    exported = export(masked_model(layer))
    exported.check(normal(5, 5, 3), MASKS)
    assert exported.ops[OPS[cls]] == 1


def test_initial_states():
    x, *start = keras.Input((None, 3)), *[keras.Input((4,)) for _ in range(4)]
    layer = layers.Bidirectional(layers.LSTM(4, return_sequences=True, return_state=True))
    exported = export(randomized(keras.Model([x, *start], layer(x, initial_state=start))))
    exported.check(normal(2, 6, 3), *[normal(2, 4, seed=s) for s in range(4)])
    assert exported.ops["LSTM"] == 1


def test_unlike_directions_are_two_nodes():
    layer = layers.Bidirectional(
        layers.GRU(4, return_sequences=True),
        backward_layer=layers.LSTM(3, go_backwards=True, return_sequences=True),
    )
    exported = export(sequence_model(layer))
    exported.check(normal(2, 6, 3))
    assert exported.ops["GRU"] == exported.ops["LSTM"] == 1
