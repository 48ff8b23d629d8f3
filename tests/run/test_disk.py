from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from exporter.errors import InvalidArtifactError, OutputError
from exporter.run.disk import disk_full, nearest, output_error

OUTPUT = Path("dist/digits")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_known_by_number_and_by_message(code):
    for error in (OSError(code, os.strerror(code)), RuntimeError(f"write failed; {os.strerror(code)}")):
        assert disk_full(error, OUTPUT).what == "the disk is full"


def test_it_is_found_behind_what_was_raised_instead():
    wrapped = InvalidArtifactError("the file cannot be read")
    wrapped.__context__ = RuntimeError("cannot save")
    wrapped.__context__.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert disk_full(wrapped, OUTPUT).what == "the disk is full"


@pytest.mark.parametrize(
    "error", [ValueError("x"), OSError("No such file"), FileNotFoundError(errno.ENOENT, "No such file or directory")]
)
def test_other_errors_are_not_a_full_disk(error):
    assert disk_full(error, OUTPUT) is None


def test_an_output_error_stays_itself():
    error = OutputError("the disk is full")
    assert disk_full(error, OUTPUT) is error


def test_the_system_says_why():
    error = output_error(PermissionError(errno.EACCES, "Permission denied"), OUTPUT)
    assert (error.where, error.reason) == ("dist/digits", "Permission denied")
    assert output_error(OSError("only words"), OUTPUT).reason == "only words"


def test_nearest(tmp_path):
    assert nearest(tmp_path) == tmp_path
    assert nearest(tmp_path / "a" / "b") == tmp_path
