"""What can be wrong in the study itself: faults that are not what they say, a blind judge, a run that does not go on."""

from __future__ import annotations

import json
from collections import Counter

import keras
import numpy as np
import pytest
from keras import layers

from benchmarks.verification_study import cases, faults, faults_model, faults_onnx, faults_saved_model, faults_tflite
from benchmarks.verification_study.case import FAMILIES, Case, settled
from benchmarks.verification_study.comparators import elementwise, of_scale
from benchmarks.verification_study.faulty import Plan
from benchmarks.verification_study.files import named_as, opened
from benchmarks.verification_study.judge import RIGHT, SEEN, Judge, distance, run_all
from benchmarks.verification_study.record import Record
from benchmarks.verification_study.right import Subject
from exporter import formats
from exporter.spec import TensorInfo

FORMATS = {"onnx": faults_onnx, "tflite": faults_tflite, "saved_model": faults_saved_model}
ROWS = np.random.default_rng(0).standard_normal((70, 6)).astype("float32")


def two_outputs(rng: np.random.Generator) -> keras.Model:
    i = keras.Input((6,), name="x")
    x = layers.LeakyReLU(0.3)(layers.Dense(6, name="kernel")(i))
    y = layers.Dense(6, activation="gelu")(x)
    return settled(
        keras.Model(i, [layers.Identity(name="a")(x - y), layers.Identity(name="b")(layers.Add()([x, y]))]), rng
    )


@pytest.fixture(scope="module")
def subject(tmp_path_factory):
    return Subject(Case("two_outputs", 0, two_outputs), tmp_path_factory.mktemp("study"))


def injected(subject, form, kind, where="", tmp_path=None):
    """Return what the right file and one with a fault compute."""
    right = subject.file(form).path
    found = [*FORMATS[form].faults(right, 0), *faults_model.faults(subject.inference.model, form)]
    fault = next(f for f in found if f.kind == kind and where in f.where)
    target = tmp_path / right.name
    fault.inject(right, target)
    return [
        np.concatenate([run({"x": rows})[name] for name in ("a", "b") for rows in portions(form)])
        for run in (formats.get(form).open(path).run for path in (right, target))
    ]


def portions(form):
    return [ROWS[n : n + 1] for n in range(len(ROWS))] if form == "tflite" else [ROWS]


def outputs(joined):
    return np.split(joined, 2)


@pytest.mark.parametrize("kind", ["one weight by 1e-3", "one weight 0", "one weight's sign"])
def test_a_fault_in_one_weight_changes_one_element(kind):
    before = np.random.default_rng(1).standard_normal((4, 5)).astype("float32")
    after = faults.CHANGES[kind](before, np.random.default_rng(0))
    (place,) = np.argwhere(before != after)
    factor = {"one weight by 1e-3": 1.001, "one weight 0": 0, "one weight's sign": -1}[kind]
    assert after[tuple(place)] == pytest.approx(before[tuple(place)] * factor, rel=1e-6)


def test_faults_in_constants_are_what_they_say():
    rng = np.random.default_rng(0)
    square = np.arange(16, dtype="float32").reshape(4, 4)
    np.testing.assert_array_equal(faults.CHANGES["kernel transposed"](square, rng), square.T)
    assert faults.CHANGES["epsilon"](np.float32(1e-3), rng) == pytest.approx(1e-5)
    assert faults.CHANGES["epsilon"](np.float32(0.5), rng) is None
    table = np.ones((20, 3), "float32")
    assert np.argwhere(faults.CHANGES["last row of a table"](table, rng) != table)[:, 0].tolist() == [19] * 3
    gates = np.repeat(np.arange(4), 2).astype("float32")[None]
    assert faults.CHANGES["gates in another order"](gates, rng).tolist() == [[1, 1, 0, 0, 2, 2, 3, 3]]


@pytest.mark.parametrize("form", FORMATS)
def test_a_constant_is_changed_in_every_format(subject, form, tmp_path):
    right, faulty = injected(subject, form, "one weight's sign", tmp_path=tmp_path)
    assert 0 < np.abs(right - faulty).max() < 100


@pytest.mark.parametrize("form", FORMATS)
def test_swapped_inputs_of_a_subtraction_turn_its_sign(subject, form, tmp_path):
    right, faulty = injected(subject, form, "inputs swapped", "SUB" if form == "tflite" else "Sub", tmp_path=tmp_path)
    np.testing.assert_array_equal(outputs(faulty)[0], -outputs(right)[0])
    np.testing.assert_array_equal(outputs(faulty)[1], outputs(right)[1])


@pytest.mark.parametrize("form", ["onnx", "tflite"])
def test_swapped_outputs(subject, form, tmp_path):
    right, faulty = injected(subject, form, "outputs swapped", tmp_path=tmp_path)
    np.testing.assert_array_equal(outputs(faulty)[::-1], outputs(right))


