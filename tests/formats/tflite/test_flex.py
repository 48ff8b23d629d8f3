"""Flex ops: only on request, only where builtin ops do not suffice, and never called proven where nothing ran them."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

import exporter
from exporter.errors import MissingRuntimeError, UnsupportedError
from exporter.formats.tflite import runner
from exporter.formats.tflite.flex import VERIFIED_WITH_FLEX


class Dilation(layers.Layer):
    """Grey-scale morphology, which has a Flex op only."""

    def call(self, x):
        import tensorflow as tf

        grown = tf.nn.dilation2d(x[..., None], tf.ones((2, 2, 1)), (1, 1, 1, 1), "SAME", "NHWC", (1, 1, 1, 1))
        return grown[..., 0]


class Digamma(layers.Layer):
    """Has neither a builtin op nor a Flex one."""

    def call(self, x):
        import tensorflow as tf

        return tf.math.digamma(x)


def model_with(layer) -> keras.Model:
    x = keras.Input((3, 3))
    return keras.Model(x, layers.Dense(2)(layer(x)))


def write(tmp_path, layer, **options):
    return exporter.export(model_with(layer), tmp_path / "out", ("tflite",), allow_flex=True, **options)


def test_without_it_the_op_is_refused(tmp_path):
    report = exporter.export(model_with(Dilation()), tmp_path / "out", ("tflite",), verify=False)
    assert isinstance(report.failure, UnsupportedError)
    assert "Dilation2D" in report.failure.reason


def test_the_report_says_what_it_costs_and_claims_no_proof(tmp_path):
    report = write(tmp_path, Dilation(), verify=False)
    assert report.ok
    artifact = report["tflite"]
    assert artifact.parity is None
    assert artifact.inspection.facts["flex_ops"] == ["FlexDilation2D"]
    assert artifact.inspection.ops["FULLY_CONNECTED"] == 1
    (remark,) = artifact.inspection.facts["remarks"]
    assert "FlexDilation2D" in remark
    assert "megabytes" in remark
    assert "megabytes" in report.to_json()


def test_it_is_not_verified_where_no_interpreter_has_the_delegate(tmp_path):
    report = write(tmp_path, Dilation())
    assert isinstance(report.failure, MissingRuntimeError)
    assert report.failure.exit_code == 7
    assert "no-verify" in report.failure.remedy
    assert not (tmp_path / "out").exists()


def test_verifying_such_a_folder_later_says_so(tmp_path):
    write(tmp_path, Dilation(), verify=False).raise_for_status()
    path = tmp_path / "out" / "model.tflite"
    with pytest.raises(MissingRuntimeError, match="cannot be run here"):
        exporter.formats.get("tflite").open(path)


def test_where_the_delegate_is_there_the_proof_names_the_interpreter(tmp_path, monkeypatch):
    """A stand-in for TensorFlow's interpreter with Flex, which no package has: it runs the file's own model in Keras."""
    keras.utils.set_random_seed(0)
    model = model_with(Dilation())

    class Interpreter:
        def __init__(self, path, threads):
            self.tensors = {}

        def allocate_tensors(self):
            pass

        def get_signature_list(self):
            return {}

        def get_input_details(self):
            return [{"index": 0, "shape": np.array([1, 3, 3])}]

        def get_output_details(self):
            return [{"index": 1}]

        def set_tensor(self, index, value):
            self.tensors[index] = value

        def invoke(self):
            self.tensors[1] = model.predict_on_batch(self.tensors[0])

        def get_tensor(self, index):
            return self.tensors[index]

    monkeypatch.setattr(runner, "with_flex", Interpreter)
    report = exporter.export(model, tmp_path / "out", ("tflite",), allow_flex=True)
    report.raise_for_status()
    assert VERIFIED_WITH_FLEX in report["tflite"].parity.notes


def test_builtin_ops_are_kept_where_they_suffice(tmp_path):
    report = write(tmp_path, layers.Softmax())
    report.raise_for_status()
    assert report["tflite"].inspection.facts["flex_ops"] == []
    assert "remarks" not in report["tflite"].inspection.facts


def test_what_flex_does_not_have_either_is_refused(tmp_path):
    report = write(tmp_path, Digamma(), verify=False)
    assert isinstance(report.failure, UnsupportedError)
    assert "Digamma" in report.failure.reason
