"""Every workaround for Keras says what for, and has a canary: a test that fails as soon as Keras does without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from exporter.capture import keras_patches
from exporter.capture.keras_patches import PATCHES, Patch

NAMES = sorted(name for name, value in vars(keras_patches).items() if isinstance(value, Patch))


@pytest.mark.parametrize("name", NAMES)
def test_every_patch_has_a_canary(name):
    texts = [file.read_text(encoding="utf-8") for file in Path(__file__).parent.glob("test_*.py")]
    assert any(f"`keras_patches.{name}` can go" in text for text in texts)


def test_every_patch_is_in_the_table_with_its_bug():
    assert {id(patch) for patch in PATCHES} == {id(getattr(keras_patches, name)) for name in NAMES}
    assert all(patch.bug and patch.seen for patch in PATCHES)
