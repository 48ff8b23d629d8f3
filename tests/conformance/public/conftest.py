"""Warnings of libraries that these tests cannot avoid."""

from __future__ import annotations

import pytest

# Keras 3.15 converts variables with an `__array__` that lacks NumPy 2's `copy` argument, whenever it saves a weight.
KERAS_VARIABLE_TO_NUMPY = "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "conformance/public" in item.nodeid:
            item.add_marker(pytest.mark.filterwarnings(KERAS_VARIABLE_TO_NUMPY))
