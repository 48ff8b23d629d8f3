"""Layers: recurrent, attention, and the wrappers around them."""

from __future__ import annotations

from functools import partial

import keras
from keras import layers

from tests.conformance.cases.case import Case, booleans, floats, functional, integers, layer, model

SEQUENCE = floats(6, 4)
TOKENS = integers(6, high=5)
CELLS = (layers.SimpleRNNCell, layers.GRUCell, layers.LSTMCell)


def masked(x, **arguments):
    """Return the embedded tokens with the mask of those that are zero."""
    return layers.Embedding(5, 4, mask_zero=True, **arguments)(x)


def recurrent(cls: type) -> list[Case]:
    """Return the cases that all recurrent layers share."""
    name = f"layers.{cls.__name__}"
    states = 2 if cls is layers.LSTM else 1

    def with_states(x, *states):
        return cls(3)(x, initial_state=list(states))

    return [
        layer(cls, SEQUENCE, units=3),
        layer(cls, SEQUENCE, units=3, return_sequences=True),
        layer(cls, SEQUENCE, units=3, return_state=True),
        layer(cls, SEQUENCE, units=3, return_sequences=True, return_state=True),
        layer(cls, SEQUENCE, units=3, go_backwards=True),
        layer(cls, SEQUENCE, units=3, go_backwards=True, return_sequences=True),
        layer(cls, SEQUENCE, units=3, unroll=True),
        layer(cls, SEQUENCE, units=3, use_bias=False),
        layer(cls, SEQUENCE, units=3, activation="relu"),
        layer(cls, SEQUENCE, units=3, dropout=0.5, recurrent_dropout=0.5),
        layer(cls, floats(None, 4), label="dynamic", units=3, return_sequences=True),
        model(f"{name}[masked]", TOKENS, call=lambda x: cls(3)(masked(x))),
        model(f"{name}[masked,sequences]", TOKENS, call=lambda x: cls(3, return_sequences=True)(masked(x))),
        model(
            f"{name}[masked,zero_output]",
            TOKENS,
            call=lambda x: cls(3, return_sequences=True, zero_output_for_mask=True)(masked(x)),
        ),
        model(f"{name}[initial_state]", SEQUENCE, *[floats(3)] * states, call=with_states),
        model(f"{name}[stacked]", SEQUENCE, call=lambda x: cls(3)(cls(3, return_sequences=True)(x))),
        *bidirectional(cls),
    ]


def bidirectional(cls: type) -> list[Case]:
    """Return the cases of Bidirectional around a recurrent layer."""
    inner = partial(cls, 3)
    both = partial(layer, layers.Bidirectional, SEQUENCE, layer=inner)
    return [
        both(),
        both(merge_mode="sum"),
        both(merge_mode="ave"),
        both(merge_mode="mul"),
        layer(
            layers.Bidirectional, SEQUENCE, layer=partial(cls, 3, return_sequences=True), label=f"{cls.__name__},seq"
        ),
        layer(layers.Bidirectional, SEQUENCE, layer=partial(cls, 3, return_state=True), label=f"{cls.__name__},state"),
        layer(layers.Bidirectional, SEQUENCE, layer=inner, merge_mode=None, label=f"{cls.__name__},apart"),
        model(
            f"layers.Bidirectional[{cls.__name__},masked]",
            TOKENS,
            call=lambda x: layers.Bidirectional(cls(3, return_sequences=True))(masked(x)),
        ),
    ]


@keras.saving.register_keras_serializable("conformance")
class MinimalCell(layers.Layer):
    """A recurrent cell as a user writes it: h' = tanh(x K + h R)."""

    state_size = 3
    output_size = 3

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], 3), name="kernel")
        self.recurrent = self.add_weight(shape=(3, 3), name="recurrent")

    def call(self, inputs, states, training=False):
        h = keras.ops.tanh(inputs @ self.kernel + states[0] @ self.recurrent)
        return h, [h]


def cell(cls: type) -> Case:
    """Return the case of one step of a cell."""

    def call(x, *states):
        output, after = cls(3)(x, list(states))
        return [output, *after]

    states = 2 if cls is layers.LSTMCell else 1
    return model(f"layers.{cls.__name__}", floats(4), *[floats(3)] * states, call=call, covers=[cls])


def stacked_cells() -> layers.Layer:
    """Return two cells of different kinds, one upon the other."""
    return layers.StackedRNNCells([layers.GRUCell(3), layers.LSTMCell(2)])


