"""Models of every dtype policy, quantized by Keras, with inputs of every dtype."""

from __future__ import annotations

import warnings

import keras
import numpy as np
import pytest
from keras import layers, ops

from exporter.verification.model_verification import ModelVerification
from exporter.verification.values import numpy_dtype
from tests.formats.onnx.lowerings.exported import export, model_of, normal

TOKENS = np.random.default_rng(0).integers(0, 9, (5, 6)).astype("int32")


def transformer(dtype=None, head_dtype=None):
    """Embedding, attention, einsum and dense layers: all that Keras quantizes."""
    x = keras.Input((6,), dtype="int32", name="tokens")
    embedding = layers.ReversibleEmbedding(9, 16, dtype=dtype)
    y = embedding(x)
    y = layers.LayerNormalization(dtype=dtype)(
        y + layers.MultiHeadAttention(2, 8, dtype=dtype)(y, y, use_causal_mask=True)
    )
    y = layers.EinsumDense("abc,cd->abd", (6, 12), activation="gelu", bias_axes="d", dtype=dtype)(y)
    logits = embedding(layers.Dense(16, dtype=dtype)(y), reverse=True)
    return keras.Model(x, layers.Activation("softmax", dtype=head_dtype or dtype)(logits))


@pytest.mark.parametrize("head", [None, "float32"])
@pytest.mark.parametrize("policy", ["float16", "bfloat16", "mixed_float16", "mixed_bfloat16", "float64"])
def test_policies(policy, head):
    exported = export(transformer(policy, head))
    exported.check(TOKENS)
    exported.check(TOKENS[:0])
    (found,) = exported.runner.outputs
    (wanted,) = exported.inference.outputs
    assert found.dtype == ("float32" if wanted.dtype == "bfloat16" else wanted.dtype)


@pytest.mark.parametrize("mode", ["int8", "int4", "float8"])
def test_models_quantized_by_keras(mode):
    model = transformer()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # Keras names the layers that it leaves as they are
        model.quantize(mode)
    exported = export(model)
    exported.check(TOKENS)
    exported.check(TOKENS[:0])


def test_narrow_inputs():
    for dtype, outer in (("float16", "float16"), ("bfloat16", "float32")):
        exported = export(model_of(lambda x: x * 3, ((None, 4), dtype)))
        exported.check(np.round(normal(2, 4), 1).astype(numpy_dtype(dtype)))
        assert [i.dtype for i in (*exported.runner.inputs, *exported.runner.outputs)] == [outer, outer]


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64"])
def test_whole_numbers_in_and_out(dtype):
    exported = export(model_of(lambda x: [ops.cast(x, "int32") * 2, x], ((None, 3), dtype)))
    low, high = (0, 1) if dtype == "bool" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    exported.check(np.array([[low, high, 0], [1, high, low]]).astype(dtype))


def test_bfloat16_is_proven_as_a_user_would():
    exported = export(transformer("mixed_bfloat16"))
    assert ModelVerification.of_model(exported.inference, "dynamic").check(exported.runner).ok
