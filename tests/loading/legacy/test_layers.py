"""Every layer of tf-keras, in both of its formats: loaded with Keras 3 it computes the same."""

from __future__ import annotations

import inspect

import pytest
import tensorflow as tf
import tf_keras

from exporter.errors import LoadError
from exporter.loading.legacy import names
from tests.loading.legacy.comparing import FORMATS, assert_same, inputs, loaded, with_random_weights
from tests.loading.legacy.layers import KINDS


def _batched(cases, size=30):
    items = list(cases.items())
    return [items[start : start + size] for start in range(0, len(items), size)]


GROUPS = {
    f"{kind} {number}": (kind, dict(group))
    for kind, (_, _, _, cases) in KINDS.items()
    for number, group in enumerate(_batched(cases))
}
# Public classes of which a model file holds no layer.
_ABSTRACT = {"AbstractRNNCell", "InputLayer", "InputSpec", "Lambda", "Layer", "Wrapper"}
# Layers that Keras 3 does not have, or not as they were; each is refused by a message that names it.
REFUSED = {
    "LocallyConnected1D": (lambda layers: layers.LocallyConnected1D(3, 2), (5, 4), "Keras 3 has no LocallyConnected1D"),
    "LocallyConnected2D": (
        lambda layers: layers.LocallyConnected2D(3, 2),
        (5, 4, 1),
        "Keras 3 has no LocallyConnected2D",
    ),
    "RandomFourierFeatures": (
        lambda layers: layers.experimental.RandomFourierFeatures(3),
        (6,),
        "Keras 3 has no RandomFourier",
    ),
    "LSTM": (lambda layers: layers.LSTM(3, time_major=True), (5, 4), "time_major=True"),
    "RNN": (lambda layers: layers.RNN(layers.GRUCell(3), time_major=True), (5, 4), "time_major=True"),
    "BatchNormalization": (lambda layers: layers.BatchNormalization(renorm=True), (6,), "renorm=True"),
    "BatchNormalization axes": (lambda layers: layers.BatchNormalization(axis=[1, 2]), (5, 4), "axis=\\[1, 2\\]"),
    "SeparableConv1D": (lambda layers: layers.SeparableConv1D(3, 2, padding="causal"), (5, 4), "padding='causal'"),
}
# What infinities give there was an accident: relu(x) - slope * relu(-x) has NaN for -Inf, Keras 3 has -Inf.
ONLY_FINITE = ("ReLU(all)",)
_ELSEWHERE = {
    "DenseFeatures": "needs feature columns, which tf-keras cannot save in these formats",
    "MultiHeadAttention": "test_graphs.py",
    "SpectralNormalization": "tf-keras 2.21 itself cannot build it",
    "StackedRNNCells": "in RNN(StackedRNNCells)",
    "GRUCell": "in RNN(GRUCell)",
    "LSTMCell": "in RNN(LSTMCell)",
    "SimpleRNNCell": "in RNN(SimpleRNNCell)",
    "RNN": "in RNN(LSTMCell)",
    "Bidirectional": "in Bidirectional(LSTM)",
    "TimeDistributed": "in TimeDistributed(Dense)",
    "HashedCrossing": "test_graphs.py",
}


@pytest.mark.parametrize("extension", FORMATS)
@pytest.mark.parametrize("group", GROUPS)
def test_layers_compute_what_they_computed(tmp_path, group, extension):
    kind, cases = GROUPS[group]
    shape, dtype, count, _ = KINDS[kind]
    tensors = [tf_keras.Input(shape, dtype=dtype) for _ in range(count)]
    given = tensors if count > 1 else tensors[0]
    outputs = {name: make()(given) for name, make in cases.items()}
    labels = [name for name, output in outputs.items() for _ in tf.nest.flatten(output)]
    model = with_random_weights(tf_keras.Model(given, list(outputs.values())))
    data = [inputs(shape, dtype, seed) for seed in range(count)]
    result = loaded(model, tmp_path, extension).model
    values = data if count > 1 else data[0]
    assert_same(result(values, training=False), model(values, training=False), labels, ONLY_FINITE)


@pytest.mark.parametrize("extension", FORMATS)
@pytest.mark.parametrize("case", REFUSED)
def test_what_keras_3_cannot_say_is_refused_by_name(tmp_path, case, extension):
    make, shape, words = REFUSED[case]
    x = tf_keras.Input(shape)
    model = tf_keras.Model(x, make(tf_keras.layers)(x))
    with pytest.raises(LoadError, match=words):
        loaded(model, tmp_path, extension)


def test_no_layer_of_tf_keras_is_missing():
    public = {name for name, thing in vars(tf_keras.layers).items() if inspect.isclass(thing)}
    covered = {case.partition("(")[0] for _, _, _, cases in KINDS.values() for case in cases}
    assert public - covered - _ABSTRACT - set(_ELSEWHERE) - set(REFUSED) == set()
    assert {name for name in names.GONE if hasattr(tf_keras.layers, name)} <= set(REFUSED) | set(_ELSEWHERE)
