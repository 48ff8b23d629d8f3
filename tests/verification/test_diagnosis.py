"""A difference is described by how far it reaches, and has a remedy that fits."""

from __future__ import annotations

import numpy as np
import pytest

from exporter.spec import OutputParity, Parity
from exporter.verification.diagnosis import REPORT, describe, remedy_for


def compared(output="y", case="normal, batch 3", error=0.0, **more):
    return OutputParity(output, case, error, 1e-6, 1.0, 1e-7, **{"elements": 30, **more})


def parity(*outputs):
    return Parity(outputs, "float64")


def test_one_element():
    text = describe(parity(compared(error=1e-3, beyond=1), compared(case="zeros, batch 1")))
    assert "a single one of 30 elements" in text
    assert "max |difference| 0.001, allowed 1e-06 at scale 1" in text


def test_some_elements():
    assert "1,200 of 3,000 elements" in describe(parity(compared(error=1, beyond=1200, elements=3000)))
    assert "elements" not in describe(parity(compared(error=1, beyond=30)))


def test_one_output():
    text = describe(parity(compared(error=1), compared("z"), compared(case="ones, batch 2", error=1)))
    assert "only output y" in text


def test_one_batch_size():
    cases = [compared(case="normal, batch 17", error=1), compared(case="ones, batch 17", error=1), compared()]
    assert "only batch size 17" in describe(parity(*cases))


def test_one_size():
    cases = [compared(case="normal, batch 3, size 12", error=1), compared(case="normal, batch 3, size 5")]
    assert "only size 12" in describe(parity(*cases))


def test_one_kind_of_sample():
    cases = [compared(case="ones, batch 2", error=1), compared(case="normal, batch 2")]
    assert "only kind of sample ones" in describe(parity(*cases))


def test_nothing_in_common():
    assert "only" not in describe(parity(compared(error=1), compared("z", case="ones, batch 1", error=1)))


def test_what_does_not_match_at_all():
    note = "NaN at 3 places, in Keras at 0"
    assert describe(parity(compared(error=np.inf, note=note))) == note


@pytest.mark.parametrize(("error", "wanted"), [(1.5e-3, "2e-03"), (4e-2, "5e-02"), (6e-2, "1e-01"), (1e-3, "1e-03")])
def test_an_ill_conditioned_model_is_no_defect(error, wanted):
    output = OutputParity("y", "normal, batch 3", error, error / 2 + 2e-3, 1.0, 1e-3, undetermined=3)
    assert f"tolerance={wanted}" in remedy_for(parity(output), None)
    assert "please report" not in remedy_for(parity(output), None)


def test_a_stated_tolerance_is_the_users_own():
    assert "that you stated" in remedy_for(parity(compared(error=1e-3)), 1e-6)


def test_a_well_conditioned_model_is_a_defect():
    assert remedy_for(parity(compared(error=1e-3)), None) == REPORT
