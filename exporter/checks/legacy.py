"""Files of Keras 2: what was kept by other means, and what is gone."""

from __future__ import annotations

from collections.abc import Iterable

from exporter.capture.source import Source
from exporter.checks import RULES
from exporter.spec import Options, Problem


@RULES.register("legacy")
def legacy(source: Source, options: Options) -> Iterable[Problem]:
    """Pass on what loading had to say."""
    return source.notes
