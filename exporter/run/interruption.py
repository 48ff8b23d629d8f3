"""Ctrl-C and SIGTERM as exceptions that cannot get lost.

A signal handler raises wherever the main thread happens to be. In a finalizer (`__del__`) Python prints and drops the
exception, and TensorFlow's graphs have many; some libraries also catch everything. The work would go on as if nothing
had been said.
"""

from __future__ import annotations

import _thread
import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_AGAIN = 0.02  # seconds until a signal that came inside a finalizer is delivered again


class Interruption:
    """Whether the user or the system has asked to stop.

    Attributes:
        armed: whether a signal raises; set it to False when it is too late to stop.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self.armed = True

    def check(self) -> None:
        """Raise if a signal came but its exception got lost.

        Raises:
            KeyboardInterrupt: after Ctrl-C.
            SystemExit: after SIGTERM, with the code that shells expect, 143.
        """
        if self.received == signal.SIGINT:
            raise KeyboardInterrupt
        if self.received is not None:
            raise SystemExit(128 + self.received)

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Raise for a signal, now or, inside a finalizer, a little later."""
        self.received = number
        if not self.armed:
            return
        if _in_finalizer(frame):
            again = threading.Timer(_AGAIN, _deliver, (number,))
            again.daemon = True
            again.start()
        else:
            self.check()


@contextlib.contextmanager
def interruptible() -> Iterator[Interruption]:
    """Raise KeyboardInterrupt for Ctrl-C and SystemExit for SIGTERM inside this context, and remember that they came.

    Handlers that the program has set itself are left alone; outside the main thread no handler can be set.
    """
    interruption = Interruption()
    defaults = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    if threading.current_thread() is not threading.main_thread():
        defaults.clear()
    replaced = {number: old for number, old in defaults.items() if signal.getsignal(number) == old}
    try:
        for number in replaced:
            signal.signal(number, interruption.handle)
        yield interruption
    except Exception:
        if interruption.armed:
            interruption.check()  # an import that is cut off ends in an ImportError, for one
        raise
    finally:
        for number, old in replaced.items():
            signal.signal(number, old)


def _deliver(number: int) -> None:
    """Send a signal to the main thread, waking it if it sleeps where the system can do that."""
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, number)
    else:
        _thread.interrupt_main(signal.Signals(number))


def _in_finalizer(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_name == "__del__":
            return True
        frame = frame.f_back
    return False


__all__ = ["Interruption", "interruptible"]
