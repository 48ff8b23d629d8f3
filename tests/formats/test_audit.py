"""Files from elsewhere are audited before a runtime opens them."""

from __future__ import annotations

import keras
import onnx
import pytest

import exporter
from exporter.errors import InvalidArtifactError, UnsafeFileError
from exporter.pipeline.latency import bench


@pytest.fixture
def model():
    x = keras.Input((4,), name="x")
    return keras.Model(x, keras.layers.Dense(3, name="y")(x))


@pytest.fixture
def elsewhere(tmp_path, model):
    """An export whose weights somebody has moved out of its folder."""
    folder = tmp_path / "out"
    exporter.export(model, folder, formats=("onnx",)).raise_for_status()
    loaded = onnx.load(folder / "model.onnx")
    onnx.save(loaded, folder / "model.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0)
    (folder / "weights.bin").rename(tmp_path / "weights.bin")
    return folder


def test_a_link_out_of_the_folder_is_not_followed(elsewhere, model):
    (elsewhere / "weights.bin").symlink_to(elsewhere.parent / "weights.bin")
    error = exporter.verify(elsewhere)["onnx"].error
    assert isinstance(error, UnsafeFileError)
    for work in (lambda: exporter.locate(model, elsewhere / "model.onnx"), lambda: bench(elsewhere, seconds=0.1)):
        with pytest.raises(UnsafeFileError, match="is a link"):
            work()


def test_missing_data_make_an_invalid_artifact(elsewhere, model):
    assert isinstance(exporter.verify(elsewhere)["onnx"].error, InvalidArtifactError)
    with pytest.raises(InvalidArtifactError, match="cannot be read"):
        exporter.locate(model, elsewhere / "model.onnx")


def test_plain_data_beside_the_file_are_run(elsewhere):
    (elsewhere.parent / "weights.bin").rename(elsewhere / "weights.bin")
    assert exporter.verify(elsewhere).ok
