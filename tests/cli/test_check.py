from __future__ import annotations

import jsonschema
import keras
import pytest
import tensorflow as tf

from exporter.errors import LoadError
from exporter.report.document import schema


def own_square(x):
    return x * x


def test_problems_are_the_result(kx, work, failed):
    check = work("check", list(failed.problems))
    answer = kx("check", "m.keras", "--to", "onnx")
    assert answer.code == 4
    assert "replace it by keras.ops" in answer.out
    assert "1 of 2 findings stop an export" in answer.out
    assert check.calls[0][1]["formats"] == ("onnx",)


def test_warnings_do_not_fail(kx, work, failed):
    work("check", [p for p in failed.problems if p.severity == "warning"])
    answer = kx("check", "m.keras")
    assert answer.code == 0
    assert "Nothing stops an export" in answer.out


def test_json(kx, work, failed):
    for problems in ([], list(failed.problems)):
        work("check", problems)
        answer = kx("check", "m.keras", "--json")
        jsonschema.validate(answer.json, {**schema(), "$ref": "#/$defs/check"})
        assert answer.json["ok"] == (answer.code == 0) == (not problems)


def test_a_model_that_does_not_load(kx, work):
    work("check", LoadError("no such file", where="m.keras", remedy="check the path"))
    answer = kx("check", "m.keras")
    assert answer.code == 3
    assert answer.out == ""
    assert "fix check the path" in answer.err


def test_a_trusted_file_is_told_to_be_one(kx, tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x * 2.0)])
    model.save(tmp_path / "m.keras")
    answer = kx("check", tmp_path / "m.keras", "--to", "saved_model", "--trust", "--json")
    assert answer.code == 0
    assert [p["reason"] for p in answer.json["problems"] if p["where"] == "m.keras"] == [
        "it was loaded with trust: code in the file was allowed to run"
    ]


@pytest.mark.parametrize("sequential", [True, False])
def test_a_trusted_lambda_finds_the_usual_names(kx, tmp_path, sequential):
    x, square = keras.Input((3,)), keras.layers.Lambda(lambda x: tf.square(x) * 2.0)
    model = keras.Sequential([x, square]) if sequential else keras.Model(x, square(x))
    model.save(tmp_path / "m.keras")
    assert kx("check", tmp_path / "m.keras", "--trust", "--to", "saved_model").code == 0


def test_a_name_that_a_lambda_does_not_carry(kx, tmp_path):
    x = keras.Input((3,))
    keras.Model(x, keras.layers.Lambda(lambda x: own_square(x) * 2.0)(x)).save(tmp_path / "m.keras")
    answer = kx("check", tmp_path / "m.keras", "--trust")
    assert answer.code == 3
    assert "name 'own_square' is not defined" in answer.err
    assert "custom_objects" in answer.err


def test_a_trusted_saved_model_is_not_blamed_for_its_own_layer(kx, tmp_path):
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).export(tmp_path / "saved", verbose=False)
    answer = kx("check", tmp_path / "saved", "--to", "saved_model", "--trust", "--json")
    (problem,) = answer.json["problems"]
    assert "loaded with trust" in problem["reason"]