def test_rows_beyond_a_batch(subject, tmp_path):
    right, faulty = injected(subject, "onnx", "rows from 64 on", tmp_path=tmp_path)
    first, spoilt = outputs(right)[0], outputs(faulty)[0]
    np.testing.assert_array_equal(spoilt[:64], first[:64])
    np.testing.assert_array_equal(spoilt[64:], first[64:] * np.float32(1.01))


def test_a_fault_of_a_layer_is_in_the_file_and_gone_from_the_model_afterwards(subject, tmp_path):
    before = subject.inference.predict({"x": ROWS})["a"]
    right, faulty = injected(subject, "onnx", "gelu for its like", tmp_path=tmp_path)
    assert 1e-5 < np.abs(right - faulty).max() < 1e-2
    np.testing.assert_array_equal(subject.inference.predict({"x": ROWS})["a"], before)


@pytest.mark.parametrize("form", FORMATS)
def test_the_judge_finds_files_right_and_a_thousandth_visible(subject, form):
    computed = run_all(opened(subject.file(form), subject.inference), subject.judge, subject.inference)
    assert subject.judge.excess(computed) <= RIGHT
    moved = {kind: {name: value * np.float32(1.001) for name, value in o.items()} for kind, o in computed.items()}
    assert subject.judge.visible(computed, moved) > SEEN
    assert subject.judge.visible(computed, computed) == 0
    assert subject.judge.excess(moved) > RIGHT


def test_distance_sees_places_of_nan_and_exact_values():
    assert distance(np.array([1.0, np.nan]), np.array([1.5, np.nan])) == 0.5
    assert distance(np.array([1.0, 2.0]), np.array([1.0, np.nan])) == np.inf
    assert distance(np.array([1, 2]), np.array([1, 3])) == np.inf
    assert distance(np.zeros(2), np.zeros(3)) == np.inf
    assert distance(np.array([np.pi]), np.array([-np.pi]), 2 * np.pi) < 1e-12


@pytest.mark.parametrize(
    ("theirs", "named"),
    [
        (("serving_default_item:0", "serving_default_query:0"), ["item", "query"]),
        (("output_0", "output_1"), ["query", "item"]),
    ],
)
def test_tensors_of_other_exporters_get_the_models_names(theirs, named):
    ours = tuple(TensorInfo(name, (None, 3), "float32") for name in ("query", "item"))
    given = tuple(TensorInfo(name, (1, 3), "float32") for name in theirs)
    assert [info.name for info in named_as(given, ours)] == named


def test_other_comparators():
    reference = np.array([100.0, 1e-3])
    assert of_scale(1e-5)(reference + 9e-4, reference)
    assert not elementwise(1e-6)(reference + 9e-4, reference)


def test_a_run_goes_on_where_it_was_stopped(tmp_path):
    path = tmp_path / "lines.jsonl"
    first = Record(path)
    first.once("a", {"part": "fault"}, lambda: {"state": "visible"})
    path.write_text(path.read_text() + json.dumps({"begun": "b"}) + "\n")  # the process died there
    second = Record(path)
    second.once("a", {}, pytest.fail)
    second.once("b", {"part": "fault"}, pytest.fail)
    assert [line["key"] for line in Record(path).of("fault")] == ["a", "b"]


def test_the_same_faults_are_chosen_again_whatever_was_measured_of_the_case():
    some = [faults.Fault(kind, str(n), lambda s, t: None) for kind in "xyz" for n in range(3)]
    keys = [key for key, _ in Plan(Record(None)).chosen(some, "onnx", "fault/c/onnx", 6)]
    stopped = Record(None)
    stopped.add(keys[0], part="fault", case="c", format="onnx", kind="x")
    assert [key for key, _ in Plan(stopped).chosen(some, "onnx", "fault/c/onnx", 6)] == keys
    assert Counter(key.split("/")[3] for key in keys) == dict.fromkeys("xyz", 2)


def test_equal_seeds_give_equal_models():
    case = next(FAMILIES["softmax_head"].cases(1))
    first, second = case.model().get_weights(), case.model().get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_there_are_enough_families():
    chosen = cases.chosen("", costly=False, hub=False, quick=False)
    assert len({c.family for c in chosen if c.faults}) >= 30
    assert len([c for c in chosen if not c.family.startswith("applications")]) >= 200
    assert len({c.name for c in chosen}) == len(chosen)


@pytest.mark.long
@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_builds_and_the_judge_knows_its_inputs(name):
    from exporter.capture.inference import Inference

    case = next(FAMILIES[name].cases(1))
    assert Judge(case, Inference(case.model()), 4).known
