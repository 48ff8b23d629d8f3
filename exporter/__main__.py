"""Start of the command line: `kx`, or `python -m exporter`."""

from __future__ import annotations

import os
import sys

_HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

if __name__ == "__main__" and not sys.flags.safe_path and os.getcwd() != _HOME and os.getcwd() in sys.path[:1]:
    # `python -m` has put the current folder first: a json.py beside a downloaded model is none of our business. What
    # Python itself imports before this line is beyond us: `python -P -m exporter`, or `kx`.
    del sys.path[0]


def main() -> None:
    """Run the command line of this process and exit with its code."""
    arguments = sys.argv[1:]
    from exporter.run.environment import choose_tensorflow

    choose_tensorflow()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "0" if {"-v", "--verbose"} & set(arguments) else "3")
    _make_streams_usable()

    import gc

    from exporter.cli import run

    code = run(arguments)
    try:
        sys.stdout.flush()
    except BrokenPipeError:  # as in `kx inspect FILE | head`; or Python would complain when it flushes at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    gc.freeze()  # the process ends: to search TensorFlow's objects for garbage first would take a second more
    sys.exit(code)


def _make_streams_usable() -> None:
    """Give closed streams somewhere to go, and print what the terminal's encoding lacks as "?"."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - open to the end
        else:
            stream.reconfigure(errors="replace")


if __name__ == "__main__":
    main()
