"""Custom layers that are not registered: the model file names a class that nobody can find."""

from __future__ import annotations

from collections.abc import Iterator

from exporter.checks import RULES
from exporter.source import Source
from exporter.spec import Options, Problem


@RULES.register("registration")
def registration(source: Source, options: Options) -> Iterator[Problem]:
    """Find classes of layers outside Keras without a registered name."""
    import keras

    for cls in source.custom_classes:
        if keras.saving.get_registered_object(keras.saving.get_registered_name(cls)) is not cls:
            package = cls.__module__.partition(".")[0].strip("_")
            yield Problem(
                where=f"{cls.__module__}.{cls.__qualname__}",
                reason="the class has no registered name, so a saved model reloads only with custom_objects",
                remedy=f'put @keras.saving.register_keras_serializable(package="{package}") above class {cls.__name__}',
                severity="warning",
            )
