"""The command line `kx`: one module for each command, imported when it is asked for."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence

import click

from exporter.cli._failure import explain
from exporter.cli._mode import Mode
from exporter.version import __version__

_EPILOG = """\b
Exit codes:
  0  done and verified
  1  the output cannot be written, or an unexpected failure
  2  an argument is wrong
  3  the model does not load
  4  something in the model cannot be exported
  5  a file is invalid or does not load in its runtime
  6  a file computes something else than Keras
  7  a package or runtime that was asked for is missing
"""


class Commands(click.Group):
    """Finds the commands by the modules of this package: `exporter.cli.check` holds the `command` called "check"."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None if there is none of that name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = importlib.import_module(f"{__name__}.{cmd_name}").command
        return command


@click.group(
    cls=Commands,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100, "show_default": True},
)
@click.version_option(__version__, prog_name="kx")
def kx() -> None:
    """Export Keras 3 models to SavedModel, TFLite and ONNX files, verified to compute what Keras computes."""


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; whatever fails is explained on standard error, or as JSON."""
    mode = Mode(json="--json" in arguments)  # a wrong argument must be answered in JSON before arguments are parsed
    try:
        code = kx.main(list(arguments), prog_name="kx", standalone_mode=False, obj=mode)
    except SystemExit as leaving:  # SIGTERM, or whoever read our output has left: there is nobody to tell
        return int(leaving.code or 0)
    except (Exception, KeyboardInterrupt) as error:
        return explain(error, mode)
    return int(code or 0)


__all__ = ["kx", "run"]
