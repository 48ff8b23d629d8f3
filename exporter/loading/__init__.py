"""Audited loading of model files: read as data and held against an allow-list before Keras sees them."""

from __future__ import annotations

from exporter.loading.custom import import_custom
from exporter.loading.load import load

__all__ = ["import_custom", "load"]
