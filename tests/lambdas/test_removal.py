"""Models without their Lambda layers: the same function, names and weights, and files that need no trust."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

import exporter
from exporter.errors import UnsupportedError, UsageError
from exporter.lambdas import rewrite_lambdas

K = tf.keras.backend
A = np.random.default_rng(1).standard_normal((3, 4)).astype("float32")
B = np.random.default_rng(2).standard_normal((3, 4)).astype("float32")
OFFSET = np.arange(4, dtype="float32")


def distance(x):
    return tf.sqrt(tf.reduce_sum(tf.square(x), axis=-1, keepdims=True) + 1e-6)


def siamese() -> keras.Model:
    """Lambdas in a nested model used twice, in a nested Sequential, shared, with arguments, with several inputs."""
    keras.utils.set_random_seed(3)
    inner = keras.Input((4,))
    normal = layers.Lambda(lambda t: K.l2_normalize(t, axis=-1), name="normal")(inner)
    nested = keras.Model(inner, layers.Dense(3, name="shared")(normal), name="nested")
    head = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Lambda(lambda x: x / 255.0),
            layers.Dense(4, name="mixed"),
            layers.Lambda(lambda x: OFFSET - x, name="left"),
        ],
        name="head",
    )
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    scale = layers.Lambda(lambda x, factor: x * factor, arguments={"factor": 3.0}, name="scale")
    apart = layers.Lambda(lambda t: distance(t[0] - t[1]), name="apart")([nested(scale(a)), nested(scale(b))])
    return keras.Model([a, b], [apart, layers.Lambda(lambda x: x, name="same")(head(a))], name="siamese")


def outputs(model, *inputs):
    return [ops.convert_to_numpy(t) for t in keras.tree.flatten(model(inputs[0] if len(inputs) == 1 else list(inputs)))]


def lambdas_in(model) -> list[str]:
    return [layer.path for layer in model._flatten_layers() if isinstance(layer, layers.Lambda)]


def test_every_kind_of_model_keeps_function_names_and_weights(tmp_path) -> None:
    model = siamese()
    before = outputs(model, A, B)
    plain = exporter.remove_lambdas(model)
    assert lambdas_in(plain) == []
    assert len(lambdas_in(model)) == 6, "the given model must stay as it is"
    assert plain.name == model.name
    assert plain.output_names == model.output_names == ["apart", "same"]
    assert [t.name for t in plain.inputs] == [t.name for t in model.inputs]
    assert plain.get_layer("nested").name == "nested"
    assert {id(w) for w in plain.weights} == {id(w) for w in model.weights}
    assert {w.path for w in plain.weights} == {w.path for w in model.weights}
    plain.save(tmp_path / "plain.keras")
    reloaded = exporter.load(tmp_path / "plain.keras")
    for expected, live, saved in zip(before, outputs(plain, A, B), outputs(reloaded, A, B), strict=True):
        np.testing.assert_allclose(live, expected, rtol=1e-6)
        np.testing.assert_array_equal(saved, live)


def test_layers_used_twice_are_shared_still() -> None:
    plain = exporter.remove_lambdas(siamese())
    nested = [operation for operation in plain.operations if operation.name == "nested"]
    assert len(nested) == 1
    assert len({id(w) for w in plain.weights}) == len(plain.weights) == 4


def test_a_compiled_model_goes_on_training_as_before() -> None:
    targets = [np.ones((3, 1)), np.ones((3, 4))]
    results = []
    for rewrite in (False, True):
        model = siamese()
        model.compile(keras.optimizers.Adam(0.1, name="adam"), loss=["mse", "mae"], jit_compile=False)
        model.fit([A, B], targets, epochs=2, shuffle=False, verbose=0)
        if rewrite:
            model = exporter.remove_lambdas(model)
            assert model.compiled
        model.fit([A, B], targets, epochs=2, shuffle=False, verbose=0)
        results.append({v.path: v.numpy() for v in (*model.weights, *model.optimizer.variables)})
    assert results[0].keys() == results[1].keys()
    for path, expected in results[0].items():
        np.testing.assert_allclose(results[1][path], expected, rtol=1e-4, atol=1e-6, err_msg=path)


def test_lambdas_that_stay_are_all_named_with_reason_and_suggestion() -> None:
    x = keras.Input((4,))
    y = layers.Lambda(lambda t: tf.random.normal(tf.shape(t)) + t, name="noise")(x)
    y = layers.Lambda(lambda t: t * 2, name="fine")(y)
    y = layers.Lambda(lambda t, training=False: t * 2 if training else t, name="mode")(y)
    y = layers.Lambda(lambda t: t, mask=lambda inputs, mask: mask, name="mask")(y)
    y = layers.Lambda(lambda t: ops.concatenate([t, t]), name="also_fine")(y)
    model = keras.Model(x, y)
    result = rewrite_lambdas(model)
    assert [entry.layer for entry in result.replaced] == ["fine", "also_fine"]
    reasons = {problem.where: problem.reason for problem in result.kept}
    assert "random numbers" in reasons["noise (Lambda)"]
    assert "in training" in reasons["mode (Lambda)"]
    assert "mask" in reasons["mask (Lambda)"]
    assert all(problem.remedy and problem.severity == "warning" for problem in result.kept)
    assert lambdas_in(result.model) == ["noise", "mode", "mask"]
    with pytest.raises(UnsupportedError, match=r"GaussianNoise(.|\n)*in training"):
        exporter.remove_lambdas(model)


@pytest.mark.parametrize("wrap", ["time distributed", "subclass"])
def test_lambdas_that_code_calls_are_told_apart(wrap) -> None:
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.double = layers.Lambda(lambda t: t * 2)

        def call(self, inputs):
            return self.double(inputs)

    if wrap == "subclass":
        model = Own()
        model(A)
    else:
        inner = layers.TimeDistributed(layers.Lambda(lambda t: t * 2))
        model = keras.Sequential([keras.Input((2, 4)), inner])
    result = rewrite_lambdas(model)
    assert result.model is model
    assert "called by the code" in result.kept[0].reason


def test_mixed_precision_casts_where_the_lambda_did() -> None:
    x = keras.Input((4,))
    y = layers.Lambda(lambda t: t * 2 + ops.cast(ops.shape(t)[-1], t.dtype), dtype="mixed_float16", name="half")(x)
    model = keras.Model(x, layers.Lambda(lambda t: K.cast(K.argmax(t), "int32"), name="top", dtype="float32")(y))
    plain = exporter.remove_lambdas(model)
    half = keras.Model(plain.input, next(o for o in plain.operations if o.name == "half").output)
    assert half.output.dtype == "float16"
    np.testing.assert_array_equal(outputs(plain, A)[0], outputs(model, A)[0])


def test_a_lambda_shadowing_the_name_of_an_operation() -> None:
    x = keras.Input((4,), name="x")
    y = layers.Dense(4, name="square")(layers.Lambda(lambda t: ops.square(t) + 1, name="multiply")(x))
    plain = exporter.remove_lambdas(keras.Model(x, y))
    assert [o.name for o in plain.operations] == ["x", "multiply_square", "multiply", "square"]


def test_wrong_arguments_and_nothing_to_do() -> None:
    plain = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    assert exporter.remove_lambdas(plain) is plain
    with pytest.raises(UsageError, match="kx fix"):
        exporter.remove_lambdas("model.keras")
    with pytest.raises(UsageError, match=r"expected a keras\.Model"):
        exporter.remove_lambdas(3)
    with pytest.raises(UsageError, match="never built"):
        exporter.remove_lambdas(keras.Sequential([layers.Lambda(lambda t: t)]))


def test_outputs_of_one_lambda_on_several_shapes_keep_their_names() -> None:
    x, y, z = keras.Input((4,), name="x"), keras.Input((5, 3), name="y"), keras.Input((6, 5), name="z")
    mean = layers.Lambda(lambda t: tf.reduce_mean(t, axis=-1), name="mean")
    plain = exporter.remove_lambdas(
        keras.Model([x, y, z], [mean(z), layers.Dense(2, name="d")(mean(y)), mean(y), mean(x)])
    )
    assert plain.output_names == ["mean", "d", "mean_1", "mean_2"]
    assert [t.shape for t in plain.outputs] == [(None, 6), (None, 2), (None, 5), (None,)]


def test_arrays_of_float64_take_the_dtype_of_the_tensor_as_in_tensorflow() -> None:
    x = keras.Input((4,))
    spread = np.arange(1.0, 5.0)
    model = keras.Model(
        x,
        [
            layers.Lambda(lambda t: (t - np.array([0.1, 0.2, 0.3, 0.4])) / spread)(x),
            layers.Lambda(lambda t, by: t * by, arguments={"by": spread})(x),
        ],
    )
    plain = exporter.remove_lambdas(model)
    for expected, actual in zip(outputs(model, A), outputs(plain, A), strict=True):
        assert actual.dtype == "float32"
        np.testing.assert_array_equal(actual, expected)


@pytest.mark.filterwarnings("ignore:.*does not support masking")
def test_a_lambda_that_ends_a_mask_is_replaced() -> None:
    """Keras passes the mask to every Lambda; one that does not ask for it takes it off, and so do plain operations."""
    x = keras.Input((5,), dtype="int32")
    embedded = layers.Embedding(9, 4, mask_zero=True)(x)
    model = keras.Model(x, layers.LSTM(2)(layers.Lambda(lambda t: t * 2)(embedded)))
    plain = exporter.remove_lambdas(model)
    tokens = np.array([[1, 2, 0, 0, 0], [3, 4, 5, 6, 0]], "int32")
    np.testing.assert_array_equal(outputs(plain, tokens)[0], outputs(model, tokens)[0])


def test_a_variable_of_the_backend_is_no_constant() -> None:
    variable = tf.Variable(2.0, name="gain")
    x = keras.Input((4,))
    with pytest.raises(UnsupportedError, match=r"the variable 'gain.*', which no layer owns"):
        exporter.remove_lambdas(keras.Model(x, layers.Lambda(lambda t: t * variable)(x)))
