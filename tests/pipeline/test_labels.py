"""Labels: kept in every file, where apps look for them, and held against the model."""

from __future__ import annotations

import zipfile

import keras
import numpy as np
import pytest
from keras import layers

import exporter
from exporter.errors import UsageError
from exporter.pipeline.labels import checked_labels
from exporter.spec import TensorInfo

OUTPUTS = (TensorInfo("box", (None, 4), "float32"), TensorInfo("class", (None, 3), "float32"))


def test_every_file_keeps_them(tmp_path):
    x = keras.Input((6,), name="x")
    model = keras.Model(x, layers.Dense(3, name="scores")(x))
    labels = ["Katze", "dög", "a bird, or two"]
    report = exporter.export(model, tmp_path / "dist", labels=labels)
    report.raise_for_status()
    assert [a.inspection.metadata["labels"] for a in report] == [labels] * 3
    with zipfile.ZipFile(tmp_path / "dist" / "model.tflite") as archive:
        assert archive.namelist() == ["labels.txt"]
        assert archive.read("labels.txt").decode().splitlines() == labels
    assert exporter.verify(tmp_path / "dist").ok

    first = (tmp_path / "dist" / "model.tflite").read_bytes()
    exporter.export(model, tmp_path / "again", ("tflite",), labels=np.array(labels).tolist()).raise_for_status()
    assert (tmp_path / "again" / "model.tflite").read_bytes() == first


def test_they_fit_one_output():
    assert checked_labels(("a", "b", "c"), OUTPUTS) == ["a", "b", "c"]
    assert checked_labels(("crane", "b", "crane"), OUTPUTS) == ["crane", "b", "crane"]


@pytest.mark.parametrize("labels", [["a", "b"], [], "abc", ["a", "", "c"], ["a", 1, "c"], ["a", "b\nc", "d"]], ids=repr)
def test_labels_that_are_none(labels):
    with pytest.raises(UsageError):
        checked_labels(labels, OUTPUTS)
