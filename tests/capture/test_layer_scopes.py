"""Layers with names that TensorFlow does not allow as scopes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import keras
import pytest
from keras import layers

from exporter import export
from exporter.capture.layer_scopes import scope_of


@pytest.mark.parametrize(
    ("name", "scope"),
    [
        ("dense", "dense"),
        ("größe", "gr__e"),
        ("a b", "a_b"),
        ("r:0", "r_0"),
        ("ü", "._"),
        ("_x", "._x"),
        ("a.b-c", "a.b-c"),
    ],
)
def test_scope_of(name, scope):
    assert scope_of(name) == scope


def test_keras_opens_a_scope_of_any_name():
    """If this fails, Keras has mended it, and `keras_patches.SCOPES` can go."""
    import tensorflow as tf

    dense = layers.Dense(2, name="größe")
    dense.build((None, 4))
    traced = tf.function(dense, autograph=False).get_concrete_function
    with ThreadPoolExecutor(1) as pool, pytest.raises(ValueError, match="not a valid root scope name"):
        pool.submit(traced, tf.TensorSpec((None, 4))).result()  # Keras leaves the scope open, in the thread that failed


def named(name):
    x = keras.Input((4,), name="größe")
    return keras.Model(x, {"Höhe 1:0": layers.Dense(2, name=name)(x)}, name="mein modell é")


def test_any_name_is_exported(tmp_path):
    report = export(named("dichte schicht ü"), tmp_path / "out", formats=("tflite", "onnx"))
    report.raise_for_status()
    for artifact in report:
        assert [i.name for i in artifact.inspection.inputs] == ["größe"]
        assert [o.name for o in artifact.inspection.outputs] == ["Höhe 1:0"]


def test_a_saved_model_is_spelled_otherwise_and_says_so(tmp_path):
    report = export(named("schicht ü"), tmp_path / "out", formats=("saved_model",))
    report.raise_for_status()
    told = {problem.severity: problem for problem in report.problems}
    assert "'größe' is 'gr__e'" in told["warning"].reason
    assert "schicht ü/" in told["info"].where
