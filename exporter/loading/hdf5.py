"""Audit of an HDF5 file, done by a process of its own within limits of time and memory.

The HDF5 library is C code that trusts its input: single changed bytes make it loop for ever inside an attribute.
Whatever the loading process will read, `hdf5_process.py` has read before, with the same library.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO

from exporter.loading import limits
from exporter.loading.finding import Finding
from exporter.run import child_processes

MODEL_CONFIG, TRAINING_CONFIG = "model_config", "training_config"  # attributes of a legacy file
KERAS_VERSION = "keras_version"


@dataclass(frozen=True)
class Hdf5Audit:
    """What the audit of one HDF5 file gave.

    Args:
        findings: the reasons to refuse it.
        arrays: how many arrays it holds.
        array_bytes: their size in memory, in bytes.
        configs: the texts of `model_config` and `training_config` of a legacy file; None for one that is no text.
        version: of the Keras that wrote a legacy file, as it says.
    """

    findings: list[Finding]
    arrays: int = 0
    array_bytes: int = 0
    configs: Mapping[str, str | None] = field(default_factory=dict)
    version: str | None = None


def audit_hdf5(stream: IO[bytes], start: int, size: int, where: str) -> Hdf5Audit:
    """Audit the HDF5 file that lies at `start` in an open file.

    Args:
        stream: an open file of the operating system; it is not moved.
        start: where the HDF5 file begins, in bytes.
        size: how long it is, in bytes.
        where: how messages call it.
    """
    seconds = limits.HDF5_SECONDS + size // limits.HDF5_BYTES_PER_SECOND
    command = child_processes.command(f"{__name__}_process", str(start), str(size), str(seconds), where)
    try:
        done = subprocess.run(
            command,
            stdin=stream,
            capture_output=True,
            timeout=limits.WALL_OVER_CPU * seconds,
            env=child_processes.environment(OPENBLAS_NUM_THREADS="1"),  # every further thread reserves memory
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Hdf5Audit([_gave_up(where, "it did not end")])
    if done.returncode < 0 or not done.stdout:
        return Hdf5Audit([_gave_up(where, _death(done))])
    answer = json.loads(done.stdout)
    findings = [Finding(**finding) for finding in answer["findings"]]
    return Hdf5Audit(findings, answer["arrays"], answer["array_bytes"], answer["configs"], answer["version"])


def _death(done: subprocess.CompletedProcess[bytes]) -> str:
    if done.returncode < 0:
        return f"it was ended by signal {-done.returncode}"
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return f"it ended with code {done.returncode}: {lines[-1] if lines else ''}"


def _gave_up(where: str, how: str) -> Finding:
    return Finding(
        f"the HDF5 library cannot cope with this file: reading it in a process of its own, {how}",
        where,
        "the file is damaged on purpose or by accident: get it again from its source",
        unsafe=True,
    )
