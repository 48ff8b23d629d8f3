"""The names of the classes that a model scores, kept in every file's metadata."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from exporter.errors import UsageError
from exporter.run.failures import reason_of
from exporter.spec import TensorInfo


def checked_labels(labels: Sequence[str], outputs: Sequence[TensorInfo]) -> list[str]:
    """Return the labels, one for each score of an output; two may be the same, as "crane" is in ImageNet.

    Raises:
        UsageError: if they are no strings, or if no output has as many scores.
    """
    listed = [] if isinstance(labels, str) else list(labels)
    wrong = next((label for label in listed if not isinstance(label, str) or not label or "\n" in label), None)
    if not listed or wrong is not None:
        raise UsageError("labels are strings of one line each", where=f"labels={labels if not listed else wrong!r}")
    if not any(o.shape and o.shape[-1] == len(listed) for o in outputs):
        raise UsageError(
            "the labels do not fit the model",
            where=f"{len(listed)} labels",
            reason=f"no output has as many scores: {', '.join(map(str, outputs))}",
            remedy="give one label for each score, in their order",
        )
    return listed


def read_labels(path: Path) -> list[str]:
    """Return the lines of a text file in UTF-8.

    Raises:
        UsageError: if it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise UsageError(
            "the labels cannot be read",
            where=f"--labels {path}",
            reason=reason_of(error),
            remedy="write a text file in UTF-8 with one label in each line",
        ) from error
