"""The report's faces: report.json, report.html and the table on the terminal."""

from __future__ import annotations

from pathlib import Path

from exporter.report.document import is_report, read_report
from exporter.report.html import to_html
from exporter.spec import Report


def write_report(report: Report, folder: Path) -> None:
    """Write report.json and report.html into `folder`."""
    (folder / "report.json").write_text(report.to_json(), encoding="utf-8")
    (folder / "report.html").write_text(to_html(report), encoding="utf-8")


def beside(output: Path) -> tuple[Path, Path]:
    """Return where the report of an export that failed stands: report.json and report.html, beside the output folder."""
    return output.with_name(f"{output.name}.report.json"), output.with_name(f"{output.name}.report.html")


def write_failed(report: Report) -> Report:
    """Write the report of an export that failed beside the folder, which stays as it was; return it."""
    document, page = beside(report.directory)
    document.write_text(report.to_json(), encoding="utf-8")
    page.write_text(to_html(report), encoding="utf-8")
    return report


def clear_failed(output: Path) -> None:
    """Remove the report of an earlier export that failed."""
    document, page = beside(output)
    if is_report(document):
        document.unlink()
        page.unlink(missing_ok=True)


def page_of(report: Report) -> Path | None:
    """Return the page to open: in the folder, or beside it if the export failed; None if there is none."""
    inside, outside = report.directory / "report.html", beside(report.directory)[1]
    return next((page for page in ((inside,) if report.ok else (outside, inside)) if page.is_file()), None)


__all__ = ["beside", "clear_failed", "page_of", "read_report", "write_failed", "write_report"]
