"""Files that were loaded with trust: whoever reads the report is told so."""

from __future__ import annotations

from collections.abc import Iterator

from exporter.capture.source import Source
from exporter.checks import RULES
from exporter.spec import Options, Problem


@RULES.register("trust")
def trust(source: Source, options: Options) -> Iterator[Problem]:
    """Say that code in the file was allowed to run."""
    yield from trust_warnings(source)


def trust_warnings(source: Source) -> Iterator[Problem]:
    """Yield the one finding, if the model came from a file that was trusted."""
    if source.trusted and source.path is not None:
        yield Problem(
            where=source.path.name,
            reason="it was loaded with trust: code in the file was allowed to run",
            remedy="export the .keras file that it was made from"
            if source.path.is_dir()
            else "if Lambda layers need the trust, write a file without them: kx fix MODEL -o FILE --trust",
            severity="warning",
        )
