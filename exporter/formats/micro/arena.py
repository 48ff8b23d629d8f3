"""The arena that a model needs: the smallest one with which TensorFlow Lite Micro's interpreter loads it.

    python -m exporter.formats.micro.arena FILE

What the interpreter says that it used is not enough: while it plans its memory it needs some of the arena for the plan. And
where the arena is too small it ends the process. So sizes are tried, each in a fork of its own, until the smallest is known.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from exporter.run import child_processes

STEP = 16  # the interpreter aligns the arena, and what lies in it, to that many bytes
LARGEST = 2**26  # a microcontroller has far less; only touched where it is used


def smallest_arena(file: Path) -> int | None:
    """Return the bytes of the smallest arena, aligned to 16, that a TFLite file loads with; None if it does with none."""
    command = child_processes.command("exporter.formats.micro.arena", str(file))
    said = subprocess.run(command, env=child_processes.environment(), capture_output=True, check=False).stdout
    return int(said) if said else None


def smallest(fits: Callable[[int], bool], step: int = STEP, largest: int = LARGEST) -> int | None:
    """Return the smallest multiple of `step` that fits, where everything above what fits does; None above `largest`."""
    high = step
    while not fits(high):
        if high >= largest:
            return None
        high *= 2
    low = high // 2 if high > step else 0  # the largest known not to fit
    while high - low > step:
        middle = (low + high) // 2 // step * step
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


def main(file: str) -> None:
    """Print the size; nothing if there is none."""
    from tflite_micro.python.tflite_micro import runtime

    content = Path(file).read_bytes()

    def fits(size: int) -> bool:
        child = os.fork()
        if child == 0:
            quiet = os.open(os.devnull, os.O_WRONLY)
            os.dup2(quiet, 1)
            os.dup2(quiet, 2)
            try:
                runtime.Interpreter.from_bytes(content, arena_size=size)
            finally:
                os._exit(sys.exc_info()[0] is not None)
        return os.waitpid(child, 0)[1] == 0

    found = smallest(fits)
    if found is not None:
        print(found + STEP)  # Python's array of bytes need not be aligned


if __name__ == "__main__":
    main(*sys.argv[1:])
