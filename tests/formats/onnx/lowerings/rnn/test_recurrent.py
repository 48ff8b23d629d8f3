"""LSTM, GRU and SimpleRNN: one ONNX node each, in every configuration, on any mask."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from exporter.errors import UnsupportedError
from tests.formats.onnx.lowerings.exported import export, normal
from tests.formats.onnx.lowerings.weights import randomized

CLASSES = (layers.LSTM, layers.GRU, layers.SimpleRNN)
OPS = {layers.LSTM: "LSTM", layers.GRU: "GRU", layers.SimpleRNN: "RNN"}
MASKS = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 0, 1, 1, 1], [0, 1, 0, 1, 0], [0, 0, 0, 0, 0]], bool)


def sequence_model(*stack: keras.layers.Layer, time: int | None = None, dtype: str = "float32") -> keras.Model:
    return randomized(keras.Sequential([keras.Input((time, 3), dtype=dtype), *stack]))


def masked_model(layer: keras.layers.Layer, *, states: int = 0) -> keras.Model:
    x, mask = keras.Input((None, 3)), keras.Input((None,), dtype="bool")
    start = [keras.Input((4,)) for _ in range(states)]
    return randomized(keras.Model([x, mask, *start], layer(x, mask=mask, initial_state=start or None)))


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"return_sequences": True},
        {"return_state": True},
        {"return_sequences": True, "return_state": True, "go_backwards": True},
        {"go_backwards": True},
        {"use_bias": False},
    ],
    ids=str,
)
def test_configurations(cls, options):
    exported = export(sequence_model(cls(4, **options)))
    exported.check(normal(3, 5, 3))
    exported.check(normal(1, 8, 3))
    exported.check(normal(0, 5, 3))  # ONNX Runtime's own op aborts the process on an empty batch
    assert exported.ops[OPS[cls]] == 1
    assert "Loop" not in exported.ops


@pytest.mark.parametrize("cls", [layers.LSTM, layers.GRU])
@pytest.mark.parametrize("activation", ["relu", "linear", "hard_sigmoid", "leaky_relu", "softsign"])
def test_activations_that_the_op_knows(cls, activation):
    gates = {"recurrent_activation": activation}
    exported = export(sequence_model(cls(4, activation=activation, **gates), time=3))
    exported.check(normal(2, 3, 3))
    assert exported.ops[OPS[cls]] == 1


def test_reset_before_the_product():
    exported = export(sequence_model(layers.GRU(4, reset_after=False, return_sequences=True)))
    exported.check(normal(2, 6, 3))
    assert exported.ops["GRU"] == 1


@pytest.mark.parametrize("cls", [layers.LSTM, layers.GRU])
@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("sequences", [False, True])
def test_any_mask(cls, backward, zeros, sequences):
    layer = cls(4, go_backwards=backward, zero_output_for_mask=zeros, return_sequences=sequences, return_state=True)
    states = 2 if cls is layers.LSTM else 1
    exported = export(masked_model(layer, states=states))
    x = normal(5, 5, 3)
    x[1, 3] = np.nan  # what is masked must not be seen
    exported.check(x, MASKS, *[normal(5, 4, seed=s + 1) for s in range(states)])
    exported.check(x[:0], MASKS[:0], *[normal(0, 4)] * states)
    assert exported.ops[OPS[cls]] == 1
    assert not {"Loop", "Scan"} & set(exported.ops)


@pytest.mark.parametrize("cls", CLASSES)
def test_stack_stays_time_major(cls):
    exported = export(sequence_model(cls(4, return_sequences=True), cls(5, return_sequences=True), cls(2)))
    exported.check(normal(2, 5, 3))
    assert exported.ops[OPS[cls]] == 3
    assert exported.ops["Transpose"] == 1


def test_stacked_cells_are_stacked_nodes():
    cells = [layers.GRUCell(4), layers.LSTMCell(3), layers.SimpleRNNCell(2)]
    layer = layers.RNN(layers.StackedRNNCells(cells), return_state=True, return_sequences=True, go_backwards=True)
    exported = export(sequence_model(layer))
    exported.check(normal(2, 5, 3))
    assert [exported.ops[op] for op in ("GRU", "LSTM", "RNN")] == [1, 1, 1]


@pytest.mark.parametrize("cls", CLASSES)
def test_large_and_non_finite_inputs(cls):
    exported = export(sequence_model(cls(4, return_sequences=True)))
    for special in (np.inf, -np.inf, 1e30, -3e38, 100.0):
        x = normal(3, 4, 3)
        x[1, 2, 1] = special
        exported.check(x)


@pytest.mark.parametrize(
    "cls",
    [
        *[
            pytest.param(cls, marks=pytest.mark.xfail(strict=True, reason="ONNX Runtime 1.32 clamps NaN in its gates"))
            for cls in (layers.LSTM, layers.GRU)
        ],
        layers.SimpleRNN,
    ],
)
def test_not_a_number(cls):
    exported = export(sequence_model(cls(4, return_sequences=True)))
    x = normal(3, 4, 3)
    x[1, 2, 1] = np.nan
    exported.check(x)


@pytest.mark.parametrize("dtype", ["float16", "mixed_bfloat16"])
def test_narrow_policies(dtype):
    exported = export(sequence_model(layers.LSTM(4, dtype=dtype), layers.Activation("linear", dtype="float32")))
    exported.check(normal(2, 5, 3))
    assert exported.ops["LSTM"] == 1


def test_fixed_batch_needs_no_guard():
    exported = export(sequence_model(layers.GRU(4)), batch=2)
    exported.check(normal(2, 5, 3))
    assert set(exported.ops) == {"Transpose", "GRU", "Squeeze"}


def test_state_that_survives_is_refused():
    model = keras.Sequential([keras.Input(batch_shape=(2, 5, 3)), layers.LSTM(4, stateful=True)])
    with pytest.raises(UnsupportedError, match="stateful"):
        export(model)
