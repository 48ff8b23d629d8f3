"""Leaves the tests of other backends to runs that ask for them: `pytest -m backends`."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "backends" in config.option.markexpr:
        return
    left_out = [item for item in items if item.get_closest_marker("backends")]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)
