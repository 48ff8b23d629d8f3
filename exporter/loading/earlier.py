"""What earlier releases of Keras 3 stored otherwise than the installed one reads it.

Arguments that are no longer taken had no meaning at inference, and are left out. The state of an optimizer whose variables
stand in another order now is read in theirs.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from exporter.loading.hooks import Hook

# Class of keras.layers: its arguments that are gone.
_GONE = {
    "RandomRotation": ("value_range",),  # up to 3.5: it was stored, and rotating an image does not look at it
}


def _hook(name: str, gone: tuple[str, ...]) -> Hook[bool]:
    def owner() -> type:
        import keras

        return getattr(keras.layers, name)

    def from_config(_: bool, plain: Callable[..., Any], cls: Any, config: Any, *arguments: Any, **more: Any) -> Any:
        taken = inspect.signature(cls.__init__).parameters
        if isinstance(config, dict):
            config = {key: value for key, value in config.items() if key in taken or key not in gone}
        return plain(cls, config, *arguments, **more)

    return Hook(owner, "from_config", from_config)


def _nadam() -> type:
    import keras

    return keras.optimizers.Nadam


def _load_nadam(_: bool, plain: Callable[..., Any], optimizer: Any, store: Any) -> Any:
    """Up to Keras 3.9, the product of all momentum schedules stood before the momenta, since then behind them."""
    stored = [store[str(number)] for number in range(len(store.keys()))]
    shapes = [tuple(variable.shape) for variable in optimizer.variables]
    if [tuple(array.shape) for array in stored] != shapes:
        stored[2:] = [*stored[3:], *stored[2:3]]
    return plain(optimizer, {str(number): array for number, array in enumerate(stored)})


_HOOKS = (
    *(_hook(name, gone) for name, gone in _GONE.items()),
    Hook(_nadam, "load_own_variables", _load_nadam),
)


@contextmanager
def earlier_releases() -> Iterator[None]:
    """In the `with` block, this thread reads the files of every release of Keras 3."""
    with ExitStack() as stack:
        for hook in _HOOKS:
            stack.enter_context(hook.entered(True))
        yield
