"""Which Keras wrote a file, told by the version that it states."""

from __future__ import annotations

import json
import re


def is_keras2(version: str | None) -> bool:
    """Whether a file that states this version has the configs of Keras 2; files before Keras 2.0.6 state none.

    Args:
        version: "2.15.0", "2.4.0-tf", "3.11.2"; None if the file has none.
    """
    number = re.match(r"[0-9]{1,9}", version or "2")
    return number is not None and int(number[0]) < 3


def version_in_metadata(text: bytes) -> str | None:
    """`keras_version` of `metadata.json`; "3" where the file cannot be read, which the audit tells of."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return "3"
    version = document.get("keras_version") if isinstance(document, dict) else None
    return version if isinstance(version, str) else "3"
