"""Loops without TensorFlow's own counter: what is dropped and what is not. Variables that take each other's places."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from exporter.formats.tflite.inspect import _map, _op_name
from tests.conformance.cases.case import inside
from tests.formats.tflite.conftest import normal


def variables(path):
    """Return the number of variables of each loop in the file."""
    model = _map(path)
    names = [_op_name(model.OperatorCodes(i)) for i in range(model.OperatorCodesLength())]
    graphs = map(model.Subgraphs, range(model.SubgraphsLength()))
    found = [graph.Operators(i) for graph in graphs for i in range(graph.OperatorsLength())]
    return sorted(op.InputsLength() for op in found if names[op.OpcodeIndex()] == "WHILE")


def count(x):
    """The loop's own index, read by the condition only, and a sum."""
    return tf.while_loop(lambda i, s: i < 3, lambda i, s: (i + 1, s * x + 1.0), (0, x))[1]


def number_of_steps(x):
    """An index that only what follows reads."""
    index, s = tf.while_loop(lambda i, s: tf.reduce_sum(s) < 9.0, lambda i, s: (i + 1, s + tf.abs(x)), (0, tf.abs(x)))
    return s * tf.cast(index, "float32")


def first_result(x):
    """An index that is the loop's first variable and read by its second."""
    return ops.while_loop(lambda i, s: i < 4, lambda i, s: (i + 1, s + ops.cast(i, "float32")), (0, x))[1]


def crossed(x):
    """Two variables that the condition does not read and that pass through each other."""
    return tf.while_loop(lambda i, a, b: i < 3, lambda i, a, b: (i + 1, b + 1.0, a), (0, x, -x))[1]


def sum_and_former(x):
    """A later variable takes the former value of an earlier one."""
    return tf.while_loop(lambda i, a, b: i < 5, lambda i, a, b: (i + 1, a + b, a), (0, x, -x))[2]


def flags(x):
    """The same with bools and integers."""

    def body(i, p, q, m, n):
        return i + 1, ~q, p, n + 2, m

    start = (0, x > 0.0, x > 1.0, tf.cast(x, "int32"), tf.cast(2.0 * x, "int32"))
    _, p, q, m, n = tf.while_loop(lambda i, *_: i < 3, body, start)
    return [tf.cast(t, "float32") for t in (p, q, m, n)]


def idle(x):
    """A variable of the user's that nothing takes."""
    return tf.while_loop(lambda i, a, b: i < 3, lambda i, a, b: (i + 1, a * x, b + a), (0, x, x))[1]


def nested(x):
    def body(i, s):
        inner = tf.while_loop(lambda j, t: j < 2, lambda j, t: (j + 1, t * 0.5 + tf.cast(i, "float32")), (0, s))
        return i + 1, inner[1] + tf.cast(inner[0], "float32")

    return tf.while_loop(lambda i, s: i < 3, body, (0, x))[1]


def limited(x):
    """TensorFlow's own counter is what ends the loop."""
    return tf.while_loop(lambda s: tf.reduce_sum(s) < 1e9, lambda s: (tf.abs(s) + 1.0,), (x,), maximum_iterations=5)[0]


LOOPS = {
    "a sum": (count, [3]),
    "the number of steps": (number_of_steps, [3]),
    "an index that is added": (first_result, [2]),
    "crossed": (crossed, [3]),
    "the former value": (sum_and_former, [3]),
    "crossed bools and integers": (flags, [5]),
    "idle": (idle, [3]),
    "nested": (nested, [2, 3]),
    "a limit of steps": (limited, [2]),
}


@pytest.mark.parametrize("name", LOOPS)
def test_loops(layer, tmp_path, name):
    call, expected = LOOPS[name]
    exported = layer(inside(call), (4,))
    assert [*variables(tmp_path / "model.tflite")] == expected
    exported.agrees(normal(1, 4), normal(1, 4, seed=1))


@pytest.mark.parametrize(("cls", "states"), [(layers.SimpleRNN, 1), (layers.GRU, 1), (layers.LSTM, 2)])
def test_recurrent_layers_carry_index_states_and_inputs(export, tmp_path, monkeypatch, cls, states):
    monkeypatch.setattr("exporter.formats.tflite.lowerings.rnn.lstm.FUSED", 0)
    x = keras.Input((5, 3))
    exported = export(keras.Model(x, cls(4)(x)))
    assert variables(tmp_path / "model.tflite") == [1 + states + 1]
    exported.agrees(normal(1, 5, 3))


def test_a_tensor_of_its_own_has_the_same_numbers(layer):
    layer(inside(crossed), (4,)).agrees(np.array([[np.nan, np.inf, -np.inf, -0.0]], "float32"))
