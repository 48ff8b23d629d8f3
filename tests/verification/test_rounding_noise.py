"""Monte Carlo arithmetic: how far rounding takes each element. What no runtime could do better is no evidence, a bug is."""

from __future__ import annotations

from types import MappingProxyType

import keras
import numpy as np
import pytest
from keras import layers, ops

from exporter import export, verify
from exporter.capture.inference import Inference
from exporter.verification.reference import Reference
from exporter.verification.rounding_noise import PerturbedGraph
from exporter.verification.samples import Sample
from exporter.verification.verify import verify_artifact

STEP = 2.0**-23


def moved(outputs, inputs, arrays, runs=8, arithmetic=MappingProxyType({})):
    """Return how far each element goes from the float64 reference over some draws."""
    inference = Inference(keras.Model(inputs, outputs))
    graph = PerturbedGraph(inference, arithmetic)
    expected = Reference(inference).expect(Sample("x", arrays))
    draws = [graph.draw(arrays) for _ in range(runs)]
    return {
        e.output: np.max([np.abs(d[e.output].astype("float64") - e.reference.astype("float64")) for d in draws], axis=0)
        for e in expected
    }


def test_what_is_exact_does_not_move():
    x = keras.Input((4,), name="x")
    arrays = {"x": np.array([[0, 1, -3, 1000]], "float32")}
    outputs = {"same": x, "sum": ops.sum(x, -1), "half": x * 0.5, "int": ops.cast(x * 2, "int32")}
    for distance in moved(outputs, x, arrays).values():
        assert not distance.any()


def test_one_rounding_is_about_one_step():
    x = keras.Input((64,), name="x")
    values = np.random.default_rng(0).normal(size=(3, 64)).astype("float32")
    distance = moved({"y": x * np.float32(0.1)}, x, {"x": values})["y"]
    assert (distance <= 2 * STEP * np.abs(values * 0.1)).all()
    assert np.median(distance / np.abs(values * 0.1)) > 0.5 * STEP


def test_what_cancels_moves_as_far_as_its_terms():
    x = keras.Input((2,), name="x")
    distance = moved({"y": x[:, 0] * 1.1 - x[:, 1] * 1.1}, x, {"x": np.array([[3, 3]], "float32")})["y"]
    assert 0 < distance[0] < 4 * 3.3 * STEP


def test_a_mean_of_equal_terms_moves_as_far_as_adding_them_in_turn_does():
    """Roundings of equal terms are systematic: about n / 12 steps, not sqrt(n) / 3."""
    x = keras.Input((64, 64), name="x")
    value = np.float32(0.7123)
    in_turn = np.add.accumulate(np.full(4096, value, "float32"))[-1] / np.float32(4096)
    distance = moved({"y": ops.mean(x, axis=(1, 2))}, x, {"x": np.full((1, 64, 64), value, "float32")})["y"]
    assert abs(in_turn - value) > 100 * STEP * value
    assert distance[0] > 0.5 * abs(in_turn - value)


def test_products_move_as_far_as_sums_of_one_sign_do():
    x = keras.Input((1600,), name="x")
    random = np.random.default_rng(0)
    dense = layers.Dense(40, use_bias=False)
    values, kernel = np.abs(random.normal(size=(1, 1600))).astype("float32"), np.abs(random.normal(size=(1600, 40)))
    outputs = dense(x)
    dense.set_weights([kernel.astype("float32")])
    exact = values.astype("float64") @ kernel.astype("float32").astype("float64")
    in_turn = np.add.accumulate(values.T * kernel.astype("float32"), axis=0)[-1]
    distance = moved({"y": outputs}, x, {"x": values})["y"]
    assert distance.max() > np.abs(in_turn - exact).max() / 2


def test_a_choice_that_rounding_decides_moves():
    x = keras.Input((3,), name="x")
    arrays = {"x": np.array([[3, 3, 0], [3, 0, 0]], "float32")}
    assert moved({"y": ops.argmax(x * 1.1, -1)}, x, arrays, runs=16)["y"].tolist() == [1, 0]


def test_ties_among_what_was_not_computed_do_not_move():
    x = keras.Input((3,), name="x")
    first = ops.argmax(ops.cast(x > 1, "float32"), -1)
    assert not moved({"y": first}, x, {"x": np.array([[3, 3, 0]], "float32")}, runs=16)["y"].any()


def test_equal_scores_of_a_silent_input_fall_either_way():
    x = keras.Input((5, 3), name="x")
    scores = layers.Dense(1, activation="sigmoid", bias_initializer="ones")(x)[..., 0]
    distance = moved({"best": ops.top_k(scores, 2)[1]}, x, {"x": np.zeros((1, 5, 3), "float32")}, runs=16)["best"]
    assert distance.all()


def test_zeros_of_a_spectrum_move():
    x = keras.Input((64,), name="x")
    power = ops.rfft(x)[0] ** 2
    distance = moved({"y": ops.log(power + 1e-20)}, x, {"x": np.full((1, 64), 0.3, "float32")})["y"]
    assert (distance[0, 1:] > 1).all()


def test_a_saturated_sigmoid_may_be_0_and_its_logit_infinite():
    x = keras.Input((1,), name="x")
    inference = Inference(keras.Model(x, {"y": ops.log(ops.sigmoid(x * 1.1))}))
    graph, arrays = PerturbedGraph(inference, {}), {"x": np.full((64, 1), -40, "float32")}
    drawn = graph.draw(arrays)["y"]
    assert np.isneginf(drawn).any()
    assert np.isfinite(drawn).any()
    assert not np.isnan(drawn).any()


def test_branches_and_loops_move_too():
    x = keras.Input((4,), name="x")
    looped = ops.fori_loop(0, 3, lambda i, y: y * 1.1, x)
    distance = moved({"y": looped}, x, {"x": np.ones((2, 4), "float32")})["y"]
    assert (distance > 0).all()
    assert (distance < 8 * STEP).all()


def test_what_xla_compiles_moves_as_a_whole():
    x = keras.Input((3, 6, 6), name="x")
    y = layers.Conv2D(4, 3, data_format="channels_first")(x)
    values = np.random.default_rng(0).normal(size=(1, 3, 6, 6)).astype("float32")
    assert (moved({"y": y}, x, {"x": values})["y"] > 0).all()


def test_draws_are_the_same_in_every_process():
    x = keras.Input((40,), name="x")
    inference = Inference(keras.Model(x, {"y": ops.tanh(x * 1.1) + ops.sin(x)}))
    arrays = {"x": np.random.default_rng(0).normal(size=(2, 40)).astype("float32")}
    one, other = PerturbedGraph(inference, {}), PerturbedGraph(inference, {})
    for _ in range(2):
        np.testing.assert_array_equal(one.draw(arrays)["y"], other.draw(arrays)["y"])
    assert not np.array_equal(one.draw(arrays)["y"], one.draw(arrays)["y"])


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
    arithmetic = MappingProxyType({})

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
def test_a_bug_is_found_beside_what_rounding_decides(change):
    inference = Inference(standardized())
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(size=(3, 13, 20)), np.zeros((1, 13, 20))]).astype("float32")
    samples = [Sample("loud, then silent", {"x": x})]
    assert verify_artifact(Wrong(inference, lambda y: y), Reference(inference), samples).ok
    assert not verify_artifact(Wrong(inference, change), Reference(inference), samples).ok
