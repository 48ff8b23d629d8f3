"""What `.keras` archives call the layers of a model: `dense`, `dense_1`, … in its order, whatever their own names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from exporter.loading.legacy.wiring import Part


def group_names(parts: Sequence[Part]) -> dict[str, Part]:
    """The layers by the names of their groups and folders."""
    used: Counter[str] = Counter()
    found = {}
    for part in parts:
        plain = _snake_case(part.class_in_file)
        found[f"{plain}_{used[plain]}" if used[plain] else plain] = part
        used[plain] += 1
    return found


def _snake_case(name: str) -> str:
    name = re.sub(r"\W+", "", name.rpartition(">")[2])
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
