"""Large weights outside of the converted graph: the same file as with constants, bit for bit."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from exporter.errors import UnsupportedError
from exporter.formats.tflite import writer
from exporter.formats.tflite.inspect import _map, _op_name
from exporter.formats.tflite.passes import external_weights
from tests.formats.tflite.conftest import normal

EVERY, NONE = 0, 2**40  # bytes from which on a weight stays outside


def dense(units, **arguments):
    return layers.Dense(units, bias_initializer="normal", **arguments)


def transformer() -> keras.Model:
    tokens = keras.Input((7,), dtype="int32")
    x = layers.Embedding(11, 6)(tokens)
    y = layers.MultiHeadAttention(2, 3, bias_initializer="normal")(x, x)
    x = layers.LayerNormalization()(x + y)
    x = x + dense(6)(dense(9, activation="gelu")(x))
    return keras.Model(tokens, dense(4)(x[:, 0]))


class Tied(layers.Layer):
    """Looks rows up in a table, and multiplies with it."""

    def build(self, shape):
        self.table = self.add_weight(shape=(5, 5))

    def call(self, ids):
        rows = ops.take(self.table, ids, axis=0)
        return ops.matmul(rows, ops.transpose(self.table)), ops.matmul(rows, self.table)


class Awkward(layers.Layer):
    """Uses weights in ways that must stay constants: scaled, on the left, added."""

    def build(self, shape):
        self.a = self.add_weight(shape=(4, 4))
        self.b = self.add_weight(shape=(4, 4))
        self.c = self.add_weight(shape=(4, 4))
        self.scale = self.add_weight(shape=(4,), initializer="normal")

    def call(self, x):
        scaled = ops.matmul(x, self.a) * self.scale
        return (
            scaled,
            ops.matmul(ops.matmul(self.b, ops.transpose(x)), ops.matmul(x, self.c)),
            ops.convert_to_tensor(self.c) + 0.0 * x[:1],
        )


def sequence(*stack, shape=(4,), dtype="float32"):
    return keras.Sequential([keras.Input(shape, dtype=dtype), *stack])


def gated():
    x = keras.Input((4,))
    return keras.Model(x, dense(3)(x) * dense(3, activation="sigmoid")(x))


def shared():
    a, b = keras.Input((4,)), keras.Input((2, 4))
    both = dense(3)
    return keras.Model([a, b], [both(a), both(b)])


CASES = {
    "transformer": transformer,
    "dense": lambda: sequence(dense(3, activation="relu")),
    "square dense": lambda: sequence(dense(4)),
    "dense on rank 4": lambda: sequence(dense(5, activation="tanh"), shape=(2, 3, 4)),
    "dense without bias": lambda: sequence(layers.Dense(3, use_bias=False)),
    "dense, normalised": lambda: sequence(dense(3), layers.BatchNormalization(moving_mean_initializer="normal")),
    "einsum": lambda: sequence(layers.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="de"), shape=(5, 4)),
    "gated": gated,
    "tied": lambda: sequence(Tied(), dtype="int32"),
    "awkward": lambda: sequence(Awkward()),
    "recurrent and convolutional": lambda: sequence(
        layers.Conv1D(3, 2), layers.LSTM(3, return_sequences=True), layers.GRU(2), shape=(5, 4)
    ),
    "half precision": lambda: sequence(layers.Dense(3, dtype="float16")),
    "shared": shared,
}


def content(path):
    """Return each op with its version, and the shapes and numbers of its constants, in no particular order.

    A product with a weight outside may lack the axes of size 1 that the other has, and a shape among the constants likewise.
    """
    model = _map(path)
    graph = model.Subgraphs(0)
    codes = [(_op_name(c), c.Version()) for c in map(model.OperatorCodes, range(model.OperatorCodesLength()))]

    def constant(index):
        found = graph.Tensors(index)
        buffer = model.Buffers(found.Buffer())
        if not buffer.DataLength():
            return None
        return found.Type(), found.ShapeAsNumpy().tolist() if found.ShapeLength() else [], bytes(buffer.DataAsNumpy())

    def constants(op):
        indices = [op.Inputs(i) for i in range(op.InputsLength())]
        return [] if codes[op.OpcodeIndex()][0] == "RESHAPE" else [constant(i) for i in indices if i >= 0]

    operators = map(graph.Operators, range(graph.OperatorsLength()))
    return sorted(repr((codes[op.OpcodeIndex()], constants(op))) for op in operators)


@pytest.mark.parametrize("name", CASES)
def test_the_same_ops_and_the_same_bits(export, tmp_path, monkeypatch, name):
    keras.utils.set_random_seed(0)
    model = CASES[name]()
    found = []
    for least in (NONE, EVERY):
        monkeypatch.setattr(external_weights, "LARGE", least)
        exported = export(model)
        rng = np.random.default_rng(0)
        data = {
            i.name: rng.integers(0, 4, i.shape).astype(i.dtype) if "int" in i.dtype else normal(*i.shape)
            for i in exported.runner.inputs
        }
        found.append((content(tmp_path / "model.tflite"), exported.runner.run(data)))
    (plain, expected), (spliced, outputs) = found
    assert spliced == plain
    for key, value in expected.items():
        np.testing.assert_array_equal(outputs[key], value)


@pytest.mark.parametrize(
    ("name", "count"),
    [("dense", 1), ("transformer", 8), ("tied", 2), ("awkward", 0), ("gated", 2), ("half precision", 0)],
)
def test_what_stays_outside(name, count):
    from exporter.capture.inference import Inference
    from exporter.formats.tflite.build import trace

    inference = Inference(CASES[name]())
    concrete, held = trace(inference, inference.inputs_for(1), least=EVERY)
    assert len([w for w in held if len(w.shape) == 2]) == count
    assert not [v for v in concrete.graph.variables if any(v is w.variable for w in held)]


def test_a_dynamic_batch(export, monkeypatch):
    monkeypatch.setattr(external_weights, "LARGE", EVERY)
    exported = export(transformer(), batch="dynamic")
    exported.agrees(*(np.random.default_rng(n).integers(0, 11, (n, 7), "int32") for n in (1, 3)))


def test_weights_bear_the_names_of_their_variables(tmp_path, monkeypatch, export):
    monkeypatch.setattr(external_weights, "LARGE", EVERY)
    keras.utils.clear_session()
    export(sequence(dense(3, name="head")))
    graph = _map(tmp_path / "model.tflite").Subgraphs(0)
    assert "sequential/head/kernel" in [graph.Tensors(i).Name().decode() for i in range(graph.TensorsLength())]
    assert graph.InputsLength() == 1


def test_a_file_that_would_be_too_large_is_not_written(tmp_path, monkeypatch, export):
    monkeypatch.setattr(external_weights, "LARGE", EVERY)
    monkeypatch.setattr(writer, "LIMIT", 1000)
    with pytest.raises(UnsupportedError, match="2 GiB"):
        export(transformer())
    assert not (tmp_path / "model.tflite").exists()
