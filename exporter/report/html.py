"""The report as one HTML page that needs nothing else: no script, no font, no image from elsewhere."""

from __future__ import annotations

import json
import math

from exporter.report import figures
from exporter.report.document import plain
from exporter.report.snippets import snippet
from exporter.spec import Artifact, Inspection, OutputParity, Report

_MOST_OPS = 16  # kinds of op shown; the rest are added up in one line


def to_html(report: Report) -> str:
    """Return the page."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("exporter.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        {
            "agreement": figures.agreement,
            "distance": figures.distance,
            "dtype_of": figures.dtype_of,
            "duration": figures.duration,
            "file_size": figures.file_size,
            "fact": figures.fact,
            "filled": _filled,
            "metadata": _metadata,
            "number": _number,
            "ops": _ops,
            "shape": figures.shape,
            "share": figures.share,
            "snippet": snippet,
            "title": figures.title,
            "titles": lambda names: ", ".join(map(figures.title, names)),
            "verdict": figures.verdict,
            "worst": figures.worst,
            "worst_first": _worst_first,
        }
    )
    return environment.get_template("report.html.j2").render(report=report, summary=figures.summary(report))


def _filled(parity: OutputParity) -> int:
    """Return how much of the tolerance is used up, in percent of a bar that ends at the tolerance."""
    return 100 if math.isnan(parity.ratio) else round(min(parity.ratio, 1.0) * 100)


def _worst_first(artifact: Artifact) -> list[OutputParity]:
    if artifact.parity is None:
        return []
    return sorted(artifact.parity.outputs, key=lambda o: (o.ok, -o.ratio))


def _ops(inspection: Inspection) -> list[tuple[str, int, int]]:
    """Return (op, count, percent of the most frequent), most frequent first."""
    counts = sorted(inspection.ops.items(), key=lambda item: (-item[1], item[0]))
    if len(counts) > _MOST_OPS:
        rest = counts[_MOST_OPS - 1 :]
        counts = [*counts[: _MOST_OPS - 1], (f"{len(rest)} other ops", sum(count for _, count in rest))]
    most = max((count for _, count in counts), default=1)
    return [(op, count, round(100 * count / most)) for op, count in counts]


def _metadata(inspection: Inspection) -> str:
    return json.dumps(plain(inspection.metadata), indent=2, ensure_ascii=False)


def _number(value: float) -> str:
    return f"{value:.3g}"


__all__ = ["to_html"]
