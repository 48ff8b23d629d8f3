"""Recurrent layers: the fused LSTM, and the loop for everything else."""

from __future__ import annotations

import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers

from exporter.errors import UnsupportedError
from tests.formats.tflite.conftest import normal

LSTM = "UNIDIRECTIONAL_SEQUENCE_LSTM"
VARIANTS = (
    {},
    {"return_sequences": True},
    {"return_state": True},
    {"return_sequences": True, "return_state": True},
    {"go_backwards": True},
    {"go_backwards": True, "return_sequences": True, "return_state": True},
    {"use_bias": False},
)


def randomized(model: keras.Model) -> keras.Model:
    """Give every weight a value: biases too."""
    rng = np.random.default_rng(3)
    for weight in model.weights:
        weight.assign(rng.normal(scale=0.5, size=weight.shape))
    return model


def recurrent(cls, shape=(7, 4), **arguments) -> keras.Model:
    x = keras.Input(shape)
    return randomized(keras.Model(x, cls(5, **arguments)(x)))


def of_cell(units, **arguments) -> layers.RNN:
    return layers.RNN(layers.GRUCell(units), **arguments)


@pytest.mark.parametrize("arguments", VARIANTS, ids=str)
def test_lstm_is_one_op(export, arguments):
    exported = export(recurrent(layers.LSTM, **arguments))
    assert exported.ops[LSTM] == 1
    assert "WHILE" not in exported.ops
    exported.agrees(normal(1, 7, 4), normal(3, 7, 4, seed=1), normal(2, 7, 4, scale=100.0))


@pytest.mark.parametrize("arguments", [{}, {"go_backwards": True, "return_sequences": True, "return_state": True}])
@pytest.mark.parametrize("cls", [layers.LSTM, layers.GRU, layers.SimpleRNN, of_cell])
def test_unrolled_layers_have_no_loop(export, cls, arguments):
    exported = export(recurrent(cls, unroll=True, **arguments), batch="dynamic")
    assert not {LSTM, "WHILE"} & set(exported.ops)
    exported.agrees(normal(1, 7, 4), normal(3, 7, 4, seed=1))


@pytest.mark.parametrize("arguments", [{}, {"return_sequences": True}, {"zero_output_for_mask": True}], ids=str)
def test_unrolled_layers_with_a_mask(export, arguments):
    tokens = keras.Input((6,), dtype="int32")
    x = layers.Embedding(5, 4, mask_zero=True)(tokens)
    gru = layers.GRU(3, unroll=True, go_backwards=True, return_state=True, **arguments)
    exported = export(randomized(keras.Model(tokens, gru(x))))
    assert "WHILE" not in exported.ops
    exported.agrees(np.array([[0, 1, 0, 2, 3, 0]], "int32"), np.zeros((1, 6), "int32"))


def test_unrolled_layers_of_any_length_are_refused(export):
    """Keras refuses them too."""
    with pytest.raises(UnsupportedError, match="input_signature"):
        export(recurrent(layers.GRU, (None, 4), unroll=True))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float16"])
def test_narrow_floats(export, policy):
    model = recurrent(layers.LSTM, return_sequences=True, dtype=policy)
    exported = export(model)
    exported.agrees(normal(1, 7, 4))
    assert exported.ops[LSTM] == 1


def test_lstm_of_a_larger_batch(export):
    exported = export(recurrent(layers.LSTM, return_sequences=True), batch=3)
    assert exported.ops[LSTM] == 1
    exported.agrees(normal(3, 7, 4))


def test_lstm_with_dynamic_time(export):
    exported = export(recurrent(layers.LSTM, (None, 4), return_sequences=True))
    assert exported.ops[LSTM] == 1
    exported.agrees(normal(1, 1, 4), normal(1, 9, 4), normal(1, 2, 4))


def test_lstm_starts_anew_at_every_call(export):
    """The op's own state tensors would remember."""
    exported = export(recurrent(layers.LSTM))
    data = {exported.runner.inputs[0].name: normal(1, 7, 4)}
    first, second = exported.runner.run(data), exported.runner.run(data)
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])


