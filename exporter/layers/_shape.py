"""The type of a shape, as Keras passes it around."""

from __future__ import annotations

Shape = tuple[int | None, ...]  # None: not known until a batch arrives
