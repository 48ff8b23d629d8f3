"""Every opset that may be asked for: models of layers whose form depends on it load, are right, and hold no newer op."""

from __future__ import annotations

import keras
import onnx
import pytest
from keras import layers, ops

from exporter.formats.onnx.inspect import RUNTIMES
from exporter.formats.onnx.opset import NEWEST, OLDEST
from tests.formats.onnx.lowerings.exported import export, normal

OPSETS = range(OLDEST, NEWEST + 1)


def transformer():
    x = keras.Input((5, 8))
    y = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 4)(x, x, use_causal_mask=True))
    y = layers.RMSNormalization()(y + layers.Dense(8, activation="gelu")(y))
    return keras.Model(x, layers.GroupQueryAttention(4, 4, 2)(y, y))


def images():
    x = keras.Input((8, 8, 4))
    y = layers.Conv2D(4, 3, padding="same", activation="hard_swish")(x)
    y = layers.GroupNormalization(2)(y)
    y = layers.UpSampling2D(2, interpolation="bilinear")(y)
    y = layers.Resizing(6, 6)(layers.Activation("mish")(y))
    y = layers.AveragePooling2D(2)(layers.Conv2DTranspose(3, 2, strides=2)(y))
    return keras.Model(x, layers.Dense(2, activation="softmax")(layers.Flatten()(y)))


def sequences():
    x = keras.Input((5, 4))
    y = layers.Bidirectional(layers.GRU(3, return_sequences=True))(x)
    y = layers.LSTM(3, return_sequences=True)(y)
    return keras.Model(x, [ops.triu(ops.matmul(y, ops.transpose(y, (0, 2, 1)))), ops.cumsum(y, axis=1)])


def numbers():
    x = keras.Input((4, 6))
    parts = [ops.logsumexp(x, axis=1), ops.max(x, axis=-1), ops.prod(x, axis=1), ops.erf(x), ops.elu(x), ops.celu(x)]
    return keras.Model(x, [*parts, ops.top_k(x, 2)[0], ops.where(ops.isfinite(x), x, 0.0), ops.floor_divide(x, 2.0)])


MODELS = {"transformer": (transformer, (5, 8)), "images": (images, (8, 8, 4)), "sequences": (sequences, (5, 4))}
MODELS |= {"numbers": (numbers, (4, 6))}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    "opset", [pytest.param(o, marks=() if o in (OPSETS[0], OPSETS[-1]) else pytest.mark.long) for o in OPSETS]
)
def test_every_opset(name, opset):
    build, shape = MODELS[name]
    exported = export(build(), opset=opset)
    exported.check(normal(2, *shape))
    exported.check(normal(0, *shape))
    facts = exported.inspection.facts
    assert facts["opset"] == opset
    assert facts["ir_version"] == onnx.helper.find_min_ir_version_for([onnx.helper.make_opsetid("", opset)])
    for kind in exported.ops:
        assert onnx.defs.has(kind, max_inclusive_version=opset), kind


def test_the_first_runtime_of_every_opset_is_known():
    assert set(RUNTIMES) >= {n for n in OPSETS if n <= max(RUNTIMES)}
    assert list(RUNTIMES) == sorted(RUNTIMES)


def test_the_lowest_opset_is_taken_that_holds_the_best_forms():
    assert {name: export(build()).inspection.facts["opset"] for name, (build, _) in MODELS.items()} == {
        "transformer": 23,
        "images": 18,
        "sequences": 15,
        "numbers": 13,
    }
    assert export(transformer()).ops["LayerNormalization"] == 1
    assert "LayerNormalization" not in export(transformer(), opset=16).ops