def test_equal_states_of_two_lstms_are_not_shared(export):
    x = keras.Input((7, 4))
    first, second = layers.LSTM(5, return_sequences=True), layers.LSTM(5)
    exported = export(randomized(keras.Model(x, [first(x), second(x), layers.Bidirectional(layers.LSTM(5))(x)])))
    assert exported.ops[LSTM] == 4
    exported.agrees(normal(1, 7, 4), normal(1, 7, 4, seed=2))


def counter() -> keras.Model:
    """An LSTM whose cell counts: word 1 adds one, word 2 halves, others leave it."""
    units = 4
    model = keras.Sequential([keras.Input((60,), dtype="int32"), layers.Embedding(5, 2), layers.LSTM(units)])
    table, kernel, bias = np.zeros((5, 2)), np.zeros((2, 4 * units)), np.zeros(4 * units)
    table[1, 0] = table[2, 1] = 1.0
    i, f, g, o = (slice(n * units, (n + 1) * units) for n in range(4))
    kernel[0, i], kernel[0, g], kernel[1, f] = 20.0, 5.0, -10.0
    bias[i], bias[f], bias[o] = -10.0, 10.0, 10.0
    model.set_weights([table, kernel, np.zeros((units, 4 * units)), bias])
    return model


def test_the_cell_is_not_clipped(export):
    """The converter bounds it by 10."""
    exported = export(counter())
    assert exported.ops[LSTM] == 1
    exported.agrees(np.array([[1] * 40 + [2] * 5 + [3] * 15], "int32"))


@pytest.mark.parametrize("resolver", ["BUILTIN_WITHOUT_DEFAULT_DELEGATES", "BUILTIN_REF"])
def test_a_computed_state_without_xnnpack(export, resolver):
    """In a process of its own, since a wrong state ends it."""
    x = keras.Input((7, 4))
    states = [layers.Dense(5)(x[:, 0]), layers.Dense(5)(x[:, 1])]
    exported = export(randomized(keras.Model(x, layers.LSTM(5)(x, initial_state=states))))
    assert exported.ops[LSTM] == 1
    exported.agrees(normal(1, 7, 4))
    program = (
        "import sys; import numpy as np; from ai_edge_litert import interpreter as litert\n"
        "kind = getattr(litert.OpResolverType, sys.argv[2])\n"
        "run = litert.Interpreter(sys.argv[1], experimental_op_resolver_type=kind).get_signature_runner()\n"
        "print(*next(iter(run(**{sys.argv[3]: np.ones((1, 7, 4), 'float32')}).values())).ravel())"
    )
    name = exported.runner.inputs[0].name
    command = [sys.executable, "-P", "-c", program, str(exported.runner.path), resolver, name]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    wanted = exported.inference.model(np.ones((1, 7, 4), "float32"))
    np.testing.assert_allclose(np.array(told.split(), "float32")[None], wanted, rtol=1e-5, atol=1e-6)


def test_one_given_state_for_two_lstms_and_the_output(export):
    x, h, c = keras.Input((7, 4)), keras.Input((5,)), keras.Input((5,))
    a = layers.LSTM(5)(x, initial_state=[h, c])
    b = layers.LSTM(5, return_state=True)(x, initial_state=[h, c])
    exported = export(randomized(keras.Model([x, h, c], [a, *b, h, c])))
    assert exported.ops[LSTM] == 2
    exported.agrees([normal(1, 7, 4), normal(1, 5), normal(1, 5, seed=9)])


@pytest.mark.parametrize("time", [1, 2, 3, 8, 33])
def test_last_carry_of_any_number_of_steps(export, time):
    exported = export(recurrent(layers.LSTM, (time, 4), return_state=True))
    exported.agrees(normal(1, time, 4))


def test_a_large_lstm_loops(export):
    """Its matrix products are faster in XNNPACK than in the op."""
    exported = export(wide(layers.LSTM))
    assert LSTM not in exported.ops
    exported.agrees(normal(1, 37, 4), normal(1, 37, 4, scale=100.0))


@pytest.mark.parametrize("time", [37, 48])
@pytest.mark.parametrize("cls", [layers.GRU, layers.LSTM])
def test_outputs_of_many_steps_are_written_in_blocks(export, cls, time):
    exported = export(wide(cls, time, go_backwards=True, return_state=True))
    assert exported.ops["WHILE"] == 2
    exported.agrees(normal(1, time, 4))


