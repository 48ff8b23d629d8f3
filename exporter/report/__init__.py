"""The report's faces: report.json, report.html and the table on the terminal."""

from __future__ import annotations

from pathlib import Path

from exporter.report.document import read_report
from exporter.report.html import to_html
from exporter.spec import Report


def write_report(report: Report, folder: Path) -> None:
    """Write report.json and report.html into `folder`."""
    (folder / "report.json").write_text(report.to_json(), encoding="utf-8")
    (folder / "report.html").write_text(to_html(report), encoding="utf-8")


__all__ = ["read_report", "write_report"]
