"""How latency is measured: interleaved runs, medians, processor time of the one thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median

SECONDS = 6.0  # of measuring, per model
LEAST = 7  # runs of each


def medians(runs: Sequence[Callable[[], object]], seconds: float = SECONDS) -> list[float]:
    """Call each in turn, again and again; return the median of the seconds that each took.

    The time is the processor time of this thread, so that a busy machine disturbs little. The first call is not counted.
    """
    times: list[list[float]] = [[] for _ in runs]
    for run in runs:
        run()
    end = time.monotonic() + seconds
    while time.monotonic() < end or len(times[0]) < LEAST:
        for run, taken in zip(runs, times, strict=True):
            start = time.thread_time()
            run()
            taken.append(time.thread_time() - start)
    return list(map(median, times))
