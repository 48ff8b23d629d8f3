"""What an input takes is read from the layers behind it, also through casts, shapes and other layers."""

from __future__ import annotations

import keras
import pytest
from keras import layers, ops

from exporter.capture.inference import Inference
from exporter.verification.domains import domains


def domain_of(model):
    (found,) = domains(Inference(model)).values()
    return found


@pytest.mark.parametrize("dtype", ["int32", "uint8", "float32"])
def test_an_embedding_limits_its_input(dtype):
    x = keras.Input((4,), dtype=dtype)
    assert domain_of(keras.Model(x, layers.Embedding(9, 2)(x))).limit == 9


def test_the_limit_is_found_behind_other_layers():
    x = keras.Input((4,), dtype="int32")
    y = layers.Embedding(9, 2)(
        ops.concatenate([layers.Reshape((2, 2))(x), ops.zeros((1, 2, 2), "int32")], axis=0)[:-1, :]
    )
    assert domain_of(keras.Model(x, y)).limit == 9


def test_one_hot_has_a_limit():
    x = keras.Input((4,), dtype="int32")
    assert domain_of(keras.Model(x, ops.one_hot(x, 6))).limit == 6


def test_positions_gathered_from_the_input_itself_set_no_limit():
    x = keras.Input((4,))
    assert domain_of(keras.Model(x, ops.take(x, [0, 2], axis=1))).limit is None


def test_plain_inputs_have_no_domain():
    x = keras.Input((4,))
    found = domain_of(keras.Model(x, layers.Dense(2)(x)))
    assert (found.limit, found.vocabulary, found.closed, found.phrases) == (None, (), False, False)


def test_vocabularies_leave_out_their_special_words():
    x = keras.Input((1,), dtype="string")
    model = keras.Model(x, layers.StringLookup(vocabulary=["a", "b"], mask_token="", oov_token="[?]")(x))
    assert domain_of(model).vocabulary == ("a", "b")


def test_texts_are_phrases():
    x = keras.Input((1,), dtype="string")
    found = domain_of(keras.Model(x, layers.TextVectorization(vocabulary=["a", "b"])(x)))
    assert found.phrases
    assert found.vocabulary == ("a", "b")


def test_integer_vocabularies_are_integers():
    x = keras.Input((1,), dtype="int64")
    assert domain_of(keras.Model(x, layers.IntegerLookup(vocabulary=[10, 20])(x))).vocabulary == (10, 20)
