"""Export every conformance case to a format and print the table: right and loadable, refused cleanly, wrong.

    python -m benchmarks.coverage tflite --only layers. --json coverage.json

Cases run in a process of their own that is started anew when a runtime takes it down.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import asdict
from pathlib import Path

STATUSES = ("right", "refused", "unverified", "wrong", "failed", "crashed")


def main() -> None:
    arguments = _parser().parse_args()
    if arguments.worker:
        work(arguments)
        return
    results = supervise(arguments)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1))
    print(table(results))
    for entry in results:
        if entry["status"] not in ("right", *(() if arguments.refused else ("refused",))):
            print(f"{entry['status']:8} {entry['case']}: {entry['detail'].replace(chr(10), ' | ')[:300]}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("format", choices=("onnx", "tflite", "saved_model"))
    parser.add_argument("--only", action="append", default=[], help="parts of names of cases; default: all")
    parser.add_argument("--dynamic", action="store_true", help="a dynamic batch in TFLite too")
    parser.add_argument("--refused", action="store_true", help="list the refusals too")
    parser.add_argument("--json", type=Path, help="where to write the outcomes")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    return parser


def supervise(arguments: argparse.Namespace) -> list[dict]:
    """Run the cases in worker processes; return their outcomes in order."""
    from tests.conformance.cases import all_cases

    names = [c.name for c in all_cases() if not arguments.only or any(part in c.name for part in arguments.only)]
    results: list[dict] = []
    while len(results) < len(names):
        command = [sys.executable, "-m", "benchmarks.coverage", arguments.format, "--worker"]
        command += ["--dynamic"] if arguments.dynamic else []
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        with process:
            process.stdin.write("\n".join(names[len(results) :]))
            process.stdin.close()
            results += [json.loads(line) for line in process.stdout]
        if process.returncode and len(results) < len(names):
            lost = {"case": names[len(results)], "format": arguments.format, "status": "crashed"}
            results.append({**lost, "detail": f"exit code {process.returncode}", "ops": None, "seconds": 0.0})
    return results


def work(arguments: argparse.Namespace) -> None:
    """Read names of cases from standard input and write an outcome per line to standard output."""
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # native code writes to standard output
    from tests.conformance.cases import all_cases
    from tests.conformance.examine import examine

    cases = {case.name: case for case in all_cases()}
    for name in sys.stdin.read().splitlines():
        with tempfile.TemporaryDirectory() as folder:
            outcome = examine(cases[name], arguments.format, Path(folder), dynamic=arguments.dynamic)
        print(json.dumps(asdict(outcome)), file=out)


def table(results: list[dict]) -> str:
    """Return the number of cases by category and status."""
    categories = list(dict.fromkeys(r["case"].partition(".")[0] for r in results))
    counts = Counter((r["case"].partition(".")[0], r["status"]) for r in results)
    lines = [f"{'':14}" + "".join(f"{s:>9}" for s in STATUSES)]
    for category in categories:
        lines.append(f"{category:14}" + "".join(f"{counts[category, s]:9}" for s in STATUSES))
    totals = [sum(counts[c, s] for c in categories) for s in STATUSES]
    lines.append(f"{'all':14}" + "".join(f"{n:9}" for n in totals))
    return "\n".join(lines)


if __name__ == "__main__":
    main()
