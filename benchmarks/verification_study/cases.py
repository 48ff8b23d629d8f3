"""All cases of the study, in an order in which a run that is cut short has seen every family."""

from __future__ import annotations

import re

from benchmarks.verification_study import applications, heads, images, sequences, trained  # noqa: F401 - they enter families
from benchmarks.verification_study.case import FAMILIES, Case

SEEDS = 6  # of a family of generated nets
OTHER_SEEDS = 3  # of a trained network, of a model of keras.applications
QUICK = (
    "conv_batchnorm",
    "conv_groupnorm",
    "lstm",
    "transformer",
    "sharp_softmax",
    "phase_head",
    "gelu_exact",
    "two_towers",
)


def chosen(pattern: str, *, costly: bool, hub: bool, quick: bool) -> list[Case]:
    """Return the cases whose name the pattern finds.

    Args:
        pattern: a regular expression.
        costly: whether models of 224 pixels are among them.
        hub: whether KerasHub's are.
        quick: one seed of a few families.
    """
    if quick:
        return [c for name in QUICK for c in FAMILIES[name].cases(1) if re.search(pattern, c.name)]
    several = [*trained.cases(OTHER_SEEDS), *applications.cases(OTHER_SEEDS, costly)]
    cases = [*(c for f in FAMILIES.values() for c in f.cases(SEEDS)), *several]
    if hub:
        from benchmarks.verification_study import hub as backbones

        cases += backbones.cases(OTHER_SEEDS)
    cases.sort(key=lambda case: (case.costly, case.seed + case.family.startswith("applications")))
    return [case for case in cases if re.search(pattern, case.name)]
