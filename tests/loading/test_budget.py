"""What a config may make Keras build."""

from __future__ import annotations

import inspect

import keras
import pytest

from exporter.errors import UnsafeFileError
from exporter.loading import limits
from exporter.loading.budget import Budget, enforced


def build(units=4):
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(units), keras.layers.Dense(1)])


def test_within_the_budget():
    with enforced(Budget.for_weights("f", 4, 64)):
        assert build().count_params() == 17


@pytest.mark.parametrize(
    ("limit", "word"),
    [
        ({"variable_bytes": 10}, "kernel"),
        ({"variables": 3}, "bias"),
        ({"operations": 2}, "layers"),
        ({"tensors": 1}, "tensors"),
        ({"calls": 1}, "calls"),
    ],
)
def test_beyond_the_budget(limit, word):
    budget = Budget("f", **limit)
    with pytest.raises(UnsafeFileError), enforced(budget):
        build()
    assert word in str(budget.refusal)  # Keras raises another one of the same class, with words of its own


def test_a_matrix_is_refused_before_it_is_allocated():
    budget = Budget.for_weights("f", 2, 64)
    with pytest.raises(UnsafeFileError, match=r"1000000000\) \(8e\+09 bytes\)"), enforced(budget):
        build(10**9)


def test_room_for_the_state_of_an_optimizer():
    """Adam keeps two values for each weight; in four bytes, where a weight may have two."""
    size = limits.VARIABLES_FLOOR
    budget = Budget.for_weights("f", 1, size)
    assert budget.variable_bytes >= size * (1 + 2 * 2)


def test_methods_are_put_back():
    methods = (keras.Variable.__init__, keras.Operation.__init__, keras.KerasTensor.__init__)
    own = "_initialize_with_initializer" in vars(keras.Variable)
    plain = keras.Variable._initialize_with_initializer
    with enforced(Budget("f", operations=0)), pytest.raises(UnsafeFileError):
        build()
    assert (keras.Variable.__init__, keras.Operation.__init__, keras.KerasTensor.__init__) == methods
    assert keras.Variable._initialize_with_initializer is plain
    assert ("_initialize_with_initializer" in vars(keras.Variable)) is own


def test_signatures_are_kept():
    """Keras derives the config of a layer from the signature of its constructor."""
    before = inspect.getfullargspec(keras.Operation.__init__)
    with enforced(Budget("f")):
        assert inspect.getfullargspec(keras.Operation.__init__) == before


def test_element_sizes():
    from exporter.loading.budget import _itemsize

    sizes = {"float32": 4, "bfloat16": 2, "int4": 0.5, "uint8": 1, "bool": 1, "string": 1, "float8_e4m3fn": 1}
    assert {dtype: _itemsize(dtype) for dtype in sizes} == sizes
