"""How many rows a model can afford."""

from __future__ import annotations

from exporter.verification.plan import BUDGET, CASES, ESSENTIAL, affordable, cost_of_row
from tests.verification.models import dense


def test_small_models_get_every_case():
    assert affordable(None, cost=10) == list(CASES)


def test_the_cost_stays_within_the_budget_beyond_the_essential_cases():
    for cost in (10**4, 10**5, 10**6, 10**8):
        cases = affordable(None, cost)
        essential = sum(rows for _, rows in cases[:ESSENTIAL])
        assert sum(rows for _, rows in cases) <= max(essential, BUDGET // cost)


def test_the_essential_cases_always_run_with_an_odd_batch_or_two_rows():
    cases = affordable(None, cost=10**9)
    assert cases == [("normal", 2), ("zeros", 1), ("uniform", 2), ("normal", 0), ("pixels", 1)]


def test_no_case_is_planned_twice():
    for cost in (10, 10**4, 10**5, 10**6):
        cases = affordable(None, cost)
        assert len(set(cases)) == len(cases)


def test_a_fixed_batch_tries_every_kind_once():
    cases = affordable(5, cost=10)
    assert {rows for _, rows in cases} == {5}
    assert {kind for kind, _ in cases} == {kind for kind, _ in CASES}


def test_weights_count_beside_the_inputs():
    model = dense(units=32, features=10)
    assert cost_of_row([(None, 10)], model) == 10 + (32 * 10 + 32) // 16
