"""What Keras itself finds under a module and a name: its own tables, aliases and modules are asked, no list of ours.

When Keras renames a class, its old name stays in the public modules and leads to the same class. So a file of an older or a
newer release is judged by the class that it gets, not by the name that it uses. Nothing is imported.
"""

from __future__ import annotations

import sys
from typing import Any


def find(module: str, name: str) -> Any:
    """The class or function that a config of this module and name leads to, or None: as Keras looks it up."""
    from keras.src.api_export import get_symbol_from_name

    symbol = get_symbol_from_name(f"{module}.{name}")
    if symbol is not None or not _is_keras(module):
        return symbol
    return vars(sys.modules[module]).get(name) if module in sys.modules else None


def _is_keras(module: str) -> bool:
    return module == "keras" or module.startswith("keras.")


def is_operation_of(thing: Any, modules: frozenset[str]) -> bool:
    """Whether a thing is a class behind `keras.ops` that one of these modules defines."""
    import keras

    return isinstance(thing, type) and issubclass(thing, keras.Operation) and thing.__module__ in modules
