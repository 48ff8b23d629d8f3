"""`import exporter` is quick and light, and shows what it promises."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import exporter

HEAVY = ("tensorflow", "keras", "onnx", "onnx_ir", "onnxscript", "onnxruntime", "ai_edge_litert", "tf2onnx")


def test_importing_imports_nothing_heavy():
    code = f"import sys, exporter; print([m for m in {HEAVY} if m in sys.modules])"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("name", [n for n in exporter.__all__ if n != "__version__"])
def test_every_public_name_is_there_and_documented(name):
    assert getattr(exporter, name).__doc__


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(AttributeError, match="export"):
        exporter.nothing  # noqa: B018


@pytest.mark.parametrize("name", ["activations", "errors", "layers", "losses"])
def test_the_public_packages_can_be_reached(name):
    assert getattr(exporter, name) is importlib.import_module(f"exporter.{name}")


def test_a_function_is_not_hidden_by_a_module_of_its_name():
    import exporter.checks
    import exporter.loading

    assert callable(exporter.check)
    assert callable(exporter.load)
