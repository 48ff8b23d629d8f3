from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from exporter.cli import kx as group
from exporter.version import __version__

HEAVY = ("ai_edge_litert", "jinja2", "keras", "numpy", "onnx", "onnxruntime", "rich", "tensorflow", "tf2onnx")
COMMANDS = group.list_commands(None)


def test_a_command_is_a_module():
    assert {"check", "export", "inspect", "verify"} <= set(COMMANDS)
    assert group.get_command(None, "_mode") is None
    assert group.get_command(None, "nothing") is None


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_that_fits(kx, command):
    answer = kx(command, "--help")
    assert answer.code == 0
    assert max(map(len, answer.out.splitlines())) <= 100
    assert "--json" in answer.out
    assert "..." not in next(line for line in kx("--help").out.splitlines() if line.startswith(f"  {command} "))


def test_version(kx):
    assert kx("--version").out == f"kx, version {__version__}\n"


@pytest.mark.parametrize(
    "program",
    [
        "import exporter",
        "from exporter.__main__ import main; import sys; sys.argv = ['kx', '--help']; main()",
        "from exporter.__main__ import main; import sys; sys.argv = ['kx', 'export', '--help']; main()",
        "from exporter.__main__ import main; import sys; sys.argv = ['kx', '--version']; main()",
    ],
)
def test_nothing_heavy_is_imported_to_say_hello(program):
    check = f"import atexit, sys; atexit.register(lambda: print([m for m in {HEAVY} if m in sys.modules]))\n"
    result = subprocess.run([sys.executable, "-c", check + program], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("arguments", [["-m", "exporter", "--help"], ["-c", "import exporter"]])
def test_hello_takes_less_than_half_a_second(arguments):
    # Processor time: the machine that runs the tests has other things to do. A child's time is counted when it ends.
    def seconds():
        before = os.times()
        subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system

    started = time.monotonic()
    assert min(seconds() for _ in range(3)) < 0.5
    assert time.monotonic() - started < 60


def test_a_reader_that_leaves_is_no_drama():
    command = f"{sys.executable} -m exporter export --help | true"
    result = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert result.stderr == ""


@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "1>&- 2>&-"])
def test_closed_streams(closed):
    for arguments, code in (("--version", 0), ("inspect missing.onnx", 2), ("inspect missing.onnx --json", 2)):
        command = f"{sys.executable} -m exporter {arguments} {closed}"
        assert subprocess.run(command, shell=True, capture_output=True, check=False).returncode == code


def test_a_terminal_that_knows_only_ascii():
    result = subprocess.run(
        [sys.executable, "-m", "exporter", "inspect", "größe.onnx"],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )
    assert result.returncode == 2
    assert b"gr??e.onnx" in result.stderr
