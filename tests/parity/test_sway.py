"""How far float32 takes each element: what no runtime could do better is no evidence, and a bug still is."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from exporter import export, verify
from exporter.freeze import Inference
from exporter.parity.reference import Reference
from exporter.parity.samples import Sample
from exporter.parity.sway import Sway
from exporter.parity.verify import verify_artifact

STEP = 2.0**-23


def swayed(outputs, inputs, arrays):
    inference = Inference(keras.Model(inputs, outputs))
    reference = Reference(inference)
    sample = Sample("x", arrays)
    return Sway(inference).of(arrays, {e.output: e.reference for e in reference.expect(sample)})


def test_what_is_exact_does_not_move():
    x = keras.Input((4,), name="x")
    arrays = {"x": np.array([[0, 1, -3, 1e6]], "float32")}
    for moved in swayed({"same": x, "sum": ops.sum(x, -1), "int": ops.cast(x * 2, "int32")}, x, arrays).values():
        assert not moved.any()


def test_one_rounding_is_one_step():
    x = keras.Input((64,), name="x")
    values = np.random.default_rng(0).normal(size=(3, 64)).astype("float32")
    moved = swayed({"y": x * np.float32(0.1)}, x, {"x": values})["y"]
    assert (moved <= 1.5 * STEP * np.abs(values * 0.1)).all()
    assert np.median(moved / np.abs(values * 0.1)) > 0.5 * STEP


def test_what_cancels_moves_as_far_as_its_terms():
    x = keras.Input((2,), name="x")
    moved = swayed({"y": x[:, 0] * 1.1 - x[:, 1] * 1.1}, x, {"x": np.array([[3, 3]], "float32")})["y"]
    assert 0 < moved[0] < 4 * 3.3 * STEP


def test_a_choice_that_rounding_decides_moves():
    x = keras.Input((3,), name="x")
    moved = swayed({"y": ops.argmax(x * 1.1, -1)}, x, {"x": np.array([[3, 3, 0], [3, 0, 0]], "float32")})["y"]
    assert moved.tolist() == [1, 0]


def test_branches_and_loops_move_too():
    x = keras.Input((4,), name="x")
    looped = ops.fori_loop(0, 3, lambda i, y: y * 1.1, x)
    moved = swayed({"y": looped}, x, {"x": np.ones((2, 4), "float32")})["y"]
    assert (moved > 0).all()
    assert (moved < 8 * STEP).all()


def standardized():
    """Frames less their mean over their deviation, of logarithms: silence makes 0 / 1e-5."""
    x = keras.Input((13, 20), name="x")
    logs = ops.log(ops.square(x) + 1e-6)
    deviation = ops.std(logs, axis=1, keepdims=True)
    return keras.Model(x, {"y": (logs - ops.mean(logs, axis=1, keepdims=True)) / (deviation + 1e-5)})


def test_silence_is_no_reason_to_refuse_a_file(tmp_path):
    report = export(standardized(), tmp_path / "out", formats=("tflite", "onnx"))
    report.raise_for_status()
    assert verify(tmp_path / "out").ok


class Wrong:
    """A file that computes what the model computes, with one thing changed."""

    remarks = ()

    def __init__(self, inference, change):
        self.inputs, self.outputs = inference.inputs, inference.outputs
        self._inference, self._change = inference, change

    def run(self, arrays):
        return {name: self._change(value) for name, value in self._inference.predict(arrays).items()}


@pytest.mark.parametrize(
    "change",
    [lambda y: y * 1.001, lambda y: y + 1e-3, lambda y: y[:, ::-1].copy(), lambda y: np.where(y > 1, 1, y)],
    ids=["scaled", "shifted", "reversed", "clipped"],
)
def test_a_bug_is_found_beside_what_sways(change):
    inference = Inference(standardized())
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(size=(3, 13, 20)), np.zeros((1, 13, 20))]).astype("float32")
    samples = [Sample("loud, then silent", {"x": x})]
    assert verify_artifact(Wrong(inference, lambda y: y), Reference(inference), samples).ok
    assert not verify_artifact(Wrong(inference, change), Reference(inference), samples).ok
