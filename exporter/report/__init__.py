"""The report's faces: report.json, report.html and the table on the terminal."""

from __future__ import annotations

import json
from pathlib import Path

from exporter.report.document import read_report
from exporter.spec import Report


def write_report(report: Report, folder: Path) -> None:
    """Write report.json and report.html into `folder`."""
    document = json.dumps(report.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
    (folder / "report.json").write_text(document + "\n", encoding="utf-8")


__all__ = ["read_report", "write_report"]
