"""How every process of this package is started: no Python file of the current folder is run by it.

`python -m` puts the current folder first on the import path, so that a `json.py` or an `h5py.py` beside a downloaded model
would run in the process that looks at it. `-P` leaves it out, and so does the path that is handed on.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_HOME = Path(__file__).resolve().parents[2]  # where this package lies: site-packages, or a checkout


def command(module: str, *arguments: str) -> list[str]:
    """The command line of a process that runs a module of this package."""
    return [sys.executable, "-P", "-m", module, *arguments]


def command_of_file(path: str, *arguments: str) -> list[str]:
    """The command line of a process that runs one file, which imports nothing of this package."""
    return [sys.executable, "-P", path, *arguments]


def environment(**more: str) -> dict[str, str]:
    """The environment of such a process: it imports from where this one does, but for the current folder.

    Args:
        more: further variables.
    """
    return {**os.environ, "PYTHONPATH": os.pathsep.join(import_path()), **more}


def import_path() -> list[str]:
    """`sys.path` without the current folder; a checkout of this package stays, also where one stands in it."""
    here = os.getcwd()
    absolute = [os.path.abspath(path) for path in sys.path if path]
    return [path for path in dict.fromkeys(absolute) if Path(path) == _HOME or not _is_folder(path, here)]


def _is_folder(path: str, folder: str) -> bool:
    try:
        return os.path.samefile(path, folder)
    except OSError:  # an entry that does not exist, as that of the zipped standard library
        return False
