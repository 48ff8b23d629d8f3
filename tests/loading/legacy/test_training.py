"""How a model was compiled: after loading, one more step of training gives what tf-keras gives."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tf_keras

from tests.loading.legacy.comparing import FORMATS, loaded, with_random_weights

optimizers = tf_keras.optimizers
OPTIMIZERS = {
    "Adadelta": lambda: optimizers.Adadelta(0.5, rho=0.8),
    "Adagrad": lambda: optimizers.Adagrad(0.1),
    "Adam": lambda: optimizers.Adam(0.01, beta_1=0.8, epsilon=1e-3),
    "Adam(amsgrad)": lambda: optimizers.Adam(0.01, amsgrad=True, clipnorm=0.5),
    "AdamW": lambda: optimizers.AdamW(0.01, weight_decay=0.1),
    "Adamax": lambda: optimizers.Adamax(0.01),
    "Ftrl": lambda: optimizers.Ftrl(0.1, l1_regularization_strength=0.01),
    "Lion": lambda: optimizers.Lion(0.01),
    "Nadam": lambda: optimizers.Nadam(0.01),
    "RMSprop": lambda: optimizers.RMSprop(0.01, momentum=0.3, centered=True),
    "SGD": lambda: optimizers.SGD(0.1),
    "SGD(momentum)": lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True, clipvalue=0.5),
    "SGD(schedule)": lambda: optimizers.SGD(optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)),
    "legacy Adam": lambda: optimizers.legacy.Adam(0.01, amsgrad=True),
    "legacy SGD": lambda: optimizers.legacy.SGD(0.1, momentum=0.5),
    "legacy SGD(decay)": lambda: optimizers.legacy.SGD(0.1, decay=0.5),
    "legacy RMSprop": lambda: optimizers.legacy.RMSprop(0.01, momentum=0.3, centered=True),
    "legacy Adagrad": lambda: optimizers.legacy.Adagrad(0.1),
    "legacy Adadelta": lambda: optimizers.legacy.Adadelta(0.5),
    "legacy Adamax": lambda: optimizers.legacy.Adamax(0.01),
}
# What tf-keras itself does not store.
_WITHOUT_STATE = {("keras", name) for name in OPTIMIZERS if name.startswith("legacy")}
_FAST = ("Adam", "SGD(momentum)", "RMSprop", "SGD(schedule)", "legacy Adam")
CASES = [
    pytest.param(extension, name, marks=() if extension == "h5" or name in _FAST else pytest.mark.long)
    for name in OPTIMIZERS
    for extension in FORMATS
]
LOSSES = {
    "mse": "mse",
    "name": "mean_absolute_error",
    "kld": "kld",
    "logcosh": "logcosh",
    "function": tf_keras.losses.mean_squared_error,
    "object": tf_keras.losses.Huber(0.5),
    "reduction": tf_keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1, reduction="sum"),
    "cosine": tf_keras.losses.CosineSimilarity(axis=-1),
}


def _model():
    x = tf_keras.Input((6,))
    y = tf_keras.layers.Dense(5, use_bias=False, activation="hard_sigmoid", kernel_regularizer="l2")(x)
    y = tf_keras.layers.BatchNormalization()(y)
    return with_random_weights(tf_keras.Model(x, tf_keras.layers.Dense(3)(y)))


def _data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(8, 6)).astype("float32"), rng.uniform(0.1, 1, (8, 3)).astype("float32")


@pytest.mark.parametrize(("extension", "name"), CASES)
def test_training_goes_on_where_it_stopped(tmp_path, name, extension):
    tf_keras.backend.clear_session()
    model = _model()
    model.compile(OPTIMIZERS[name](), "mse", metrics=["mae"], run_eagerly=True)
    x, y = _data()
    for _ in range(2):
        model.train_on_batch(x, y)
    result = loaded(model, tmp_path, extension)
    if (extension, name) in _WITHOUT_STATE:
        assert any(note.where == "optimizer" for note in result.notes)
        return
    again = [note.reason for note in result.notes if "again" in note.reason]
    assert len(again) == (name == "Nadam")  # its product of momenta is not in the file
    result.model.run_eagerly = True
    ours, theirs = result.model.train_on_batch(x, y), model.train_on_batch(x, y)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    for one, other in zip(result.model.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)  # float32, rounded in another order


LOSS_CASES = [
    pytest.param(extension, name, marks=() if extension == "h5" or name == "reduction" else pytest.mark.long)
    for name in LOSSES
    for extension in FORMATS
]


@pytest.mark.parametrize(("extension", "name"), LOSS_CASES)
def test_losses_keep_their_meaning(tmp_path, name, extension):
    model = _model()
    metrics = [
        "accuracy",
        tf_keras.metrics.TopKCategoricalAccuracy(2),
        "mse",
        tf_keras.metrics.MeanSquaredError(name="own"),
    ]
    model.compile("sgd", LOSSES[name], metrics=metrics, run_eagerly=True)
    x, y = _data()
    result = loaded(model, tmp_path, extension)
    assert [note for note in result.notes if note.severity == "warning" and note.where == "training"] == []
    result.model.run_eagerly = True
    ours, theirs = result.model.evaluate(x, y, verbose=0), model.evaluate(x, y, verbose=0)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@pytest.mark.parametrize("extension", FORMATS)
def test_a_loss_for_each_output(tmp_path, extension):
    x = tf_keras.Input((6,))
    model = tf_keras.Model(x, [tf_keras.layers.Dense(3, name="a")(x), tf_keras.layers.Dense(3, name="b")(x)])
    model.compile(
        "adam", {"a": "mse", "b": "mae"}, loss_weights={"a": 1.0, "b": 0.5}, metrics={"a": ["mae"], "b": ["mse"]}
    )
    x, y = _data()
    model.train_on_batch(x, {"a": y, "b": y})
    result = loaded(model, tmp_path, extension)
    assert [note for note in result.notes if note.severity == "warning"] == []
    ours = result.model.evaluate(x, {"a": y, "b": y}, verbose=0)
    np.testing.assert_allclose(ours[0], model.evaluate(x, {"a": y, "b": y}, verbose=0)[0], rtol=1e-5)


def test_a_loss_that_nobody_knows_leaves_the_model_uncompiled(tmp_path):
    model = _model()
    model.compile("sgd", "mse", metrics=[tf_keras.metrics.MeanRelativeError([1.0, 2.0, 3.0])])
    result = loaded(model, tmp_path, "h5")
    assert not result.model.compiled
    assert any(note.where == "training" and note.severity == "warning" for note in result.notes)


def test_optimizers_that_a_mixed_model_wraps(tmp_path):
    model = _model()
    model.compile(tf_keras.mixed_precision.LossScaleOptimizer(optimizers.Adam(0.01)), "mse")
    x, y = _data()
    model.train_on_batch(x, y)
    result = loaded(model, tmp_path, "h5")
    assert isinstance(result.model.optimizer, keras.optimizers.LossScaleOptimizer)
    assert any(note.where == "optimizer" for note in result.notes)
