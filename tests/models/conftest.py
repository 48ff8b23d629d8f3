from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from models import _catalog, _trained


@pytest.fixture(params=_catalog.names())
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="session")
def trained_model() -> Callable[[str], Any]:
    """Return a function from name to model, loaded from the file that `make export` exports; trained if need be."""
    import keras

    loaded: dict[str, Any] = {}

    def load(name: str) -> Any:
        if name not in loaded:
            loaded[name] = keras.saving.load_model(_trained.trained(name))
        return loaded[name]

    return load
