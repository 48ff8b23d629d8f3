"""Figures as people read them: sizes, times, errors, verdicts. The same in the terminal and in HTML."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from exporter.errors import ExporterError
from exporter.report.document import plain
from exporter.spec import Artifact, OutputParity, Parity, Report, TensorInfo

Mood = Literal["good", "unsure", "bad"]

_TITLES = {"saved_model": "SavedModel", "tflite": "TFLite", "onnx": "ONNX", "ort": "ORT", "micro": "Micro"}

# The distance from 1.0 to the next number.
_EPSILON = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}

_FAILURES = {4: "unsupported", 5: "invalid", 6: "differs", 7: "no runtime"}


def title(format_name: str) -> str:
    """Return how a format is written in a sentence."""
    return _TITLES.get(format_name, format_name)


def file_size(count: int) -> str:
    """Return bytes in decimal units, three digits: "184 kB", "5.62 MB"."""
    if count < 1000:
        return f"{count} B"
    power = min(int(math.log10(count)) // 3, 4)
    value = f"{count / 1000**power:.3g}"
    if value == "1e+03":  # 999,999 bytes are a megabyte
        power, value = power + 1, "1"
    return f"{value} {('B', 'kB', 'MB', 'GB', 'TB', 'PB')[power]}"


def duration(seconds: float) -> str:
    """Return a duration: "95 ms", "3.2 s", "2:05 min"."""
    if seconds < 0.1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d} min" if minutes < 10 else f"{minutes} min"


def distance(parity: OutputParity, dtype: str = "float32") -> str:
    """Return an error in units in the last place of the scale: what one rounding of the largest value costs.

    Args:
        parity: of one output and case.
        dtype: of that output; an error of integers is given as it is.
    """
    if parity.error == 0:
        return "exact"
    if not math.isfinite(parity.error):
        return "mismatch"
    if dtype not in _EPSILON or parity.scale == 0 or not math.isfinite(parity.scale):
        return f"{parity.error:.3g}"
    ulps = parity.error / (_EPSILON[dtype] * parity.scale)
    return f"{ulps:.1f} ulp" if ulps < 100 else f"{ulps:.0f} ulp" if ulps < 99999.5 else f"{ulps:.0e} ulp"


def share(ratio: float) -> str:
    """Return an error as a share of the tolerance, never rounded down to 100 %: "12 %", from ten times on "1367x"."""
    if not math.isfinite(ratio) or ratio >= 9999.5:
        return "over"
    if ratio == 0:
        return "0 %"
    if ratio < 0.01:
        return "< 1 %"
    return f"{math.ceil(ratio * 100)} %" if ratio < 9.99 else f"{ratio:.0f}x"


def agreement(top1: float | None) -> str:
    """Return the top-1 agreement, never rounded up to 100 %; a dash without real data."""
    return "-" if top1 is None else f"{math.floor(top1 * 10000) / 100:g} %"


def worst(artifact: Artifact) -> tuple[OutputParity, str] | None:
    """Return the comparison that came nearest to its tolerance, with the dtype of its output; None without any."""
    if artifact.parity is None or not artifact.parity.outputs:
        return None
    return artifact.parity.worst, dtype_of(artifact, artifact.parity.worst.output)


def dtype_of(artifact: Artifact, output: str) -> str:
    """Return the dtype of an output of an artifact."""
    outputs = artifact.inspection.outputs if artifact.inspection else ()
    return next((o.dtype for o in outputs if o.name == output), "float32")


def verdict(artifact: Artifact) -> tuple[Mood, str]:
    """Return how an artifact came out, in one or two words."""
    if artifact.error is not None:
        return "bad", _FAILURES.get(artifact.error.exit_code, "failed")
    if artifact.parity is not None and not artifact.parity.ok:
        return "bad", "differs"
    if artifact.path is None:
        return "bad", "not written"
    return ("good", "verified") if artifact.parity is not None else ("unsure", "not compared")


def summary(report: Report) -> tuple[Mood, str]:
    """Return the outcome in one sentence without a full stop."""
    count = len(report.artifacts)
    passed = sum(verdict(a)[0] == "good" for a in report)
    written = sum(a.ok for a in report)
    if not report.ok:
        failed = count - written
        why = f"{failed} of {count} formats failed" if failed else "The model cannot be exported"
        return "bad", why
    if passed == count:
        return "good", f"{_all(count)} verified against Keras"
    return "unsure", f"{_all(count)} written, {count - passed} not compared with Keras"


def interface(tensors: Iterable[TensorInfo]) -> str:
    """Return inputs or outputs in one line: "image float32[?, 8, 8, 1]"."""
    return ", ".join(f"{t.name} {t.dtype}[{shape(t)}]" for t in tensors)


def shape(tensor: TensorInfo) -> str:
    """Return a shape without its brackets, "?" where a dimension is dynamic: "?, 8, 8, 1"."""
    return ", ".join("?" if size is None else str(size) for size in tensor.shape)


def fact(value: Any) -> str:
    """Return a fact about a file or a model: numbers with thousands separators, lists and dicts as JSON."""
    value = plain(value)
    if value in (None, [], {}, ""):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def failures(report: Report) -> list[tuple[str, ExporterError]]:
    """Return what stopped a format, with the title of the format; the same error of several formats once."""
    merged: dict[str, tuple[list[str], ExporterError]] = {}
    for artifact in report:
        if artifact.error is not None:
            merged.setdefault(str(artifact.error), ([], artifact.error))[0].append(title(artifact.format))
    return [(", ".join(names), error) for names, error in merged.values()]


def notes(report: Report) -> list[str]:
    """Return the remarks on all files and comparisons, each once, with the formats they concern unless these are all."""
    merged: dict[str, list[str]] = {}
    for artifact in report:
        remarks = artifact.inspection.facts.get("remarks", ()) if artifact.inspection is not None else ()
        for note in (*remarks, *_remarks_on(artifact.parity)):
            merged.setdefault(note, []).append(title(artifact.format))
    count = len(report.artifacts)
    return [note if len(names) == count else f"{', '.join(names)}: {note}" for note, names in merged.items()]


def _remarks_on(parity: Parity | None) -> Iterator[str]:
    """Yield what a comparison has to say beside its figures."""
    if parity is None:
        return
    if parity.ok and parity.undetermined:
        yield (
            f"{parity.undetermined:,} elements undetermined: float32 itself does not determine them "
            "(a branch, a tie, a logarithm near 0)"
        )
    yield from parity.notes


def _all(count: int) -> str:
    return {1: "The file is", 2: "Both formats are"}.get(count, f"All {count} formats are")
