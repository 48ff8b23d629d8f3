"""Say what kind of difference a file shows, from the figures of its outputs and cases, and what can be done about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from exporter.spec import OutputParity, Parity

ILL_CONDITIONED = 2.0**-10  # of the scale; where rounding alone takes an output that far, the model is ill-conditioned

REPORT = "please report it with the model; the report lists every output and case"
STATE = (
    "float32 determines this output to {share:.1e} of its scale only. Compare on data of your own (samples=, --samples), "
    "and if the difference does not matter, state what you accept: tolerance={wanted:.0e} (--tolerance {wanted:.0e})"
)
RAISE = "it is beyond the tolerance that you stated; tolerance={wanted:.0e} (--tolerance {wanted:.0e}) would pass"


def describe(parity: Parity) -> str:
    """Return in words how far the failing outputs reach: one element, one output, one batch size, one kind of input."""
    failed = [o for o in parity.outputs if not o.ok]
    worst = parity.worst
    if worst.note and not np.isfinite(worst.error):
        return worst.note
    figures = f"max |difference| {worst.error:.3g}, allowed {worst.tolerance:.3g} at scale {worst.scale:.3g}"
    extent = [text for text in (_elements(worst), *_reach(parity.outputs, failed)) if text]
    return "; ".join([figures if worst.scale else worst.note or figures, *extent])


def remedy_for(parity: Parity, stated: float | None) -> str:
    """Return what to do about a difference whose cause is not known."""
    worst = parity.worst
    wanted = _rounded_up(worst.error / worst.scale) if worst.scale and np.isfinite(worst.error) else 0.0
    if stated is not None and wanted:
        return RAISE.format(wanted=wanted)
    if wanted and is_ill_conditioned(worst):
        return STATE.format(share=worst.tolerance / worst.scale, wanted=wanted)
    return REPORT


def is_ill_conditioned(output: OutputParity) -> bool:
    """Whether rounding alone takes an output so far that few digits are left."""
    return bool(output.undetermined) or output.tolerance > ILL_CONDITIONED * output.scale > 0


def _elements(worst: OutputParity) -> str:
    if not worst.beyond or worst.beyond == worst.elements:
        return ""
    return (
        f"{worst.beyond:,} of {worst.elements:,} elements"
        if worst.beyond > 1
        else f"a single one of {worst.elements:,} elements"
    )


def _reach(outputs: Sequence[OutputParity], failed: Sequence[OutputParity]) -> list[str]:
    """Say what all failing comparisons have in common that some passing one has not."""
    traits: tuple[tuple[str, Callable[[OutputParity], str]], ...] = (
        ("output", lambda o: o.output),
        ("batch size", lambda o: _part(r"batch ([\d and]+)", o.case)),
        ("size", lambda o: _part(r", size ([\d x]+)", o.case)),
        ("kind of sample", lambda o: o.case.partition(",")[0]),
    )
    found = []
    for name, trait in traits:
        values = {trait(o) for o in failed}
        if len(values) == 1 and any(trait(o) not in values for o in outputs):
            found.append(f"only {name} {values.pop()}")
    return found


def _part(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    return match[1].strip() if match else ""


def _rounded_up(share: float) -> float:
    """Return the next 1, 2 or 5 times a power of ten."""
    power = 10.0 ** np.floor(np.log10(share))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= share))
