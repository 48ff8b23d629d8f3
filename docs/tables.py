"""Write the tables of what is supported, from what the conformance cases did: run `python docs/tables.py`.

`python -m benchmarks.coverage FORMAT --json FILE` exports every case and compares it with Keras. `record` keeps the outcome
of each in docs/coverage/FORMAT.json, from which the table of the README and docs/coverage.md are made, and against which
`make test-long` holds the next run.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "coverage"
FORMATS = {"saved_model": "SavedModel", "tflite": "TFLite", "onnx": "ONNX"}
CATEGORIES = {
    "layers": "`keras.layers`, in their configurations",
    "activations": "`keras.activations`",
    "ops": "`keras.ops`",
    "structures": "inputs, outputs, nesting, subclassing, dtypes",
    "applications": "`keras.applications`",
    "hub": "models of KerasHub",
}
BEGIN, END = "<!-- coverage:begin -->\n", "<!-- coverage:end -->"


def record(results: Path) -> None:
    """Keep the outcomes in the JSON file that benchmarks.coverage has written, and those of the categories it did not run."""
    entries = json.loads(results.read_text())
    file = FOLDER / f"{entries[0]['format']}.json"
    run = {_category(e["case"]) for e in entries}
    before = json.loads(file.read_text()) if file.exists() else {}
    kept = {case: outcome for case, outcome in before.items() if _category(case) not in run}
    kept |= {e["case"]: {"status": e["status"]} | ({"why": _why(e)} if e["status"] != "right" else {}) for e in entries}
    FOLDER.mkdir(exist_ok=True)
    file.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")


def recorded() -> dict[str, dict[str, dict[str, str]]]:
    """Return the outcomes by format and case."""
    return {
        f.stem: json.loads(f.read_text())
        for f in sorted(FOLDER.glob("*.json"), key=lambda f: list(FORMATS).index(f.stem))
    }


def table() -> str:
    """Return the table of the README: for each part of Keras and each format, how many cases are right or refused."""
    outcomes = recorded()
    lines = [
        "| cases that load and compute what Keras computes | " + " | ".join(FORMATS[f] for f in outcomes) + " |",
        "|---|" + "---|" * len(outcomes),
    ]
    for category, title in [*CATEGORIES.items(), ("", "**all**")]:
        cells = []
        for cases in outcomes.values():
            chosen = [o["status"] for name, o in cases.items() if name.startswith(category)]
            counts = Counter(chosen)
            refused = f" ({counts['refused']} refused)" if counts["refused"] else ""
            cells.append(f"{counts['right']} of {len(chosen)}{refused}" if chosen else "not run")
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def page() -> str:
    """Return docs/coverage.md: the table, and every case that is not right, with the reason."""
    parts = ["# What is supported\n", table()]
    parts.append(
        "A *refused* case is named before anything is written, with the layer, the reason and a remedy (exit code 4).\n"
    )
    for name, cases in recorded().items():
        rest = {case: o for case, o in cases.items() if o["status"] != "right"}
        rows = [f"| `{case}` | {o['status']} | {o['why']} |" for case, o in sorted(rest.items())]
        listed = ["| case | outcome | why |", "|---|---|---|", *rows] if rows else ["Every case is right."]
        parts.append(f"## {FORMATS[name]}: what is not\n\n" + "\n".join(listed) + "\n")
    return "\n".join(parts)


def readme() -> str:
    """Return the README with the table in its place."""
    text = (ROOT / "README.md").read_text()
    before, rest = text.split(BEGIN)
    return before + BEGIN + table() + END + rest.split(END)[1]


def _category(case: str) -> str:
    return case.partition(".")[0]


def _why(entry: dict[str, str]) -> str:
    lines = [line.strip() for line in entry["detail"].splitlines()]
    reasons = [line.removeprefix("why:").strip() for line in lines if line.startswith("why:")]
    text = (reasons or lines or [""])[0].replace("|", "\\|")
    return text if len(text) <= 160 else text[:157] + "..."


def main() -> int:
    """Record the files named on the command line, then write the tables."""
    for argument in sys.argv[1:]:
        record(Path(argument))
    (ROOT / "docs" / "coverage.md").write_text(page())
    (ROOT / "README.md").write_text(readme())
    return 0


if __name__ == "__main__":
    sys.exit(main())
