"""Audited loading of model files: read as data and held against an allow-list before Keras sees them."""

from __future__ import annotations

from exporter.loading.custom import import_custom
from exporter.loading.opening import load, load_with_notes

__all__ = ["import_custom", "load", "load_with_notes"]
