"""The rewritten graph computes what a float64 model computes, for layers of every kind, and names what it cannot widen."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from exporter.capture.inference import Inference
from exporter.tfgraph.precision import DOUBLE, SINGLE, Widened

# A float64 clone holds epsilon=1e-3 and the like as doubles; the graph of the float32 model holds their float32 values.
EXACT = 1e-12
ROUNDED_CONSTANTS = 1e-7

EPSILON = 2.0**-10  # the same in both precisions


def in_double(model, *arrays):
    """Run the float32 model's graph, rewritten, on flat inputs."""
    widened = Widened(Inference(model).concrete(), DOUBLE)
    return [t.numpy() for t in widened.compile()(*map(tf.constant, arrays))], widened


def float64_clone(build, model):
    """Build the same model under the float64 policy, with the same weights."""
    keras.config.set_dtype_policy("float64")
    keras.config.set_floatx("float64")
    try:
        clone = build()
    finally:
        keras.config.set_dtype_policy("float32")
        keras.config.set_floatx("float32")
    clone.set_weights(model.get_weights())
    return clone


def seeded(model, seed=0):
    """Give every weight a value that matters, biases and moving variances too."""
    rng = np.random.default_rng(seed)
    for v in model.weights:
        if "seed" not in v.path:
            v.assign(rng.uniform(0.5, 1.5, v.shape) if "variance" in v.path else rng.normal(0, 0.4, v.shape))
    return model


def inputs(*shape):
    return np.random.default_rng(1).normal(size=shape).astype("float32")


def image(*stack):
    return keras.Sequential([keras.Input((12, 12, 3)), *stack])


def sequence(*stack):
    return keras.Sequential([keras.Input((None, 5)), *stack])


def attention():
    x = keras.Input((6, 8))
    y = layers.MultiHeadAttention(2, 4)(x, x, use_causal_mask=True)
    return keras.Model(x, layers.LayerNormalization(epsilon=EPSILON)(x + y))


EXACT_MODELS = {
    "convolutions": (
        lambda: image(
            layers.Conv2D(8, 3, strides=2, padding="same", activation="silu"),
            layers.DepthwiseConv2D(3, activation="relu6"),
            layers.SeparableConv2D(4, 2),
            layers.Conv2DTranspose(3, 3),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dense(5, activation="softmax"),
        ),
        (3, 12, 12, 3),
    ),
    "batch normalization": (lambda: image(layers.BatchNormalization(epsilon=EPSILON)), (3, 12, 12, 3)),
    "group normalization": (lambda: image(layers.GroupNormalization(3, epsilon=EPSILON)), (3, 12, 12, 3)),
    "upsampling": (lambda: image(layers.UpSampling2D(2)), (2, 12, 12, 3)),
    "lstm": (lambda: sequence(layers.Masking(), layers.LSTM(7, return_sequences=True)), (3, 6, 5)),
    "bidirectional gru": (lambda: sequence(layers.Bidirectional(layers.GRU(4))), (3, 6, 5)),
    "time distributed": (
        lambda: keras.Sequential([keras.Input((6, 5)), layers.TimeDistributed(layers.Dense(3, activation="tanh"))]),
        (3, 6, 5),
    ),
    "attention": (attention, (2, 6, 8)),
    "gelu": (lambda: sequence(layers.Activation("gelu")), (3, 6, 5)),
}


@pytest.mark.parametrize("name", EXACT_MODELS)
def test_it_agrees_with_a_float64_clone(name):
    build, shape = EXACT_MODELS[name]
    model, x = seeded(build()), inputs(*shape)
    expected = float64_clone(build, model)(x.astype("float64")).numpy()

    (actual,), widened = in_double(model, x)

    tolerance = ROUNDED_CONSTANTS if name == "gelu" else EXACT  # gelu holds sqrt(1/2)
    assert actual.dtype == np.float64
    assert np.max(np.abs(actual - expected)) <= tolerance * np.max(np.abs(expected))
    assert widened.narrow == ()


def test_a_whole_application_agrees_with_its_float64_clone():
    def build():
        return keras.applications.MobileNetV3Small(input_shape=(64, 64, 3), weights=None, classes=20)

    keras.utils.set_random_seed(0)
    model, x = build(), np.random.default_rng(0).uniform(0, 255, (2, 64, 64, 3)).astype("float32")
    expected = float64_clone(build, model)(x.astype("float64")).numpy()

    (actual,), _ = in_double(model, x)

    assert np.max(np.abs(actual - expected)) <= ROUNDED_CONSTANTS * np.max(np.abs(expected))


def test_mixed_float16_is_computed_as_if_nothing_were_rounded():
    def build():
        return keras.Sequential([keras.Input((6, 5)), layers.LSTM(8), layers.Dense(3, activation="tanh")])

    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = seeded(build())
    finally:
        keras.config.set_dtype_policy("float32")
    x = inputs(4, 6, 5)
    expected = float64_clone(build, model)(x.astype("float64")).numpy()

    (actual,), _ = in_double(model, x)

    assert np.max(np.abs(actual - expected)) <= EXACT * np.max(np.abs(expected))
    assert np.max(np.abs(model(x).numpy() - expected)) > 1e-5  # float16 does round


class Stubborn(layers.Layer):
    """Casts by hand and ignores the policy, as users' layers do."""

    def build(self, shape):
        self.w = self.add_weight(shape=(shape[-1],), dtype="float32", initializer="random_normal")

    def call(self, x):
        return tf.cast(tf.sin(tf.cast(x, tf.float32)), tf.float32) * tf.constant(3.0) + self.w


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.stubborn = Stubborn()

    def call(self, x):
        return tf.cond(tf.reduce_sum(x) > 0, lambda: self.stubborn(x), lambda: -self.stubborn(x))


