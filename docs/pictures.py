"""Draw the pictures of the README from the reports of a real `make export`: run `python docs/pictures.py` after it."""

from __future__ import annotations

import io
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI

from exporter.report import read_report
from exporter.report.terminal import table

ROOT = Path(__file__).parents[1]
COLUMNS = 100


def main() -> int:
    """Write docs/images/export.svg; return 1 if there is no export to draw."""
    reports = [read_report(path.parent) for path in sorted((ROOT / "dist").glob("*/report.json"))]
    if not reports:
        print("nothing in dist/: run `make export` first", file=sys.stderr)
        return 1
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(table(reports, console))
    target = ROOT / "docs" / "images" / "export.svg"
    target.parent.mkdir(exist_ok=True)
    console.save_svg(str(target), title="make export", theme=MONOKAI, unique_id="export")
    return 0


if __name__ == "__main__":
    sys.exit(main())
