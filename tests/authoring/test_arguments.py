from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from exporter.authoring import arguments


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.int64(2)])
def test_number_becomes_a_python_float(value: Any) -> None:
    assert type(arguments.number("Swish", "beta", value)) is float
    assert json.dumps(arguments.number("Swish", "beta", value)) == "2.0"


@pytest.mark.parametrize("value", [3, np.int32(3), np.uint8(3)])
def test_integer_becomes_a_python_int(value: Any) -> None:
    assert type(arguments.integer("TopK", "k", value)) is int


def test_lists_and_tuples_become_lists() -> None:
    assert arguments.integers("LayerNormalization", "axis", (1, np.int64(2))) == [1, 2]
    assert arguments.integers("LayerNormalization", "axis", -1) == -1
    assert arguments.numbers("ImageNormalize", "std", np.array([1, 2])) == [1.0, 2.0]
    assert arguments.numbers("ImageNormalize", "std", 1) == 1.0


def _case(check: Callable[..., Any], value: Any, error: type[Exception], wanted: str, **limits: Any) -> Any:
    return pytest.param(check, value, error, wanted, limits, id=f"{check.__name__}-{value!r}")


@pytest.mark.parametrize(
    ("check", "value", "error", "wanted", "limits"),
    [
        _case(arguments.number, "1", TypeError, "a number"),
        _case(arguments.number, None, TypeError, "a number"),
        _case(arguments.number, True, TypeError, "a number"),
        _case(arguments.number, 1j, TypeError, "a number"),
        _case(arguments.number, float("nan"), ValueError, "a finite number"),
        _case(arguments.number, float("-inf"), ValueError, "a finite number"),
        _case(arguments.number, 0, ValueError, "a number greater than 0", above=0.0),
        _case(arguments.integer, 2.0, TypeError, "an integer"),
        _case(arguments.integer, True, TypeError, "an integer"),
        _case(arguments.integer, 0, ValueError, "an integer of at least 1", at_least=1),
        _case(arguments.flag, 1, TypeError, "True or False"),
        _case(arguments.flag, None, TypeError, "True or False"),
        _case(arguments.one_of, "last", ValueError, "one of 'a', 'b'", allowed=("a", "b")),
        _case(arguments.one_of, 3, ValueError, "one of 'a', 'b'", allowed=("a", "b")),
        _case(arguments.integers, [], ValueError, "an integer or a list of different integers"),
        _case(arguments.integers, [1, 1], ValueError, "an integer or a list of different integers"),
        _case(arguments.integers, [1.5], TypeError, "an integer"),
        _case(arguments.integers, "1", TypeError, "an integer"),
        _case(arguments.numbers, "12", TypeError, "a number or a list of numbers"),
        _case(arguments.numbers, None, TypeError, "a number or a list of numbers"),
        _case(arguments.numbers, True, TypeError, "a number"),
        _case(arguments.numbers, [], ValueError, "a number or a list of numbers"),
        _case(arguments.numbers, [1.0, 0.0], ValueError, "a number greater than 0", above=0.0),
    ],
)
def test_message_names_class_argument_wanted_and_received(
    check: Callable[..., Any], value: Any, error: type[Exception], wanted: str, limits: dict[str, Any]
) -> None:
    with pytest.raises(error) as caught:
        check("Owner", "argument", value, **limits)
    message = str(caught.value)
    assert message.startswith(f"Owner: `argument` must be {wanted}, not ")
    assert type(value).__name__ in message or isinstance(value, list)
