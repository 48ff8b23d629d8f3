from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    own = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}  # not those of `make test`
    return subprocess.run(["make", *arguments], cwd=ROOT, env=own, capture_output=True, text=True, check=False)


def test_every_target_for_people_is_phony():
    """A file called `test` must not stand in for `make test`."""
    assert re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE) == TARGETS


@pytest.mark.parametrize("arguments", [(), ("help",)], ids=["make", "make help"])
def test_help_lists_every_target_with_what_it_does(arguments):
    result = make(*arguments)
    assert result.returncode == 0
    listed = dict(line.split(maxsplit=1) for line in result.stdout.splitlines()[1:])
    assert list(listed) == TARGETS


@pytest.mark.parametrize("python", ["no-such-python", "false", ""])
def test_without_a_suitable_python_it_says_which_are_and_leaves_nothing(python, tmp_path):
    result = make("export", f"PYTHON={python}", f"VENV={tmp_path}/venv")
    assert result.returncode != 0
    assert "Python 3.11, 3.12 or 3.13" in result.stderr
    assert not list(tmp_path.iterdir())


def test_ci_runs_targets_that_exist_and_the_main_job_among_them():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    steps = re.findall(r"^\s*step ([a-z-]+)$", script, re.MULTILINE)
    assert set(steps) <= set(TARGETS)
    assert {"lint", "types", "test", "export"} <= set(steps)


def test_the_suitable_pythons_are_those_of_the_package():
    lowest = re.search(r'requires-python = ">=3\.(\d+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert lowest is not None
    assert f"not (3, {lowest[1]}) <= sys.version_info" in MAKEFILE
