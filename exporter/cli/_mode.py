"""How a command speaks: JSON or text, everything or only errors, with the libraries' own output or without."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from exporter.run.progress import Progress


@dataclass
class Mode:
    """What the options --json, -v and -q ask for; filled while the arguments are parsed."""

    json: bool = False
    verbose: bool = False
    quiet: bool = False

    @contextlib.contextmanager
    def working(self) -> Iterator[Progress]:
        """Do long work inside this context: libraries are silenced, progress is shown on standard error."""
        from exporter.run.progress import Silent, progress_on
        from exporter.run.quiet import quiet

        with quiet(enabled=not self.verbose) as stream:
            yield Silent() if self.quiet else progress_on(stream, lines=self.json or self.verbose)

    def console(self, *, stderr: bool = False) -> Console:
        """Return a console on standard output, or on standard error."""
        from rich.console import Console

        return Console(stderr=stderr, highlight=False)

    def print_json(self, document: Mapping[str, Any]) -> None:
        """Print the one JSON document on standard output."""
        sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
