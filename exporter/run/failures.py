"""What an exception of Keras, TensorFlow or the operating system means, in one line."""

from __future__ import annotations

import re

from exporter.errors import ExporterError


def message_of(error: Exception) -> str:
    """Return the line that says what happened, without the places in the source that TensorFlow wraps around it."""
    if isinstance(error, ExporterError) and error.reason:
        return error.reason
    text = str(error).split("\n\nArguments received by")[0].split("[[{{node")[0]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].removeprefix("\x1b[1m").removesuffix("\x1b[0m") if lines else type(error).__name__


def place_of(error: Exception) -> str:
    """Return the call that failed ("UpSampling2D.call()") where Keras tells; empty if it does not."""
    found = re.match(r"Exception encountered when calling (\S+\(\))", str(error))
    return found[1] if found else ""


def reason_of(error: BaseException) -> str:
    """Return why a file could not be used; its path stands elsewhere in the message, and no number of the error."""
    return getattr(error, "strerror", None) or str(error)
