"""Rows by their numbers, negative ones from the end, on the ops that microcontrollers have; run in LiteRT here."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from exporter import formats
from exporter.capture.inference import Inference
from exporter.errors import InvalidArtifactError
from exporter.formats import micro
from exporter.formats.micro import sources
from exporter.formats.micro.resolver import METHODS
from exporter.spec import Options


@pytest.fixture
def export(tmp_path, monkeypatch):
    monkeypatch.setattr(micro, "has_runtime", lambda: False)

    def export(model):
        inference = Inference(model)
        formats.get("micro").write(inference, tmp_path / "model_data.cc", Options(), {})
        file = tmp_path / "model.tflite"
        file.write_bytes(sources.read_array(tmp_path / "model_data.cc"))
        return inference, formats.get("tflite").open(file), formats.get("tflite").inspect(file).ops

    return export


def test_embeddings_take_negative_numbers_as_keras_does(export):
    model = keras.Sequential([keras.Input((6,), dtype="int32"), layers.Embedding(5, 3)])
    inference, runner, used = export(model)
    assert set(used) <= set(METHODS)
    for row in ([0, 1, 2, 3, 4, 4], [-1, -5, 0, -2, 4, -3]):
        x = {inference.inputs[0].name: np.array([row], "int32")}
        (found,), (wanted,) = runner.run(x).values(), inference.predict(x).values()
        np.testing.assert_array_equal(found, wanted)
    for outside in (5, -6, 2**31 - 1, -(2**31)):
        with pytest.raises(InvalidArtifactError):
            runner.run({inference.inputs[0].name: np.array([[0, 1, 2, 3, 4, outside]], "int32")})


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_along_any_axis(export, axis):
    table = np.random.default_rng(0).normal(size=(4, 5, 6)).astype("float32")
    x = keras.Input((3,), dtype="int32")
    inference, runner, used = export(keras.Model(x, ops.take(table, x, axis=axis)))
    assert "SELECT" not in used
    given = {inference.inputs[0].name: np.array([[1, -4, 3]], "int32")}
    (found,), (wanted,) = runner.run(given).values(), inference.predict(given).values()
    np.testing.assert_array_equal(found, wanted)


def test_what_keras_computes_is_traced_without_replacements(export):
    model = keras.Sequential([keras.Input((6,), dtype="int32"), layers.Embedding(5, 3)])
    inference, _, _ = export(model)
    types = {op.type for op in inference.concrete().graph.get_operations()}
    assert "SelectV2" in types
    assert "Minimum" not in types


def test_masks_and_choices(export):
    x = keras.Input((6,), dtype="int32")
    y = layers.GlobalAveragePooling1D()(layers.Embedding(5, 3, mask_zero=True)(x))
    inference, runner, used = export(keras.Model(x, ops.where(y > 0, y, ops.square(y))))
    assert set(used) <= set(METHODS)
    assert used["SELECT_V2"] >= 2
    given = {inference.inputs[0].name: np.array([[1, 2, 3, 0, 0, 0]], "int32")}
    (found,), (wanted,) = runner.run(given).values(), inference.predict(given).values()
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6)  # means of three numbers below 0.05
