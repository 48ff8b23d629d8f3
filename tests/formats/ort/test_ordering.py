"""Equal bytes for equal models: ONNX Runtime's own order changes from file to file, ours does not, and nothing else does."""

from __future__ import annotations

import keras
import numpy as np
import onnxruntime
import pytest
from keras import layers

from exporter import formats
from exporter.capture.inference import Inference
from exporter.formats.ort import ordering
from exporter.formats.ort.conversion import convert
from exporter.spec import Options


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """The ONNX file of a model with many kinds of ops."""
    keras.utils.set_random_seed(0)
    x = keras.Input((6, 4), name="x")
    y = layers.LayerNormalization()(layers.Conv1D(8, 3, activation="gelu")(x))
    y = layers.Dense(3, activation="softmax")(layers.LSTM(5)(layers.Dense(4, activation="elu")(y)))
    path = tmp_path_factory.mktemp("source") / "model.onnx"
    formats.get("onnx").write(Inference(keras.Model(x, y)), path, Options(), {})
    return path


def entries(path):
    """Return what an ORT file says of the types of each operator."""
    from onnxruntime.tools import ort_format_model  # noqa: F401
    from ort_flatbuffers_py.fbs.InferenceSession import InferenceSession

    session = InferenceSession.GetRootAs(path.read_bytes(), 0)
    listed = ordering._listed
    return session.OrtVersion(), [
        (
            operator.OpId(),
            [
                (kind.KernelTypeStr(), [(a.ArgType(), a.Index()) for a in listed(kind, "Args")])
                for kind in listed(operator, "KernelTypeStrArgs")
            ],
        )
        for operator in listed(session.KernelTypeStrResolver(), "OpKernelTypeStrArgs")
    ]


def run(path):
    (y,) = onnxruntime.InferenceSession(str(path)).run(None, {"x": np.ones((2, 6, 4), "float32")})
    return y


def test_every_file_has_the_same_bytes_and_says_what_it_said(source, tmp_path):
    before, after = [], []
    for number in range(4):
        path = tmp_path / f"{number}.ort"
        convert(source, path)
        before.append((path.read_bytes(), entries(path), run(path)))
        ordering.put_in_order(path)
        after.append((path.read_bytes(), entries(path), run(path)))

    assert len({content for content, _, _ in before}) > 1, "ONNX Runtime orders them by itself: ordering.py can go"
    assert len({content for content, _, _ in after}) == 1
    for (_, said, given), (_, still, again) in zip(before, after, strict=True):
        assert still[0] == said[0]
        assert sorted(still[1]) == sorted((op, sorted(kinds)) for op, kinds in said[1])
        np.testing.assert_array_equal(given, again)


def test_a_file_with_more_than_we_know_is_left_as_it_is(source, tmp_path, monkeypatch):
    path = tmp_path / "model.ort"
    convert(source, path)
    content = path.read_bytes()
    monkeypatch.setitem(ordering._KNOWN, "InferenceSession", 1)
    ordering.put_in_order(path)
    assert path.read_bytes() == content
