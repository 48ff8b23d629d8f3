"""What was measured, a line of JSON for each file; a run that was stopped goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Line = dict[str, Any]


class Record:
    """The lines of a run, in a file if there is one.

    Args:
        path: of the .jsonl file; None keeps them in memory.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        text = path.read_text() if path is not None and path.exists() else ""
        lines: list[Line] = [json.loads(line) for line in text.splitlines() if line.endswith("}")]
        self.lines = [line for line in lines if "begun" not in line]
        self._keys = {line["key"] for line in self.lines}
        self._died = {line["begun"] for line in lines if "begun" in line} - self._keys

    def has(self, key: str) -> bool:
        """Whether it was measured."""
        return key in self._keys

    def add(self, key: str, **facts: Any) -> None:
        """Append a line."""
        line = {"key": key, **facts}
        self.lines.append(line)
        self._keys.add(key)
        self._write(line)

    def once(self, key: str, facts: Line, measure: Callable[[], Line]) -> None:
        """Measure and append, unless it was measured before; a line says that it began.

        A runtime may end the process on a faulty file: then the next run finds the beginning alone, appends `facts` as they
        are, and goes on behind it.
        """
        if self.has(key):
            return
        if key in self._died:
            self.add(key, **facts)
            return
        self._write({"begun": key})
        self.add(key, **facts, **measure())

    def _write(self, line: Line) -> None:
        if self._path is not None:
            with self._path.open("a") as file:
                file.write(json.dumps(line, default=float) + "\n")

    def of(self, part: str) -> list[Line]:
        """Return the lines of a part of the study."""
        return [line for line in self.lines if line.get("part") == part]
