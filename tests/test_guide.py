"""The Python blocks of docs/guide.md run, in order; its commands are held by tests/test_readme.py's rules."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.test_readme import commands, test_kx_commands_and_their_options_exist

GUIDE = (Path(__file__).parents[1] / "docs" / "guide.md").read_text(encoding="utf-8")


def test_the_python_blocks_run_in_order(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = list(re.finditer(r"^```python\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL))
    names: dict[str, object] = {"__name__": "guide"}
    for block in blocks:
        line = GUIDE[: block.start(1)].count("\n")
        exec(compile("\n" * line + block[1], "docs/guide.md", "exec"), names)
    assert len(blocks) > 5
    assert "why:" in capsys.readouterr().out


@pytest.mark.parametrize("command", [c for c in commands(GUIDE) if c.startswith("kx")])
def test_the_commands_exist(command):
    test_kx_commands_and_their_options_exist(command)
