"""Losses on `keras.ops`. Importing this package registers them: `compile(loss="exporter>Huber")`."""

from __future__ import annotations

from exporter.losses.huber import Huber, huber

__all__ = ["Huber", "huber"]
