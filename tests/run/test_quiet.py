from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
import threading
import warnings

import pytest

from exporter.errors import UnsupportedError
from exporter.run.quiet import quiet

# Writes to all the places where libraries write, one word each.
NOISE = """
import ctypes, logging, os, sys, warnings
def noise():
    print("print")
    sys.stderr.write("stderr")
    os.write(1, b"native1")
    os.write(2, b"native2")
    ctypes.CDLL(None).printf(b"libc")   # held back by the C library until it is flushed
    logging.getLogger("tensorflow").warning("logging")
    warnings.warn("warning")
    os.system("echo child")
"""


def run(program, *, closed="", stdin=None):
    """Run a program in a process of its own; return its status, standard output and standard error."""
    command = [sys.executable, "-c", NOISE + "from exporter.run.quiet import quiet\n" + program]
    if closed:
        command = ["sh", "-c", f'exec "$@" {closed}', "sh", *command]
    result = subprocess.run(command, capture_output=True, text=True, stdin=stdin, check=False)
    return result.returncode, result.stdout, result.stderr


def test_everything_is_kept_off_and_comes_back():
    program = """
print("before"); sys.stderr.write("before\\n")
with quiet() as stream:
    noise()
    stream.write("seen\\n")
print("after"); sys.stderr.write("after\\n"); os.write(1, b"native")
"""
    assert run(program) == (0, "before\nafter\nnative", "before\nseen\nafter\n")


def test_the_noise_reaches_the_terminal_without_it():
    status, out, err = run("noise()")
    assert status == 0
    assert all(word in out for word in ("print", "native1", "libc", "child"))
    assert all(word in err for word in ("stderr", "native2", "logging", "warning"))


def test_an_unknown_failure_shows_what_was_captured():
    status, out, err = run("with quiet():\n    noise()\n    1 / 0")
    assert (status, out) == (1, "")
    for word in ("print", "stderr", "native1", "native2", "libc", "logging", "warning", "child", "ZeroDivisionError"):
        assert word in err


@pytest.mark.parametrize("error", ["UnsupportedError('x')", "KeyboardInterrupt()", "SystemExit(0)"])
def test_a_known_failure_does_not(error):
    program = f"""
from exporter.errors import UnsupportedError
try:
    with quiet():
        noise()
        raise {error}
except BaseException as error:
    assert type(error).__name__ in {error!r}
"""
    assert run(program) == (0, "", "")


def test_disabled_it_changes_nothing_and_so_do_those_inside():
    status, out, err = run("with quiet(False):\n    with quiet() as stream:\n        noise(); stream.write('seen')")
    assert status == 0
    assert "native1" in out
    assert "native2" in err
    assert "seen" in err


def test_the_outermost_decides():
    program = "with quiet():\n    with quiet() as stream:\n        noise(); stream.write('seen')\n    noise()"
    assert run(program) == (0, "", "seen")


@pytest.mark.parametrize("closed", ["2>&-", "1>&- 2>&-", "0<&- 1>&- 2>&-", "0<&- 2>&-", "1>&-"])
def test_closed_descriptors_stay_closed(closed):
    program = """
with quiet() as stream:
    os.write(1, b"native1"); os.write(2, b"native2"); print("print"); stream.write("seen")
def is_open(descriptor):
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
sys.exit(sum(1 << d for d in (0, 1, 2) if is_open(d)))
"""
    status, out, err = run(program, closed=closed, stdin=subprocess.DEVNULL)
    assert status == sum(1 << d for d in (0, 1, 2) if f"{d}>&-" not in closed and f"{d}<&-" not in closed)
    assert out == ""
    assert err == ("" if "2>&-" in closed else "seen")


def test_a_log_handler_made_inside_works_afterwards(capsys):
    logger = logging.getLogger("test_quiet")
    logger.propagate = False
    with quiet():
        handler = logging.StreamHandler()  # as absl's, made while TensorFlow is imported
        logger.addHandler(handler)
        logger.warning("inside")
    try:
        logger.warning("outside")
    finally:
        logger.removeHandler(handler)
    assert capsys.readouterr() == ("", "outside\n")


def test_it_works_where_streams_are_replaced(monkeypatch):
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    with quiet() as stream:
        print("noise", file=sys.stderr)
        stream.write("seen")
    assert sys.stderr is shown
    assert shown.getvalue() == "seen"


def test_under_pytest_capture(capfd):
    os.write(2, b"before ")
    with quiet() as stream:
        os.write(1, b"noise")
        os.write(2, b"noise")
        stream.write("seen ")
    os.write(2, b"after")
    out, err = capfd.readouterr()
    assert out == ""
    assert err.split() == ["before", "seen", "after"]


def test_no_descriptor_is_left_open():
    def fail():
        with quiet():
            raise UnsupportedError("x")

    before = os.listdir("/dev/fd")
    for _ in range(3):
        with pytest.raises(UnsupportedError):
            fail()
    assert os.listdir("/dev/fd") == before


def test_threads_take_turns(capfd):
    def work():
        for _ in range(20):
            with quiet():
                os.write(2, b"noise")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.write(2, b"back")
    assert capfd.readouterr() == ("", "back")


def test_warnings_filters_are_not_touched():
    before = list(warnings.filters)
    with quiet():
        pass
    assert warnings.filters == before


def test_captured_text_need_not_be_valid(capfd):
    def fail():
        with quiet():
            os.write(2, b"\xff\xfe noise")
            raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        fail()
    assert "noise" in capfd.readouterr().err