def test_masked_blocks(export):
    tokens = keras.Input((37,), dtype="int32")
    x = layers.Embedding(5, 4, mask_zero=True)(tokens)
    exported = export(randomized(keras.Model(tokens, layers.GRU(256, return_sequences=True)(x))))
    assert exported.ops["WHILE"] == 2
    exported.agrees(np.random.default_rng(0).integers(0, 5, (1, 37), "int32"), np.zeros((1, 37), "int32"))


def wide(cls, time=37, **arguments) -> keras.Model:
    x = keras.Input((time, 4))
    return keras.Model(x, cls(256, return_sequences=True, **arguments)(x))


def test_blocks_with_dynamic_time_and_batch(export):
    exported = export(recurrent(layers.GRU, (None, 4), return_sequences=True), batch="dynamic")
    exported.agrees(normal(1, 1, 4), normal(2, 16, 4), normal(3, 33, 4))


@pytest.mark.parametrize("arguments", [{"activation": "relu"}, {"recurrent_activation": "hard_sigmoid"}], ids=str)
def test_other_activations_loop(export, arguments):
    exported = export(recurrent(layers.LSTM, **arguments))
    assert exported.ops["WHILE"] == 1
    exported.agrees(normal(1, 7, 4))


@pytest.mark.parametrize("cls", [layers.GRU, layers.SimpleRNN, layers.LSTM])
@pytest.mark.parametrize("arguments", VARIANTS, ids=str)
def test_loops_take_any_batch(export, cls, arguments):
    exported = export(recurrent(cls, **arguments), batch="dynamic")
    assert exported.ops["WHILE"] == 1
    exported.agrees(normal(1, 7, 4), normal(5, 7, 4), normal(2, 7, 4))


@pytest.mark.parametrize("reset_after", [True, False])
def test_gru(export, reset_after):
    export(recurrent(layers.GRU, reset_after=reset_after)).agrees(normal(1, 7, 4), normal(1, 7, 4, scale=50.0))


@pytest.mark.parametrize("cls", [layers.GRU, layers.SimpleRNN, layers.LSTM])
@pytest.mark.parametrize("arguments", [{}, {"return_sequences": True}, {"zero_output_for_mask": True}], ids=str)
@pytest.mark.parametrize("backwards", [False, True])
def test_masks(export, cls, arguments, backwards):
    tokens = keras.Input((6,), dtype="int32")
    x = layers.Embedding(5, 4, mask_zero=True)(tokens)
    model = randomized(keras.Model(tokens, cls(3, go_backwards=backwards, **arguments)(x)))
    rows = np.array([[1, 2, 0, 3, 0, 0], [0, 0, 1, 4, 2, 2], [0] * 6, [1, 2, 3, 4, 1, 2]], "int32")
    export(model).agrees(rows)


def test_stacked_cells_and_users_cells(export):
    class Cell(layers.Layer):
        state_size = (3, 2)
        output_size = 4

        def build(self, shape):
            self.kernel = self.add_weight(shape=(shape[-1], 3))

        def call(self, x, states):
            a, b = states
            a = keras.ops.tanh(x @ self.kernel + a)
            return keras.ops.concatenate([a, b[:, :1]], axis=-1), [a, b + 1.0]

    x = keras.Input((7, 4))
    cells = layers.StackedRNNCells([layers.GRUCell(3), layers.LSTMCell(2)])
    y = [layers.RNN(cells, return_state=True)(x)[0], layers.RNN(Cell(), return_sequences=True)(x)]
    exported = export(randomized(keras.Model(x, y)), batch="dynamic")
    exported.agrees(normal(2, 7, 4))


@pytest.mark.parametrize("arguments", [{}, {"return_sequences": True}, {"go_backwards": True}], ids=str)
def test_convolutional_lstm(export, arguments):
    x = keras.Input((3, 5, 6, 2))
    exported = export(randomized(keras.Model(x, layers.ConvLSTM2D(2, 3, **arguments)(x))))
    exported.agrees(normal(1, 3, 5, 6, 2))
