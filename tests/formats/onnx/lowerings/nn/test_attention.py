"""Attention: few nodes, on masks, causal, with grouped heads."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from tests.formats.onnx.lowerings.exported import export, model_of, normal
from tests.formats.onnx.lowerings.weights import randomized

MASK = np.array([[1, 1, 1, 0, 0], [0, 1, 0, 1, 1], [0, 0, 0, 0, 0]], bool)


def multi_head(**options) -> layers.Layer:
    return layers.MultiHeadAttention(num_heads=2, key_dim=4, **options)


def grouped(**options) -> layers.Layer:
    return layers.GroupQueryAttention(head_dim=4, num_query_heads=4, num_key_value_heads=2, **options)


def self_attention(layer: layers.Layer, time: int | None = 5, **call) -> keras.Model:
    x = keras.Input((time, 6))
    return randomized(keras.Model(x, layer(x, x, **call)))


@pytest.mark.parametrize("make", [multi_head, grouped])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"use_causal_mask": True},
        {"return_attention_scores": True},
        {"return_attention_scores": True, "use_causal_mask": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("time", [5, None])
def test_self_attention(make, options, time):
    exported = export(self_attention(make(), time, **options))
    exported.check(normal(3, 5, 6))
    exported.check(normal(0, 5, 6))
    assert "Einsum" not in exported.ops


@pytest.mark.parametrize("make", [multi_head, grouped])
def test_masks_of_any_kind(make):
    x, v = keras.Input((5, 6)), keras.Input((5, 6))
    query, value, pairs = (
        keras.Input((5,), dtype="bool"),
        keras.Input((5,), dtype="bool"),
        keras.Input((5, 5), dtype="bool"),
    )
    y = make()(x, v, query_mask=query, value_mask=value, attention_mask=pairs, use_causal_mask=True)
    exported = export(randomized(keras.Model([x, v, query, value, pairs], y)))
    pairs_given = np.random.default_rng(1).integers(0, 2, (3, 5, 5)).astype(bool)
    exported.check(normal(3, 5, 6), normal(3, 5, 6, seed=1), MASK, MASK[::-1], pairs_given)


@pytest.mark.parametrize("make", [multi_head, grouped])
@pytest.mark.parametrize("options", [{"use_bias": False}, {"use_gate": True}, {"dropout": 0.3}], ids=str)
def test_configurations(make, options):
    if make is multi_head and "use_gate" in options:
        options = {**options, "value_dim": 3, "output_shape": 7}
    export(self_attention(make(**options))).check(normal(3, 5, 6))


def test_number_of_nodes():
    ops_in_file = export(self_attention(multi_head())).ops
    expected = {"MatMul": 6, "Add": 4, "Reshape": 4, "Transpose": 4, "Mul": 1, "Softmax": 1}
    assert dict(ops_in_file) == expected


def test_attention_over_several_axes():
    x = keras.Input((3, 5, 6))
    exported = export(randomized(keras.Model(x, multi_head(attention_axes=(1, 2))(x, x))))
    exported.check(normal(2, 3, 5, 6))


@pytest.mark.parametrize(
    "layer", [layers.Attention(use_scale=True), layers.Attention(score_mode="concat"), layers.AdditiveAttention()]
)
def test_single_head_layers(layer):
    q, v = keras.Input((4, 6)), keras.Input((5, 6))
    q_mask, v_mask = keras.Input((4,), dtype="bool"), keras.Input((5,), dtype="bool")
    y = layer([q, v], mask=[q_mask, v_mask], return_attention_scores=True, use_causal_mask=True)
    exported = export(randomized(keras.Model([q, v, q_mask, v_mask], y)))
    exported.check(normal(3, 4, 6), normal(3, 5, 6, seed=1), MASK[:, :4], MASK)


def test_function_with_bias_and_scale():
    def call(q, k, v, bias):
        return ops.dot_product_attention(q, k, v, bias=bias, scale=0.3, is_causal=True)

    shapes = [(None, 4, 6, 3), (None, 5, 6, 3), (None, 5, 6, 2), (None, 6, 4, 5)]
    exported = export(model_of(call, *[(shape, "float32") for shape in shapes]))
    exported.check(*[normal(2, *shape[1:], seed=n) for n, shape in enumerate(shapes)])


def test_function_with_grouped_heads():
    shapes = [(None, None, 6, 3), (None, None, 2, 3), (None, None, 2, 3)]
    exported = export(model_of(ops.dot_product_attention, *[(shape, "float32") for shape in shapes]))
    exported.check(normal(2, 4, 6, 3), normal(2, 5, 2, 3, seed=1), normal(2, 5, 2, 3, seed=2))


@pytest.mark.parametrize("special", [np.nan, np.inf, 1e30])
def test_specials(special):
    exported = export(self_attention(multi_head()))
    x = normal(3, 5, 6)
    x[1, 2, 3] = special
    exported.check(x)


def test_sources_more_than_a_constant_mask_should_hold():
    exported = export(self_attention(multi_head(), 300, use_causal_mask=True))
    exported.check(normal(1, 300, 6))
    assert exported.ops["Range"] == 1


@pytest.mark.parametrize("dtype", ["float64", "mixed_float16"])
def test_other_precisions(dtype):
    x = keras.Input((5, 6), dtype="float64")
    model = keras.Model(x, multi_head(dtype=dtype)(x, x, use_causal_mask=True))
    export(model).check(normal(2, 5, 6).astype("float64"))
