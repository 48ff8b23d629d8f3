"""The reference: float64 beside Keras, its own rounding error measured well, the model left as it was."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from exporter.capture.inference import Inference
from exporter.capture.state import fingerprint
from exporter.tfgraph.precision import Widened
from exporter.verification.double import Double
from exporter.verification.reference import Reference
from exporter.verification.samples import Sample, make_samples
from exporter.verification.tolerances import tolerance_for
from tests.verification.models import dense, embedding


def normal(*shape, seed=0, name="x"):
    return Sample(f"normal {seed}", {name: np.random.default_rng(seed).normal(size=shape).astype("float32")})


def test_error_scale_and_tolerance_follow_from_keras_and_float64():
    model, sample = dense(units=80), normal(5, 4)
    (e,) = Reference(Inference(model)).expect(sample)
    kernel = model.layers[-1].kernel.numpy().astype("float64")
    truth = sample.arrays["x"].astype("float64") @ kernel

    np.testing.assert_allclose(e.reference, truth, rtol=1e-12, atol=1e-15)
    assert e.keras.dtype == np.float32
    assert e.scale == pytest.approx(np.abs(truth).max())
    assert e.keras_error == pytest.approx(np.abs(e.keras - truth).max())
    assert e.tolerance == tolerance_for("float32").bound(e.keras_error, e.scale)


def test_a_single_element_gets_the_error_of_its_neighbourhood():
    """The sum cancels: the float32 error of this one element says little of what another order of summation gives."""
    model = keras.Sequential([keras.Input((400,), name="x"), layers.Dense(1, use_bias=False)])
    weights = np.random.default_rng(0).normal(size=(400, 1)).astype("float32")
    weights[-1] = -weights[:-1].sum() + 1e-3
    model.layers[-1].set_weights([weights])
    sample = Sample("ones", {"x": np.ones((1, 400), "float32")})

    (e,) = Reference(Inference(model)).expect(sample)

    backwards = np.float32(0)
    for w in weights[::-1, 0]:
        backwards = np.float32(backwards + w)
    assert abs(float(backwards) - e.reference[0, 0]) <= max(e.bound.tolerance, e.bound.loose)


def test_each_sample_is_computed_once():
    inference, sample = Inference(dense()), normal(2, 4)
    reference = Reference(inference)
    first = reference.expect(sample)
    assert reference.expect(sample) is first
    assert reference.expect(normal(2, 4, seed=1)) is not first


def test_another_sample_of_the_same_name_is_not_taken_for_it():
    reference = Reference(Inference(dense()))
    one, two = normal(2, 4), normal(3, 4)
    assert reference.expect(one)[0].keras.shape == (2, 3)
    assert reference.expect(two)[0].keras.shape == (3, 3)


def test_models_that_cannot_be_widened_are_compared_with_keras_itself(monkeypatch):
    def refuse(self):
        raise ValueError("an op that nobody knows")

    monkeypatch.setattr(Widened, "compile", refuse)
    reference = Reference(Inference(dense()))
    (e,) = reference.expect(normal(2, 4))

    assert reference.kind == "float32"
    assert "an op that nobody knows" in reference.notes[0]
    assert e.keras_error == 0
    assert e.tolerance == tolerance_for("float32", reference="float32").bound(0, e.scale)


def test_what_only_xla_computes_in_float64_is_computed_by_xla():
    """TensorFlow has no channels-first convolution in double."""
    model = keras.Sequential([keras.Input((3, 6, 6), name="x"), layers.Conv2D(4, 3, data_format="channels_first")])
    reference = Reference(Inference(model))
    (e,) = reference.expect(normal(2, 3, 6, 6))
    assert reference.kind == "float64"
    assert 0 < e.keras_error < 1e-6 * e.scale


def test_a_kernel_missing_at_run_time_makes_keras_the_reference_of_all_samples(monkeypatch):
    reference = Reference(Inference(dense()))
    before, after = normal(2, 4), normal(2, 4, seed=1)
    assert reference.expect(before)[0].reference.dtype == np.float64

    def fail(self, arrays):
        raise tf.errors.UnimplementedError(None, None, "no such kernel")

    monkeypatch.setattr(Double, "run", fail)
    for sample in (after, before):
        (e,) = reference.expect(sample)
        assert e.reference is e.keras
        assert e.tolerance == tolerance_for("float32", reference="float32").bound(0, e.scale)
    assert reference.kind == "float32"
    assert "no such kernel" in reference.notes[0]


def test_ops_that_stay_in_float32_are_noted():
    model = keras.Sequential([keras.Input((4, 4, 1), name="x"), layers.Resizing(3, 3, interpolation="bicubic")])
    assert "ResizeBicubic" in Reference(Inference(model)).notes[0]


def test_many_rows_are_computed_in_portions():
    model = dense(features=2**16)
    sample = normal(70, 2**16)
    (e,) = Reference(Inference(model)).expect(sample)
    truth = sample.arrays["x"].astype("float64") @ model.layers[-1].kernel.numpy().astype("float64")
    np.testing.assert_allclose(e.reference, truth, rtol=1e-10)


def test_any_number_of_rows_fits_a_model_of_fixed_batch():
    x = keras.Input((3,), batch_size=2, name="x")
    (e,) = Reference(Inference(keras.Model(x, layers.ReLU()(x)))).expect(normal(5, 3))
    assert e.keras.shape == (5, 3)


def test_half_precision_models_have_their_rounding_measured():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = dense(units=64)
    finally:
        keras.config.set_dtype_policy("float32")
    (e,) = Reference(Inference(model)).expect(normal(8, 4))
    assert e.dtype == "float16"
    assert 2**-13 < e.keras_error / e.scale < 2**-8


def test_integer_models_have_their_error_measured_on_shuffled_indices():
    model = embedding()
    reference = Reference(Inference(model))
    sample = Sample("one", {"tokens": np.array([[1, 2, 3, 4, 5]], dtype="int32")})
    (e,) = reference.expect(sample)
    assert e.keras_error >= np.abs(e.keras - e.reference).max()


def stateful():
    x = keras.Input((2, 3), batch_size=1, name="x")
    keras.utils.set_random_seed(0)
    return keras.Model(x, layers.LSTM(4, stateful=True)(x))


def test_the_model_is_left_as_it_was():
    model = stateful()
    before = fingerprint(model)
    inference = Inference(model)
    reference = Reference(inference)
    for sample in make_samples(inference):
        reference.expect(sample)
    assert reference.stateful
    assert fingerprint(model) == before


def test_the_samples_of_a_stateful_model_are_consecutive_calls():
    model, first, second = stateful(), normal(1, 2, 3), normal(1, 2, 3, seed=1)
    reference = Reference(Inference(model))
    expected = [reference.expect(s)[0] for s in (first, second)]

    for sample, e in zip((first, second), expected, strict=True):
        np.testing.assert_allclose(model(sample.arrays["x"]).numpy(), e.keras, atol=1e-6)
        np.testing.assert_allclose(e.keras, e.reference, atol=1e-6)
