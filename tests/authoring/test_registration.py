from __future__ import annotations

from collections.abc import Iterator

import keras
import pytest

from exporter.authoring.registration import serializable


@pytest.fixture
def restored_names() -> Iterator[None]:
    known = dict(keras.saving.get_custom_objects())
    yield
    keras.saving.get_custom_objects().clear()
    keras.saving.get_custom_objects().update(known)


class First(keras.Layer):
    pass


class Second(keras.Layer):
    pass


@pytest.mark.usefixtures("restored_names")
def test_registers_under_the_package_name() -> None:
    assert serializable("SomeLayer")(First) is First
    assert keras.saving.get_registered_object("exporter>SomeLayer") is First
    assert keras.saving.get_registered_name(First) == "exporter>SomeLayer"


@pytest.mark.usefixtures("restored_names")
def test_refuses_a_second_class_under_the_same_name() -> None:
    serializable("SomeLayer")(First)
    with pytest.raises(ValueError, match=r"'exporter>SomeLayer' is registered already.*First.*Second") as caught:
        serializable("SomeLayer")(Second)
    assert __name__ in str(caught.value)
    assert keras.saving.get_registered_object("exporter>SomeLayer") is First


@pytest.mark.usefixtures("restored_names")
def test_accepts_the_same_class_again() -> None:
    serializable("SomeLayer")(First)
    serializable("SomeLayer")(First)


def test_the_names_of_the_package_are_taken() -> None:
    import exporter.layers

    with pytest.raises(ValueError, match="'exporter>Swish' is registered already"):
        serializable("Swish")(Second)
    assert keras.saving.get_registered_object("exporter>Swish") is exporter.layers.Swish