@pytest.mark.parametrize("sign", [1, -1])
def test_a_subclassed_model_with_casts_and_branches_has_a_float64_graph(sign):
    model, x = Subclassed(), sign * np.abs(inputs(3, 4))
    model(x)
    weight = model.stubborn.w.numpy().astype("float64")

    (actual,), _ = in_double(model, x)

    assert np.max(np.abs(actual - sign * (3 * np.sin(x.astype("float64")) + weight))) < EXACT


def test_ops_without_a_double_kernel_run_in_their_own_precision_and_are_named():
    class Contrast(layers.Layer):
        def call(self, x):
            return tf.image.adjust_contrast(ops.sin(x), 1.5)

    x = inputs(2, 4, 4, 3)
    model = keras.Sequential([keras.Input((4, 4, 3)), Contrast()])

    (actual,), widened = in_double(model, x)

    assert widened.narrow == ("AdjustContrastv2",)
    assert actual.dtype == np.float64
    np.testing.assert_allclose(actual, model(x).numpy(), atol=1e-5)


def test_integers_bits_and_text_keep_their_meaning():
    class Kept(layers.Layer):
        def call(self, x):
            return {
                "bits": tf.bitcast(x, tf.int32),
                "text": tf.strings.as_string(x),
                "range": tf.range(0.0, 1.0, 0.1),
                "index": ops.argmax(x, axis=-1),
            }

    x = inputs(2, 3)
    model = keras.Model(i := keras.Input((3,)), Kept()(i))
    expected = [t.numpy() for t in Inference(model).concrete()(tf.constant(x))]

    actual, _ = in_double(model, x)

    for got, want in zip(actual, expected, strict=True):
        assert got.shape == want.shape
        assert got.dtype == (np.float64 if want.dtype == np.float32 else want.dtype)
        np.testing.assert_array_equal(got, want)


def test_lookups_and_state_go_on_working():
    model = keras.Sequential(
        [keras.Input((2,), dtype="string"), layers.StringLookup(vocabulary=["a", "b"]), layers.Embedding(3, 4)]
    )

    (actual,), _ = in_double(model, np.array([["a", "x"], ["b", "b"]], dtype=object))

    table = model.layers[-1].get_weights()[0]
    np.testing.assert_array_equal(actual, table[[[1, 0], [2, 2]]].astype("float64"))


def test_variables_are_shared_not_copied():
    model = seeded(keras.Sequential([keras.Input((3,)), layers.Dense(2)]))
    function = Widened(Inference(model).concrete(), DOUBLE).compile()
    x = inputs(2, 3)
    before = function(tf.constant(x))[0].numpy()

    model.layers[-1].bias.assign_add([1.0, 2.0])

    np.testing.assert_allclose(function(tf.constant(x))[0].numpy() - before, [[1, 2], [1, 2]], atol=1e-6)


def test_complex_numbers_are_widened_too():
    class Spectrum(layers.Layer):
        def call(self, x):
            return tf.abs(tf.signal.rfft(x))

    x = inputs(2, 16)
    model = keras.Sequential([keras.Input((16,)), Spectrum()])

    (actual,), _ = in_double(model, x)

    np.testing.assert_allclose(actual, np.abs(np.fft.rfft(x.astype("float64"))), rtol=EXACT, atol=EXACT)


def test_mixed_float16_becomes_a_float32_graph_without_any_half():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = seeded(keras.Sequential([keras.Input((6, 5)), layers.LSTM(8), layers.Dense(3)]))
    finally:
        keras.config.set_dtype_policy("float32")
    inference, x = Inference(model), inputs(4, 6, 5)
    widened = Widened(inference.concrete(), SINGLE)

    function = inference.trace(widened, inference.inputs)

    assert "DT_HALF" not in str(function.graph.as_graph_def())
    (actual,) = function(tf.constant(x))
    assert actual.dtype == tf.float32
    assert np.max(np.abs(actual.numpy() - model(x).numpy().astype("float32"))) < 5e-3  # float16 keeps three digits


def test_the_single_precision_graph_freezes_with_its_weights():
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = seeded(keras.Sequential([keras.Input((6, 5)), layers.GRU(8)]))
    finally:
        keras.config.set_dtype_policy("float32")
    inference, x = Inference(model), inputs(4, 6, 5)
    function = inference.trace(Widened(inference.concrete(), SINGLE), inference.inputs)

    frozen = convert_variables_to_constants_v2(function, lower_control_flow=False)

    assert not frozen.variables
    np.testing.assert_array_equal(frozen(tf.constant(x))[0].numpy(), function(tf.constant(x))[0].numpy())


def test_a_loop_of_tensorflow_1_is_refused():
    """Old SavedModels hold such graphs: an op there stands before its input."""
    tf.compat.v1.disable_control_flow_v2()
    try:
        with tf.Graph().as_default() as graph:
            x = tf.compat.v1.placeholder(tf.float32, [], name="x")
            tf.identity(tf.compat.v1.while_loop(lambda i: i < 3, lambda i: i + 1, [x]), name="y")
    finally:
        tf.compat.v1.enable_control_flow_v2()

    def imported(x):
        return tf.graph_util.import_graph_def(graph.as_graph_def(), {"x": x}, ["y:0"])

    function = tf.compat.v1.wrap_function(imported, [tf.TensorSpec([])])
    with pytest.raises(ValueError, match="loop of TensorFlow 1"):
        Widened(function, DOUBLE).compile()
