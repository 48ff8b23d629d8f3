from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from exporter.report.document import schema
from exporter.spec import LayerParity, Location, OutputParity, Parity


def output(name, error, note=""):
    return OutputParity(name, "normal, batch 3", error, 1e-6, 2.0, 1e-7, note)


def location(*errors, outputs=None, alone=None):
    """Return a location of layers `layer_0`, `layer_1` … with these errors."""
    layers = [LayerParity(f"layer_{n}", "Dense", output(f"layer_{n}", e)) for n, e in enumerate(errors)]
    if alone is not None:
        first = next(n for n, layer in enumerate(layers) if not layer.ok)
        layers[first] = LayerParity(layers[first].name, "Dense", layers[first].chain, output("alone", alone))
    total = errors[-1] if outputs is None else outputs
    return Location(Path("model.onnx"), tuple(layers), Parity((output("y", total),), "float64", rows=3))


def test_nothing_differs(kx, work):
    work("locate", location(0.0, 1e-7))
    answer = kx("locate", "model.keras", "model.onnx")
    assert answer.code == 0
    assert "2 of its layers could be compared, and all give what Keras gives" in answer.out


@pytest.mark.parametrize(
    ("alone", "words"), [(1.0, "also differs"), (0.0, "does not differ, so the error was carried in")]
)
def test_the_first_layer_that_differs(kx, work, alone, words):
    work("locate", location(0.0, 1e-7, 0.5, 0.25, alone=alone))
    answer = kx("locate", "model.keras", "model.onnx")
    assert answer.code == 6
    text = " ".join(answer.out.split())
    assert "layer_2 (Dense) is the first layer that differs: 0.5, allowed 1e-06, on normal, batch 3" in text
    assert words in text


def test_only_the_layers_around_the_first_are_shown_unless_all_are_asked_for(kx, work):
    work("locate", location(*[0.0] * 20, 0.5, *[0.5] * 20))
    answer = kx("locate", "model.keras", "model.onnx")
    assert "16 before" in answer.out
    assert "17 after" in answer.out
    assert "layer_3\n" not in answer.out
    everything = kx("locate", "model.keras", "model.onnx", "--all")
    assert all(f"layer_{n}" in everything.out for n in range(41))


def test_a_difference_that_no_layer_explains(kx, work):
    work("locate", location(0.0, 0.0, outputs=1.0))
    answer = kx("locate", "model.keras", "model.onnx")
    assert answer.code == 6
    assert "the difference comes after them" in " ".join(answer.out.split())


def test_json(kx, work):
    work("locate", location(0.0, float("inf"), 0.25, alone=0.5))
    answer = kx("locate", "model.keras", "model.onnx", "--json")
    assert answer.code == 6
    jsonschema.validate(answer.json, {**schema(), "$ref": "#/$defs/location"})
    assert answer.json["first"]["name"] == "layer_1"
    assert answer.json["first"]["chain"]["error"] == "Infinity"
