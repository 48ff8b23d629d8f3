"""The functions that a graph may call are those of keras.ops that compute, and no others."""

from __future__ import annotations

import inspect

import keras
import pytest

from exporter.expressions import Refusal, operations
from exporter.loading import allowed


def test_every_name_is_a_function_of_keras_ops() -> None:
    assert len(operations.names()) >= 300
    for name in operations.names():
        home, _, last = name.rpartition(".")
        module = getattr(keras.ops, home) if home else keras.ops
        assert inspect.isfunction(getattr(module, last))
        assert operations.function(name) is getattr(module, last)


def test_functions_that_call_functions_are_excluded_as_in_the_audit_of_files() -> None:
    assert allowed.OPS_ON_FUNCTIONS <= operations.EXCLUDED
    taking = [n for n in operations.names() if {"f", "fn", "body", "function"} & set(operations.parameters(n))]
    assert taking == []


@pytest.mark.parametrize("name", ["while_loop", "map", "cond", "custom_gradient", "image", "", "eval", None, ["abs"]])
def test_other_names_are_refused(name) -> None:
    with pytest.raises(Refusal, match="may call"):
        operations.function(name)
