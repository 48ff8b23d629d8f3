"""Golden samples: what is read back is what was written, in the same bytes each time, without Keras."""

from __future__ import annotations

import json
import subprocess
import sys

import keras
import numpy as np
import onnx
import pytest
from keras import layers
from onnx import numpy_helper

from exporter.capture.inference import Inference
from exporter.errors import InvalidArtifactError, UsageError
from exporter.verification.reference import Reference
from exporter.verification.samples import Sample, make_samples, user_samples
from exporter.verification.saving import load_samples, save_samples
from exporter.verification.verify import verify_artifact
from tests.verification.models import KerasRunner, dense, embedding, noise


def saved(folder, model, real=None):
    inference = Inference(model)
    samples, reference = make_samples(inference), Reference(inference)
    own = None if real is None else user_samples(real, inference)
    save_samples(folder, samples, reference, own)
    return samples, reference, own


@pytest.mark.parametrize("build", [dense, embedding])
def test_the_verdict_is_the_same_as_before_saving(tmp_path, build):
    model = build()
    samples, reference, _ = saved(tmp_path, model)
    loaded = load_samples(tmp_path)
    for change in (lambda outputs: outputs, noise(1e-4)):
        runner = KerasRunner(model, change=change)
        before, after = (
            verify_artifact(runner, reference, samples),
            verify_artifact(runner, loaded.reference, loaded.samples, loaded.real),
        )
        assert before.ok == after.ok
        assert [(o.case, o.tolerance, o.scale) for o in before.outputs if "again" not in o.case] == [
            (o.case, o.tolerance, o.scale) for o in after.outputs if "again" not in o.case
        ]


def test_arrays_come_back_as_they_were(tmp_path):
    words = keras.Input((2,), dtype="string", name="words")
    image = keras.Input((3, 3), dtype="uint8", name="a b")
    model = keras.Model(
        [words, image], {"i": layers.StringLookup(vocabulary=["ä", "b"])(words), "x": layers.Rescaling(0.5)(image)}
    )
    samples, reference, _ = saved(tmp_path, model)
    loaded = load_samples(tmp_path)
    assert loaded.reference.inputs == reference.inputs
    assert loaded.reference.outputs == reference.outputs
    for old, new in zip(samples, loaded.samples, strict=True):
        assert old.name == new.name
        for name, array in old.arrays.items():
            assert new.arrays[name].dtype == array.dtype
            np.testing.assert_array_equal(new.arrays[name], array)
        for a, b in zip(reference.expect(old), loaded.reference.expect(new), strict=True):
            assert (a.output, a.keras_error, a.scale, a.tolerance) == (b.output, b.keras_error, b.scale, b.tolerance)
            np.testing.assert_array_equal(a.keras, b.keras)
            np.testing.assert_array_equal(a.reference, b.reference)


def test_bfloat16_outputs_come_back(tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = dense()
    finally:
        keras.config.set_dtype_policy("float32")
    samples, reference, _ = saved(tmp_path, model)
    loaded = load_samples(tmp_path)
    (before,), (after,) = reference.expect(samples[0]), loaded.reference.expect(loaded.samples[0])
    assert after.dtype == before.dtype == "bfloat16"
    np.testing.assert_array_equal(after.keras, before.keras)


def test_equal_samples_give_equal_bytes(tmp_path):
    for name in ("one", "two"):
        saved(tmp_path / name, dense(), real=np.ones((3, 4)))
    one, two = ({p.name: p.read_bytes() for p in (tmp_path / n).rglob("*") if p.is_file()} for n in ("one", "two"))
    assert one == two
    assert len(one) > 20


def test_real_data_is_kept_apart(tmp_path):
    data = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    saved(tmp_path, dense(), real=data)
    loaded = load_samples(tmp_path)
    (own,) = loaded.real
    np.testing.assert_array_equal(own.arrays["x"], data)
    assert verify_artifact(KerasRunner(dense()), loaded.reference, loaded.samples, loaded.real).top1 == 1.0


def test_of_much_real_data_the_first_rows_are_kept(tmp_path):
    model = dense(features=2**16)
    inference = Inference(model)
    data = Sample("data", {"x": np.random.default_rng(0).normal(size=(50, 2**16)).astype("float32")})
    save_samples(tmp_path, (), Reference(inference), data)
    (own,) = load_samples(tmp_path).real
    np.testing.assert_array_equal(own.arrays["x"], data.arrays["x"][:32])


def test_the_first_sample_is_there_in_the_layout_of_onnx(tmp_path):
    samples, reference, _ = saved(tmp_path, dense())
    for kind, name, expected in (
        ("input", "x", samples[0].arrays["x"]),
        ("output", "y", reference.expect(samples[0])[0].keras),
    ):
        tensor = onnx.TensorProto.FromString((tmp_path / "test_data_set_0" / f"{kind}_0.pb").read_bytes())
        assert tensor.name == name
        np.testing.assert_array_equal(numpy_helper.to_array(tensor), expected)


def test_numpy_reads_the_files(tmp_path):
    samples, _, _ = saved(tmp_path, dense())
    with np.load(tmp_path / "inputs_0.npz") as archive:
        np.testing.assert_array_equal(archive["x"], samples[0].arrays["x"])


def test_loading_needs_neither_keras_nor_tensorflow(tmp_path):
    saved(tmp_path, dense())
    code = (
        "import sys, pathlib; from exporter.verification.saving import load_samples;"
        f"print(len(load_samples(pathlib.Path({str(tmp_path)!r})).samples));"
        "assert not {'tensorflow', 'keras', 'onnx'} & set(sys.modules), 'heavy import'"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_a_folder_without_samples_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="no golden samples"):
        load_samples(tmp_path)


@pytest.mark.parametrize("damage", ["version", "missing file", "truncated", "no json", "no key"])
def test_damaged_samples_are_refused(tmp_path, damage):
    saved(tmp_path, dense())
    index = json.loads((tmp_path / "index.json").read_text())
    if damage == "version":
        (tmp_path / "index.json").write_text(json.dumps({**index, "version": 99}))
    elif damage == "missing file":
        (tmp_path / "inputs_3.npz").unlink()
    elif damage == "truncated":
        data = (tmp_path / "inputs_3.npz").read_bytes()
        (tmp_path / "inputs_3.npz").write_bytes(data[: len(data) // 2])
    elif damage == "no json":
        (tmp_path / "index.json").write_text("{")
    else:
        (tmp_path / "index.json").write_text(json.dumps({"version": index["version"]}))
    with pytest.raises(InvalidArtifactError, match="cannot be read"):
        load_samples(tmp_path)
