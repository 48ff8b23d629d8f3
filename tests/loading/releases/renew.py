"""Make the archive of files of every release of Keras 3 anew: `python -m tests.loading.releases.renew FOLDER [VERSION ...]`.

On request, when Keras has a new minor release: add it to RELEASES. Each release is downloaded into FOLDER by itself, and runs
on the installed TensorFlow; it takes one to three minutes. What a release could not write is printed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.loading.releases.stored import Packer

RELEASES = (
    *("3.0.5", "3.1.1", "3.2.1", "3.3.3", "3.4.1", "3.5.0", "3.6.0", "3.7.0", "3.8.0", "3.9.2", "3.10.0", "3.11.3"),
    *("3.12.4", "3.13.2", "3.14.1", "3.15.1"),
)
NEEDED_BY_OLD_ONES = "dm-tree"
WRITER = Path(__file__).with_name("write.py")


def install(requirement: str, folder: Path) -> Path:
    """Download a package without what it needs."""
    if not folder.exists():
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(folder), requirement]
        subprocess.run(command, check=True)
    return folder


def files_of(release: str, folder: Path) -> Path:
    """Run the writer under a release; a folder that is there already is kept."""
    written = folder / "written" / release
    if not (written / "left_out.txt").exists():
        paths = [install(f"keras=={release}", folder / release), install(NEEDED_BY_OLD_ONES, folder / "old")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths)), "KERAS_BACKEND": "tensorflow"}
        written.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, str(WRITER), str(written)], env=environment, check=True)
    return written


def main() -> None:
    """Write files.tar.xz."""
    folder, releases = Path(sys.argv[1]).resolve(), sys.argv[2:] or RELEASES
    packer = Packer()
    for release in releases:
        written = files_of(release, folder)
        print(release, (written / "left_out.txt").read_text(), sep="\n")
        packer.add(release, written)
    packer.write()


if __name__ == "__main__":
    main()
