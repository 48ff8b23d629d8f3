"""Files that every release of Keras 3 wrote load without trust, and compute what they computed there."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest

from exporter.loading import load
from exporter.loading.config import ConfigAudit
from exporter.loading.custom import KnownNames
from tests.loading.releases import stored, write
from tests.loading.releases.renew import RELEASES

NAMES = sorted({(release, name) for release, files in stored.index().items() for name in files})


def distinct(names):
    """Each file once that differs from those of other releases in more than its version, the earliest first."""
    seen = {}
    for release, name in sorted(names, key=lambda pair: [int(part) for part in pair[0].split(".")]):
        seen.setdefault(json.dumps(stored.index()[release][name], sort_keys=True), (release, name))
    return list(seen.values())


# Loaded by default: what earlier releases called otherwise or stored otherwise. `-m long` loads every distinct file.
BY_DEFAULT = [
    *(("3.0.5", name) for name in ("layers_sequence", "small_objects", "training", "optimizer_nadam")),
    *(("3.6.0", name) for name in ("layers_sequence", "small_objects")),
]


def test_releases_from_the_first_to_the_last():
    """The archive holds all that `renew.py` makes, and each release its losses and metrics."""
    assert set(stored.index()) == set(RELEASES)
    assert all("training" in files for files in stored.index().values())


def test_no_config_is_refused():
    """The whole archive as data: every layer, initializer, activation, loss, metric and optimizer of each release."""
    refused = {
        f"{release} {name}": [str(finding) for finding in findings]
        for release, name in NAMES
        if (findings := list(ConfigAudit(KnownNames({})).model_findings(json.loads(stored.config(release, name)))))
    }
    assert refused == {}


def test_old_names_are_those_of_keras():
    """These made `.keras` files of Keras 3.0 to 3.6 with recurrent layers unsafe."""
    text = b"".join(stored.config("3.0.5", name) for name in stored.index()["3.0.5"])
    assert b'"OrthogonalInitializer"' in text
    assert b'"IdentityInitializer"' in text
    assert b'"value_range"' in text


FIRST_TO_CROP_IN_TRAINING_ONLY = (3, 8)


def resized_by_crops(release, model):
    """The outputs of RandomCrop in a file that was written while it resized at inference."""
    if tuple(map(int, release.split(".")[:2])) >= FIRST_TO_CROP_IN_TRAINING_ONLY:
        return set()
    made_by = [tensor._keras_history.operation for tensor in model.outputs]
    return {number for number, layer in enumerate(made_by) if isinstance(layer, keras.layers.RandomCrop)}


def compare(computed, expected, numbers):
    for number in numbers:
        array, wanted = computed[number], expected[f"output {number}"]
        if wanted.dtype.kind == "f":
            np.testing.assert_allclose(array, wanted, **stored.CLOSE, err_msg=f"output {number}")
        else:
            np.testing.assert_array_equal(array.astype(wanted.dtype), wanted, err_msg=f"output {number}")


def check(release, name, folder):
    """Compare all but what `test_crops_of_earlier_releases` compares."""
    model = load(stored.write(release, name, folder))
    computed = write.computed(model, [tensor.name for tensor in model.inputs])
    expected = stored.arrays(release, name)
    assert len(computed) == len(expected)
    compare(computed, expected, sorted(set(range(len(computed))) - resized_by_crops(release, model)))
    return model


@pytest.mark.long
@pytest.mark.xfail(
    strict=True, reason="RandomCrop of Keras up to 3.7 resized at inference; since 3.8 it returns its input"
)
@pytest.mark.parametrize("release", ["3.0.5", "3.7.0"])
def test_crops_of_earlier_releases(release, tmp_path):
    model = load(stored.write(release, "layers_image", tmp_path))
    computed = write.computed(model, [tensor.name for tensor in model.inputs])
    compare(computed, stored.arrays(release, "layers_image"), resized_by_crops(release, model))


def test_arguments_that_are_gone(tmp_path):
    """`value_range` of RandomRotation: such a file loads."""
    assert isinstance(load(stored.write("3.0.5", "layers_image", tmp_path)), keras.Model)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("release", "name"),
    [
        pytest.param(*pair, marks=[pytest.mark.long] * (pair not in BY_DEFAULT))
        for pair in dict.fromkeys((*BY_DEFAULT, *distinct(NAMES)))
        if pair in NAMES
    ],
)
def test_file(release, name, tmp_path):
    keras.utils.clear_session()
    model = check(release, name, tmp_path)
    evaluated = stored.index()[release][name].get("evaluated", {})
    if evaluated:
        model.run_eagerly = True
        truth = stored.arrays(release, name, "truth")
        found = model.evaluate({"vector": write.example("vector")}, truth, verbose=0, return_dict=True)
        assert {key: float(np.sum(found[key])) for key in evaluated} == pytest.approx(evaluated, rel=1e-4, abs=1e-5)


def test_the_state_of_nadam_in_its_old_order(tmp_path):
    """Up to Keras 3.9 the product of the momentum schedule stood before the momenta."""
    model = load(stored.write("3.0.5", "optimizer_nadam", tmp_path))
    rate = 0.9 * (1 - 0.5 * 0.96**1)  # after one step, by Dozat's schedule
    assert float(model.optimizer._u_product) == pytest.approx(rate, rel=1e-6)
