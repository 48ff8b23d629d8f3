"""KerasHub's models with tiny random weights, as the conformance tests build them; keras-hub must be installed."""

from __future__ import annotations

from benchmarks.verification_study.case import Case


def cases(seeds: int) -> list[Case]:
    """Return a case for each model of KerasHub that the conformance tests export, and each seed."""
    from tests.conformance.cases import hub_images, hub_text, hub_vision

    known = [case for module in (hub_text, hub_images, hub_vision) for case in module.CASES]
    return [
        Case(f"hub/{case.name}", seed, lambda rng, c=case: c.build(), faults=False)
        for case in known
        for seed in range(seeds)
    ]
