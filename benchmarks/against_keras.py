"""A program that writes each model twice, by us and by Keras's own export, and prints a row for each that compares the two.

Each file is written by a process of its own, with weights that are the same for both.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Comparison:
    """What one program compares.

    Args:
        module: its name, for `python -m`.
        description: its help.
        format: of the files, a name of `exporter.formats` and the ending of the files.
        models: names in `benchmarks.speed_models`.
        header: of the table.
        row: returns a line of the table, given the folder of the files and the model's name.
        by_keras: writes a model to a path as Keras does.
    """

    module: str
    description: str
    format: str
    models: Iterable[str]
    header: str
    row: Callable[[Path, str], str]
    by_keras: Callable[[Any, Path], None]

    def main(self) -> None:
        """Run the program with the arguments of the command line."""
        arguments = self._parser().parse_args()
        if arguments.write:
            self._write(arguments.models[0], arguments.write, arguments.files)
            return
        with tempfile.TemporaryDirectory() as folder:
            files = arguments.files or Path(folder)
            files.mkdir(parents=True, exist_ok=True)
            print(self.header)
            for name in arguments.models or self.models:
                for side in ("ours", "keras"):
                    if side == "ours" or not (files / f"{name}.keras.{self.format}").exists():
                        self._in_process(name, side, files)
                print(self.row(files, name), flush=True)

    def _parser(self) -> argparse.ArgumentParser:
        parser = argparse.ArgumentParser(
            description=self.description, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        parser.add_argument("models", nargs="*", help="default: all")
        parser.add_argument("--files", type=Path, help="keep the files there; Keras's are not exported again")
        parser.add_argument("--write", choices=("ours", "keras"), help=argparse.SUPPRESS)
        return parser

    def _in_process(self, name: str, side: str, files: Path) -> None:
        """Let a process write a file; what it said when it failed lies beside, as `.error`."""
        command = [sys.executable, "-m", self.module, name, "--write", side, "--files", str(files)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        error = files / f"{name}.{side}.error"
        error.unlink(missing_ok=True)
        if done.returncode:
            error.write_text(done.stderr)

    def _write(self, name: str, side: str, files: Path) -> None:
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        from benchmarks.speed_models import built

        model = built(name)
        path = files / f"{name}.{side}.{self.format}"
        path.unlink(missing_ok=True)
        if side == "keras":
            self.by_keras(model, path)
            return
        from exporter import formats
        from exporter.capture.inference import Inference
        from exporter.spec import Options

        formats.get(self.format).write(Inference(model), path, Options(), {})
