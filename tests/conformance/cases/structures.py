"""Models rather than layers: inputs and outputs in dicts and lists, sharing, nesting, subclassing, policies, dtypes."""

from __future__ import annotations

import keras
from keras import layers, ops

from tests.conformance.cases.case import Case, booleans, floats, integers, model, strings

X = floats(4)


def dense(units: int = 3, **arguments) -> layers.Dense:
    """Return a Dense layer."""
    return layers.Dense(units, **arguments)


def dict_in_dict_out() -> keras.Model:
    """Keys that sort otherwise than they were given."""
    b, a = keras.Input((4,), name="b"), keras.Input((2,), name="a")
    return keras.Model({"b": b, "a": a}, {"z": dense()(b), "y": dense()(a)})


def nested_outputs() -> keras.Model:
    """A dict with a list in it."""
    x = keras.Input((4,), name="x")
    return keras.Model(x, {"heads": [dense()(x), dense(2)(x)], "sum": ops.sum(x, axis=-1)})


def four_heads() -> keras.Model:
    """Four outputs, which converters like to scramble."""
    x = keras.Input((4,), name="x")
    hidden = dense(5, activation="relu")(x)
    return keras.Model(x, [dense(n, name=f"head_{n}")(hidden) for n in (4, 1, 3, 2)])


def spaced_names() -> keras.Model:
    """Names that are no identifiers."""
    a, b = keras.Input((4,), name="first input"), keras.Input((4,), name="Zweite Eingabe ü")
    return keras.Model([a, b], {"out put": a + b, "b/c": a - b})


def shared_layer() -> keras.Model:
    """One layer called twice."""
    a, b = keras.Input((4,)), keras.Input((4,))
    layer = dense()
    return keras.Model([a, b], layer(a) - layer(b))


def nested_models() -> keras.Model:
    """A Sequential and a Functional model inside a Functional one."""
    inner = keras.Sequential([dense(5, activation="relu"), dense(4)], name="inner")
    x = keras.Input((4,))
    wrapped = keras.Input((4,))
    return keras.Model(x, keras.Model(wrapped, dense()(wrapped), name="wrapped")(inner(x)))