def conv_lstm(rank: int) -> list[Case]:
    """Return the cases of ConvLSTM in one, two or three dimensions."""
    cls = getattr(layers, f"ConvLSTM{rank}D")
    spec = floats(3, *(5,) * rank, 2)
    return [
        layer(cls, spec, filters=2, kernel_size=3),
        layer(cls, spec, filters=2, kernel_size=3, padding="same", return_sequences=True),
        layer(cls, spec, filters=2, kernel_size=3, go_backwards=True),
    ]


RECURRENT = [
    *[case for cls in (layers.SimpleRNN, layers.GRU, layers.LSTM) for case in recurrent(cls)],
    layer(layers.GRU, SEQUENCE, units=3, reset_after=False),
    layer(layers.LSTM, SEQUENCE, units=3, unit_forget_bias=False, recurrent_activation="hard_sigmoid"),
    *[cell(cls) for cls in CELLS],
    *[layer(layers.RNN, SEQUENCE, cell=partial(cls, 3)) for cls in CELLS],
    layer(layers.RNN, SEQUENCE, cell=partial(MinimalCell), return_sequences=True),
    layer(layers.RNN, SEQUENCE, covers=[layers.StackedRNNCells], cell=partial(stacked_cells)),
    *[case for rank in (1, 2, 3) for case in conv_lstm(rank)],
    layer(layers.TimeDistributed, SEQUENCE, layer=partial(layers.Dense, 3)),
    layer(layers.TimeDistributed, floats(3, 6, 6, 2), layer=partial(layers.Conv2D, 3, 3)),
    layer(layers.TimeDistributed, floats(None, 6, 6, 2), label="dynamic", layer=partial(layers.Conv2D, 3, 3)),
]


def attention_with(cls: type, label: str, *specs, call, **arguments) -> Case:
    """Return a case where the layer is called by `call(layer, *inputs)`."""
    return Case(
        f"layers.{cls.__name__}[{label}]",
        (cls,),
        lambda: functional(specs, lambda *xs: call(cls(**arguments), *xs)),
        specs,
    )


HEADS = {"num_heads": 2, "key_dim": 3}
GROUPED = {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2}
KEYS = floats(5, 4)

ATTENTION = [
    layer(layers.Attention, SEQUENCE, KEYS),
    layer(layers.Attention, SEQUENCE, KEYS, use_scale=True),
    layer(layers.Attention, SEQUENCE, KEYS, score_mode="concat"),
    layer(layers.AdditiveAttention, SEQUENCE, KEYS),
    attention_with(layers.Attention, "causal", SEQUENCE, call=lambda a, x: a([x, x], use_causal_mask=True)),
    attention_with(
        layers.Attention,
        "mask",
        SEQUENCE,
        KEYS,
        booleans(6),
        booleans(5),
        call=lambda a, q, v, mq, mv: a([q, v], mask=[mq, mv], return_attention_scores=True),
    ),
    *[
        case
        for cls, arguments in ((layers.MultiHeadAttention, HEADS), (layers.GroupQueryAttention, GROUPED))
        for case in (
            attention_with(cls, "self", SEQUENCE, call=lambda a, x: a(x, x), **arguments),
            attention_with(cls, "cross", SEQUENCE, KEYS, call=lambda a, q, v: a(q, v), **arguments),
            attention_with(cls, "causal", SEQUENCE, call=lambda a, x: a(x, x, use_causal_mask=True), **arguments),
            attention_with(
                cls, "dynamic causal", floats(None, 4), call=lambda a, x: a(x, x, use_causal_mask=True), **arguments
            ),
            attention_with(
                cls, "mask", SEQUENCE, booleans(6, 6), call=lambda a, x, m: a(x, x, attention_mask=m), **arguments
            ),
            attention_with(
                cls, "scores", SEQUENCE, call=lambda a, x: a(x, x, return_attention_scores=True), **arguments
            ),
            attention_with(cls, "no bias", SEQUENCE, call=lambda a, x: a(x, x), use_bias=False, **arguments),
            attention_with(cls, "tokens", TOKENS, call=lambda a, x: a(masked(x), masked(x)), **arguments),
        )
    ],
    attention_with(
        layers.MultiHeadAttention,
        "axes",
        floats(3, 5, 4),
        call=lambda a, x: a(x, x),
        num_heads=2,
        key_dim=3,
        attention_axes=(1, 2),
    ),
    attention_with(layers.GroupQueryAttention, "gate", SEQUENCE, call=lambda a, x: a(x, x), use_gate=True, **GROUPED),
    attention_with(
        layers.GroupQueryAttention, "window", SEQUENCE, call=lambda a, x: a(x, x), sliding_window=2, **GROUPED
    ),
]

CASES = [*RECURRENT, *ATTENTION]
