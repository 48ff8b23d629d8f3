"""The cases themselves: every public name of Keras has one, and Keras runs each of them."""

from __future__ import annotations

import inspect

import keras
import numpy as np
import pytest

from exporter.capture.inference import Inference
from tests.conformance.cases import EXCLUDED, all_cases

CASES = {case.name: case for case in all_cases()}


def public(module, prefix):
    """Return the public functions and classes of a module, by name."""
    return {
        f"{prefix}.{name}": value
        for name, value in vars(module).items()
        if not name.startswith("_") and callable(value) and not inspect.ismodule(value)
    }


def uncovered():
    """Return the public names without a case; two names of one function need one case."""
    names = {
        **public(keras.layers, "keras.layers"),
        **public(keras.activations, "keras.activations"),
        **public(keras.ops, "keras.ops"),
        **public(keras.ops.nn, "keras.ops.nn"),
        **public(keras.ops.numpy, "keras.ops.numpy"),
        **public(keras.ops.linalg, "keras.ops.linalg"),
        **public(keras.ops.image, "keras.ops.image"),
    }
    excluded = {id(names[name]) for name in EXCLUDED}
    covered = {id(item) for case in CASES.values() for item in case.covers}
    return sorted(name for name, value in names.items() if id(value) not in covered | excluded)


def test_every_public_name_has_a_case():
    assert uncovered() == []


def test_every_exclusion_has_a_reason_and_is_not_covered():
    covered = {id(item) for case in CASES.values() for item in case.covers}
    for name, reason in EXCLUDED.items():
        value = keras
        for part in name.split(".")[1:]:
            value = getattr(value, part)
        assert reason
        assert id(value) not in covered, name


def test_a_case_gives_the_same_weights_and_samples_every_time():
    case = CASES["layers.Dense[units=3]"]
    first, second = case.build(), case.build()
    for a, b in zip(first.weights, second.weights, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    names = [i.name for i in Inference(first).inputs]
    np.testing.assert_array_equal(case.samples(names, 3)[names[0]], case.samples(names, 3)[names[0]])


@pytest.mark.long
@pytest.mark.parametrize("name", [n for n in CASES if not n.startswith("applications.")])
def test_keras_runs_the_case(name):
    case = CASES[name]
    inference = Inference(case.build())
    names = [i.name for i in inference.inputs]
    results = inference.predict(case.samples(names, case.batch or 2))
    assert all(np.size(r) for r in results.values())
