"""Outputs that share a name: every file tells them apart by a number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from exporter.checks import RULES
from exporter.source import Source
from exporter.spec import Options, Problem


@RULES.register("names")
def names(source: Source, options: Options) -> Iterator[Problem]:
    """Find output names that Keras gives to more than one output."""
    keys = getattr(source.model, "_outputs_struct", None)
    if isinstance(keys, dict):
        return
    for name, count in Counter(getattr(source.model, "output_names", ())).items():
        if count > 1:
            numbered = ", ".join([name, *(f"{name}_{n}" for n in range(1, count))])
            yield Problem(
                where=name,
                reason=f"{count} outputs come from this layer and share its name; the files call them {numbered}",
                remedy='return a dict to name them: keras.Model(inputs, {"sequence": a, "state": b})',
                severity="warning",
            )
