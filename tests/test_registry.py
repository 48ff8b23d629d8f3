from __future__ import annotations

import pytest

from exporter.registry import Registry


def test_what_is_registered_is_found_under_each_name():
    things: Registry[str] = Registry("thing")
    things.register("a", "b")("x")

    assert (things["a"], things["b"], list(things), len(things)) == ("x", "x", ["a", "b"], 2)


def test_a_name_is_taken_once():
    things: Registry[str] = Registry("thing")
    things.register("a")("x")

    with pytest.raises(ValueError, match="thing 'a' is registered twice"):
        things.register("a")("y")


def test_a_miss_lists_what_is_known():
    things: Registry[str] = Registry("thing")
    things.register("beta")("x")
    things.register("alpha")("y")

    with pytest.raises(KeyError, match="no thing 'gamma'; known: alpha, beta"):
        things["gamma"]
    assert "gamma" not in things
