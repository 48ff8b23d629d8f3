"""A private name that the installed Keras lacks is told, and stops nothing."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from exporter import check, export
from exporter.formats.onnx.registry import FUNCTIONS, replaced_functions
from exporter.formats.tflite.registry import replaced_functions as replaced_for_tflite


@pytest.fixture
def model():
    x = keras.Input((3,), name="x")
    return keras.Model(x, layers.Dense(2, activation="gelu", name="y")(x))


def test_this_keras_has_them_all(model):
    assert check(model) == []
    assert "nn.gelu" in replaced_functions()
    assert "keras.src.ops.nn._layer_normalization" in replaced_for_tflite() | replaced_functions()


def test_an_older_keras_lacks_one(model, tmp_path, monkeypatch):
    monkeypatch.setitem(FUNCTIONS._entries, "nn.not_yet", FUNCTIONS["nn.gelu"])
    report = export(model, tmp_path / "out", formats=("onnx",), samples=np.ones((1, 3), "float32"))
    report.raise_for_status()
    (problem,) = report.problems
    assert problem.severity == "info"
    assert "nn.not_yet" in problem.reason
    assert keras.__version__ in problem.where
