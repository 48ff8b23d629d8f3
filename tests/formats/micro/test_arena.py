"""The smallest size that fits is found, in steps."""

from __future__ import annotations

import pytest

from exporter.formats.micro.arena import smallest


@pytest.mark.parametrize("needed", [1, 15, 16, 17, 32, 33, 1000, 1024, 1025, 2**20 - 3])
def test_the_smallest_multiple_is_found(needed):
    tried = []

    def fits(size):
        tried.append(size)
        return size >= needed

    assert smallest(fits) == -(-needed // 16) * 16
    assert all(size % 16 == 0 for size in tried)
    assert len(tried) <= 40


def test_nothing_fits():
    assert smallest(lambda size: False, largest=1024) is None
