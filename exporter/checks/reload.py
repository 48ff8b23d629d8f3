"""The proof that a saved model comes back: saved, loaded in a fresh process, and compared bit for bit."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from exporter.capture.source import Source
from exporter.checks import COSTLY
from exporter.checks._custom import Custom, custom_objects_of
from exporter.errors import UsageError
from exporter.run import child_processes
from exporter.spec import Options, Problem

SECONDS = 600  # a model that takes longer to load and to compute three samples is not verified
_WHERE = "the saved model, loaded in a fresh process"


@COSTLY.register("reload")
def reload(source: Source, options: Options) -> Iterator[Problem]:
    """Save the model, load it where only the modules of its own classes and functions are imported, and compare."""
    if source.path is not None and source.path.is_dir():  # a SavedModel, which no .keras file can hold
        return
    own = [
        custom for custom in custom_objects_of(source) if custom.thing.__name__ != "<lambda>"
    ]  # "registration" tells
    unreachable = [custom for custom in own if _reason_not_importable(custom.thing)]
    for custom in unreachable:
        kind = "class" if isinstance(custom.thing, type) else "function"
        yield Problem(
            where=custom.name,
            reason=f"another program cannot import it: {_reason_not_importable(custom.thing)}",
            remedy=f"move {kind} {custom.thing.__name__} to the top level of a module of its own, and import it from there",
            severity="warning",
        )
    if not unreachable:
        with tempfile.TemporaryDirectory(prefix="exporter-") as folder:
            yield from _compared(source, own, Path(folder))


def _reason_not_importable(thing: Any) -> str:
    if thing.__module__ == "__main__":
        return "it is defined in a script or notebook"
    return "it is defined inside a function" if "<locals>" in thing.__qualname__ else ""


def _compared(source: Source, own: Sequence[Custom], folder: Path) -> Iterator[Problem]:
    from exporter.capture.inference import Inference
    from exporter.checks._evidence import arrays_of, facts_of, paths_of
    from exporter.verification.samples import make_samples

    inference = Inference(source.model)
    try:
        samples = [dict(sample.arrays) for sample in make_samples(inference)[:3]]
    except UsageError:  # the user's own data are needed, and weights alone are compared
        samples = []
    _save_inputs(samples, folder)
    try:
        source.model.save(folder / "model.keras")
    except Exception as error:  # the user's get_config may raise anything
        yield _problem(f"it cannot be saved: {type(error).__name__}: {_first_line(error)}", "fix get_config")
        return
    answer = _ask(folder, sorted({custom.thing.__module__ for custom in own}), source.trusted)
    if "error" in answer:
        yield _problem(answer["error"], answer["remedy"])
        return
    yield from _different_facts(facts_of(source.model), answer["facts"])
    yield from _different_arrays(arrays_of(source.model, inference, samples), paths_of(source.model), folder)


def _save_inputs(samples: Sequence[Mapping[str, Any]], folder: Path) -> None:
    import numpy as np

    for number, arrays in enumerate(samples):
        plain = {name: a.astype(str) if a.dtype.kind == "O" else a for name, a in arrays.items()}
        np.savez(folder / f"inputs_{number}.npz", **plain)


def _ask(folder: Path, modules: Sequence[str], trusted: bool) -> dict[str, Any]:
    """Run the process; return its facts, or why it could not load the model.

    Modules of the current folder are found as `--custom` finds them: last, by the process itself.
    """
    command = child_processes.command("exporter.checks._evidence", str(folder), "trust" if trusted else "", *modules)
    environment = child_processes.environment(PYTHONWARNINGS="ignore")
    try:
        run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return {"error": f"it takes more than {SECONDS} seconds", "remedy": "reload it yourself and compare"}
    answer = folder / "answer.json"
    if not answer.exists():
        last = next(iter(run.stderr.strip().splitlines()[-1:]), "")
        return {"error": f"the process ended with code {run.returncode}: {last}", "remedy": "load it yourself"}
    found: dict[str, Any] = json.loads(answer.read_text())
    return found


def _different_facts(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Problem]:
    for name in before:
        if before[name] != after.get(name):
            path, one, other = _first_difference(before[name], after.get(name))
            yield _problem(
                f"its {name}{path} changes: {_short(one)} before, {_short(other)} after",
                "register the loss, metric or optimizer: @keras.saving.register_keras_serializable(package=...)"
                if name != "config"
                else "return every argument from get_config, as it was given",
            )


def _first_difference(one: Any, other: Any) -> tuple[str, Any, Any]:
    """Where in two different documents the first difference stands, and what stands there."""
    pairs: list[tuple[str, Any, Any]] = []
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        pairs = [(f".{key}", one[key], other[key]) for key in one]
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = [(f"[{number}]", a, b) for number, (a, b) in enumerate(zip(one, other, strict=True))]
    for step, a, b in pairs:
        if a != b:
            path, *values = _first_difference(a, b)
            return (step + path, *values)
    return "", one, other


def _different_arrays(before: Mapping[str, Any], paths: Mapping[str, str], folder: Path) -> Iterator[Problem]:
    import numpy as np

    with np.load(folder / "arrays.npz") as after:
        for kind in ("weight", "optimizer variable", "output"):
            wanted = {name: value for name, value in before.items() if name.startswith(f"{kind} ")}
            found = {name for name in after.files if name.startswith(f"{kind} ")}
            wrong = [n for n, value in wanted.items() if n not in found or not _same_bits(value, after[n])]
            if wrong or len(found) != len(wanted):
                names = ", ".join(paths.get(name, name) for name in wrong[:3]) or "their number"
                yield _problem(
                    f"{len(wrong)} of {len(wanted)} {kind}s are not the same, bit for bit: {names}",
                    "create weights in build() with add_weight, and keep state in weights only",
                )


def _same_bits(one: Any, other: Any) -> bool:
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


def _problem(reason: str, remedy: str) -> Problem:
    return Problem(where=_WHERE, reason=reason, remedy=remedy, severity="warning")


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "")[:200]


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 80 else f"{text[:79]}…"