@keras.saving.register_keras_serializable("conformance")
class Residual(keras.Model):
    """A subclassed model."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner, self.outer = dense(8, activation="gelu"), dense(4)

    def call(self, x):
        return x + self.outer(self.inner(x))


def subclassed() -> keras.Model:
    """A subclassed model, built by a call."""
    result = Residual()
    result(keras.ops.zeros((2, 4)))
    return result


def sequential() -> keras.Model:
    """A Sequential model with an Input."""
    return keras.Sequential([keras.Input((4,)), dense(5, activation="relu"), dense(2)])


def deferred() -> keras.Model:
    """A Sequential model built by its first batch."""
    result = keras.Sequential([dense(5), dense(2)])
    result.build((3, 4))
    return result


def fixed_batch() -> keras.Model:
    """A model whose batch is fixed."""
    x = keras.Input(batch_shape=(2, 4))
    return keras.Model(x, dense()(x))


def stateful() -> keras.Model:
    """A stateful recurrent model: its state must not leak from call to call."""
    x = keras.Input(batch_shape=(2, 5, 4))
    return keras.Model(x, layers.LSTM(3, stateful=True)(x))


def frozen_backbone() -> keras.Model:
    """Layers that are not trained."""
    result = sequential()
    result.layers[0].trainable = False
    return result


def under(policy: str) -> Case:
    """Return the case of a convolutional network under a dtype policy."""

    def build() -> keras.Model:
        x = keras.Input((8, 8, 3))
        y = layers.Conv2D(4, 3, activation="relu", dtype=policy)(x)
        y = layers.BatchNormalization(dtype=policy)(y)
        y = layers.GlobalAveragePooling2D(dtype=policy)(y)
        return keras.Model(x, layers.Dense(3, dtype=policy, activation="softmax")(y))

    return Case(f"structures.policy[{policy}]", (), build, (floats(8, 8, 3),))


def shared_name() -> keras.Model:
    """An input and another tensor, returned under the name of the input."""
    x = keras.Input((4,), name="x")
    return keras.Model({"x": x}, {"x": x * 2})


def quantized(mode: str) -> Case:
    """Return the case of a model of tokens whose weights Keras has quantized."""

    def build() -> keras.Model:
        result = keras.Sequential([keras.Input((6,), dtype="int32"), layers.Embedding(7, 8), dense(8), dense(3)])
        for layer in result.layers[1:] if mode == "float8" else result.layers:  # no float8 for an Embedding
            layer.quantize(mode)
        return result

    return one(f"quantized[{mode}]", build, integers(6, high=7))


def transformer(x):
    """One block over tokens."""
    tokens = layers.Embedding(7, 8, mask_zero=True)(x)
    attended = layers.LayerNormalization()(tokens + layers.MultiHeadAttention(2, 4)(tokens, tokens))
    return layers.LayerNormalization()(attended + dense(8)(dense(16, activation="gelu")(attended)))


def unet(x):
    """Down, up, and a skip."""
    down = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    low = layers.Conv2D(8, 3, padding="same", activation="relu")(layers.MaxPooling2D()(down))
    up = layers.Conv2DTranspose(4, 2, strides=2, padding="same")(low)
    return layers.Conv2D(1, 1, activation="sigmoid")(layers.Concatenate()([down, up]))


def one(name: str, build, *specs, batch: int | None = None) -> Case:
    """Return the case of a whole model."""
    return Case(f"structures.{name}", (), build, specs, batch)


CASES = [
    one("dict_in_dict_out", dict_in_dict_out, floats(2), floats(4)),
    one("nested_outputs", nested_outputs, X),
    one("four_heads", four_heads, X),
    one("spaced_names", spaced_names, X, X),
    one("shared_layer", shared_layer, X, X),
    one("nested_models", nested_models, X),
    one("subclassed", subclassed, X),
    one("sequential", sequential, X),
    one("deferred", deferred, X),
    one("fixed_batch", fixed_batch, X, batch=2),
    one("stateful", stateful, floats(5, 4), batch=2),
    one("frozen_backbone", frozen_backbone, X),
    *[under(p) for p in ("mixed_float16", "mixed_bfloat16", "float16", "bfloat16", "float64")],
    *[quantized(mode) for mode in ("int8", "int4", "float8")],
    one("input_and_output_of_one_name", shared_name, X),
    model("structures.output_is_input", X, call=lambda x: [x, x + 1]),
    model("structures.output_twice", X, call=lambda x: [x * 2] * 2),
    model("structures.constant_output", X, call=lambda x: [x, ops.ones((2, 3)) + 0 * ops.sum(x)]),
    model("structures.scalar_output", X, call=ops.sum),
    model("structures.scalar_input", floats(), call=lambda x: x * 2),
    model("structures.unused_input", X, floats(2), call=lambda a, b: [a * 2, b]),
    model("structures.integers", integers(4, dtype="int64"), call=lambda x: x * 2),
    model("structures.booleans", booleans(4), call=ops.logical_not),
    model("structures.bytes", integers(4, high=256, dtype="uint8"), call=lambda x: ops.cast(x, "float32") / 255),
    model("structures.strings", strings(2), call=layers.StringLookup(vocabulary=["w1", "w2"])),
    model("structures.half_input", floats(4), call=lambda x: ops.cast(ops.cast(x, "float16") * 2, "float16")),
    model("structures.transformer", integers(6, high=7), call=transformer),
    model("structures.transformer[dynamic]", integers(None, high=7), call=transformer),
    model("structures.unet", floats(8, 8, 3), call=unet),
    model("structures.unet[dynamic]", floats(None, None, 3), call=unet),
    model("structures.three_dynamic", floats(None, None, 3), call=lambda x: ops.mean(x, axis=(1, 2))),
]
