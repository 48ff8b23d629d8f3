"""The commands in README.md exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from exporter.cli import kx
from models import __main__ as models
from tests.test_makefile import TARGETS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands(text: str) -> list[str]:
    """Return the commands of this project that stand in a page, in blocks and in the text."""
    blocks = re.findall(r"^```(?:sh|bash|shell|console)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = "\n".join([*blocks, *re.findall(r"`([^`\n]+)`", text)]).splitlines()
    found = {line.removeprefix("$ ").strip() for line in lines}
    return sorted(line for line in found if re.match(r"(make|kx|python -m (exporter|models))( |$)", line))


COMMANDS = commands(README)


def words(command: str) -> list[str]:
    return shlex.split(re.split(r" [|>&#]", command)[0])


def test_the_readme_has_the_one_command():
    assert "make export" in COMMANDS


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("make")])
def test_make_commands_have_targets(command):
    targets = [word for word in words(command)[1:] if "=" not in word]
    assert set(targets) <= set(TARGETS)


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith(("kx", "python -m exporter"))])
def test_kx_commands_and_their_options_exist(command):
    arguments = words(command.removeprefix("python -m exporter").removeprefix("kx"))
    context = click.Context(kx)
    chosen: click.Command | None = kx
    if arguments and not arguments[0].startswith("-"):
        chosen = kx.get_command(context, arguments[0])
    assert chosen is not None
    known = {option for parameter in chosen.get_params(context) for option in parameter.opts}
    assert {word.partition("=")[0] for word in arguments if word.startswith("-")} <= known


def test_models_commands_have_options_that_exist():
    for command in COMMANDS:
        if command.startswith("python -m models"):
            models._parser().parse_args(words(command)[3:])
