"""KerasHub's models with tiny random weights, as the conformance tests build them; keras-hub must be installed."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.verification_study.case import Case


def cases(seeds: int) -> list[Case]:
    """Return a case for each model of KerasHub that the conformance tests export, and each seed."""
    from tests.conformance.cases import hub_images, hub_text, hub_vision

    known = [case for module in (hub_text, hub_images, hub_vision) for case in module.CASES]
    return [_case(each, seed) for each in known for seed in range(seeds)]


def _case(known: Any, seed: int) -> Case:
    limits = [int(spec.high or 5) for spec in known.inputs if "int" in spec.dtype]
    return Case(
        f"hub/{known.name}",
        seed,
        lambda rng: _varied(known.build(), rng),
        ids=min(limits, default=10),
        lengths=(6, 8),
        faults=False,
    )


def _varied(model: Any, rng: np.random.Generator) -> Any:
    """Give each seed weights of its own: the conformance tests always build the same ones."""
    for weight in model.trainable_weights:
        factors = rng.lognormal(0, 0.3, tuple(weight.shape))
        weight.assign(weight * factors.astype(weight.dtype))
    return model
