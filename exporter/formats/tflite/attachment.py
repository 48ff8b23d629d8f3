"""Files in a zip archive behind the flatbuffer, where apps for phones look for labels. The runtime does not see it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

FIRST_OF_TIMES = (1980, 1, 1, 0, 0, 0)  # so that equal files have equal bytes


def attach(path: Path, texts: Mapping[str, str]) -> None:
    """Append an archive of text files, by name, to the file at `path`."""
    from zipfile import ZipFile, ZipInfo

    with ZipFile(path, "a") as archive:
        for name, text in texts.items():
            archive.writestr(ZipInfo(name, FIRST_OF_TIMES), text)
