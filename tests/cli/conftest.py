"""The command line with the work behind it replaced: what is tested is how it asks and how it answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest

from exporter.cli import run
from tests.report.conftest import failed, passed

__all__ = ["failed", "passed"]


@dataclass
class Answer:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out, parse_constant=_refuse)


def _refuse(constant):
    raise AssertionError(f"{constant} is not JSON")


@dataclass
class Work:
    """Stands for a function of `exporter.pipeline`: records how it was called, and returns or raises `result`."""

    result: object
    calls: list = field(default_factory=list)

    def __call__(self, *args, **kwargs):
        self.calls.append((args, kwargs))
        with kwargs["progress"]("Working"):
            print("noise of a library")
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result


@pytest.fixture
def kx(capfd):
    """Run `kx` with arguments in this process."""

    def call(*arguments):
        capfd.readouterr()
        code = run([str(a) for a in arguments])
        return Answer(code, *capfd.readouterr())

    return call


@pytest.fixture
def work(monkeypatch):
    """Replace a function of the pipeline: `work("export", result)`."""

    def replace(name, result):
        fake = Work(result)
        monkeypatch.setattr(f"exporter.pipeline.{name}", fake)
        return fake

    return replace
