from __future__ import annotations

import contextlib
import os
import signal
import threading
import time

import pytest

from exporter.run.interruption import Interruption, interruptible
from exporter.run.staging import staged


def send(number):
    os.kill(os.getpid(), number)
    time.sleep(0.1)  # the handler runs within


class Graph:
    """An object that is finalized while a signal arrives, as TensorFlow's are."""

    def __init__(self, number):
        self.number = number

    def __del__(self):
        send(self.number)


@pytest.mark.parametrize(("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_a_signal_is_an_exception(number, error):
    with pytest.raises(error), interruptible():
        send(number)


@pytest.mark.parametrize(("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_a_signal_inside_a_finalizer_comes_through(number, error):
    def work():
        with interruptible():
            graph = Graph(number)
            del graph
            time.sleep(5)
            raise AssertionError("the signal was lost")

    with pytest.raises(error):
        work()


def test_a_swallowed_signal_still_prevents_the_commit(tmp_path):
    def work():
        with staged(tmp_path / "digits") as stage:
            with contextlib.suppress(BaseException):  # as some libraries do
                send(signal.SIGINT)
            stage.commit()

    with pytest.raises(KeyboardInterrupt):
        work()
    assert list(tmp_path.iterdir()) == []


def test_an_error_that_a_signal_has_caused_is_an_interrupt():
    def work():
        with interruptible():
            try:
                send(signal.SIGINT)
            except KeyboardInterrupt as interrupt:
                raise ImportError("cannot import name 'x'") from interrupt

    with pytest.raises(KeyboardInterrupt):
        work()


def test_sigterm_ends_with_the_code_that_shells_expect():
    interruption = Interruption()
    interruption.check()
    with pytest.raises(SystemExit) as leaving:
        interruption.handle(signal.SIGTERM, None)
    assert leaving.value.code == 143


def test_handlers_come_back_and_those_of_the_program_stay():
    def own(number, frame):
        pass

    before = signal.getsignal(signal.SIGINT)
    with interruptible():
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before
    signal.signal(signal.SIGINT, own)
    try:
        with interruptible():
            assert signal.getsignal(signal.SIGINT) is own
    finally:
        signal.signal(signal.SIGINT, before)


def test_in_a_thread_nothing_is_set():
    failures = []

    def work():
        try:
            with interruptible():
                assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert failures == []
