"""The walk over a config: what passes, what does not, and that nothing stops it."""

from __future__ import annotations

import json

import keras
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.loading import limits
from exporter.loading.config import ConfigAudit
from exporter.loading.custom import KnownNames
from tests.loading.forge import dense_model, function, layer


def judge(document, legacy=False, **custom):
    return list(ConfigAudit(KnownNames(custom), legacy).findings(document))


def only(findings):
    (finding,) = findings
    return finding


class Mine(keras.layers.Layer):
    """A custom layer that is not registered."""


def own_function(x):
    return x


def test_a_plain_model_passes():
    document = json.loads(json.dumps(keras.saving.serialize_keras_object(dense_model())))
    assert judge(document) == []


def test_unknown_layer_is_named_with_the_way_to_pass_it():
    finding = only(judge(layer("Mine", "my.layers") | {"registered_name": "my>Mine"}))
    assert not finding.unsafe
    assert "'Mine'" in finding.what
    assert "'my>Mine'" in finding.what
    assert "--custom my.layers" in finding.remedy
    assert "custom_objects={'my>Mine': Mine}" in finding.remedy


def test_unknown_layer_of_a_script_has_no_module():
    """What a user defines in `__main__` is stored without a module."""
    assert "--custom PKG.MODULE" in only(judge(layer("Mine", None))).remedy


def test_unknown_layer_of_keras_hub_says_what_to_install():
    assert "keras-hub" in only(judge(layer("Backbone", "keras_hub.src.models.x"))).remedy


@pytest.mark.parametrize("module", ["my.layers", None])
def test_passed_class_is_accepted(module):
    assert judge(layer("Mine", module), Mine=Mine) == []


def test_registered_class_is_accepted_whatever_the_module():
    import exporter.layers  # noqa: F401  # registers exporter>Mish

    assert judge(layer("Mish", "exporter.layers.mish") | {"registered_name": "exporter>Mish"}) == []


def test_unknown_function_and_passed_function():
    document = {"loss": function("own_function", "my.losses")}
    assert not only(judge(document)).unsafe
    assert judge(document, own_function=own_function) == []
    assert judge({"loss": function("own_function", "builtins")}, **{"pkg>own_function": own_function}) == []


@pytest.mark.parametrize("name", ["Dense", "exporter>Mish", "Custom>X"])
def test_built_in_under_another_registered_name(name):
    import exporter.layers  # noqa: F401

    document = layer("Dense", units=1) | {"registered_name": name}
    findings = judge(document)
    assert bool(findings) is (name != "Dense")


def test_built_in_overridden_by_a_passed_object():
    document = layer("Dense", units=1)
    assert judge(document, Dense=Mine) == []  # the file says `registered_name: null`: Keras takes its own
    del document["registered_name"]
    assert "would be used instead" in only(judge(document, Dense=Mine)).what
    assert judge(document, Dense=keras.layers.Dense) == []


def test_built_in_of_a_legacy_file_overridden():
    """Without a module nobody can say which of the two is meant."""
    document = {"class_name": "Dense", "config": {"units": 1}}
    assert judge(document, legacy=True) == []
    assert "would be used instead" in only(judge(document, legacy=True, Dense=Mine)).what


def test_built_in_function_overridden():
    document = layer("Dense", units=1, activation="softmax")
    assert judge(document) == []
    assert "would be used instead" in only(judge(document, softmax=own_function)).what
    document = layer("Dense", units=1, activation=function("softmax", "keras.activations"))
    assert judge(document) == []
    assert "would be used instead" in only(judge(document, softmax=own_function)).what


def test_a_layer_may_be_named_like_a_function():
    assert judge(layer("Dense", units=1) | {"name": "softmax"}, softmax=own_function) == []


def test_lambda_with_a_named_function_of_the_user_carries_no_code():
    document = layer("Lambda", function=function("own_function", None), arguments={})
    assert judge(document, own_function=own_function) == []
    assert "own_function" in only(judge(document)).what


@pytest.mark.parametrize("key", ["function", "output_shape", "mask"])
def test_lambda_bytecode_in_any_argument(key):
    body = {"class_name": "__lambda__", "config": {"code": "", "defaults": None, "closure": None}}
    config = {"function": function("own_function", None)} | {key: body}
    findings = judge(layer("Lambda", **config), own_function=own_function)
    assert {finding.cve for finding in findings} == {"CVE-2024-3660"}


@pytest.mark.parametrize("dtype", ["O", "S2000000000", "V16", "<U1000000000", 3, ["float32"], "float32, float32"])
def test_constants_with_element_types_of_numpy(dtype):
    document = {"class_name": "__numpy__", "config": {"value": [1], "dtype": dtype}}
    assert "element type" in only(judge(document)).what


@pytest.mark.parametrize(
    "dtype", ["float32", "bfloat16", "int4", "uint8", "bool", "float8_e4m3fn", "complex64", "string"]
)
def test_constants_with_element_types_of_keras(dtype):
    assert judge({"class_name": "__tensor__", "config": {"value": [1], "dtype": dtype}}) == []


@pytest.mark.parametrize("key", ["class_name", "module", "registered_name"])
@pytest.mark.parametrize("value", [3, ["os"], {"a": 1}, True])
def test_names_that_are_no_texts(key, value):
    assert judge(layer("Dense", units=1) | {key: value})


def test_value_forms_of_legacy_files_only_there():
    document = {"class_name": "__tuple__", "items": [1, 2]}
    assert judge(document, legacy=True) == []
    assert judge(document)
    assert judge({"class_name": "TypeSpec", "type_spec": "x", "serialized": []}, legacy=True)
    assert judge({"class_name": "CompositeTensor", "spec": {}, "tensors": []}, legacy=True)
    assert judge({"class_name": "__typespec__", "spec_name": "x", "module": "tensorflow", "config": []})


def test_keras_ops_in_a_legacy_file_are_explained():
    finding = only(judge({"class_name": "GetItem", "config": {}}, legacy=True))
    assert "keras.ops" in finding.what
    assert ".keras" in finding.remedy


def test_operations_that_take_functions():
    assert judge(layer("Add", "keras.src.ops.numpy")) == []
    assert judge(layer("Map", "keras.src.ops.core"))


def test_place_names_the_layer():
    document = {"config": {"layers": [layer("Dense", units=1), layer("TFSMLayer") | {"name": "inner"}]}}
    assert only(judge(document)).where == "config.json.config.layers[1]"
    document["config"]["layers"][1]["config"]["child"] = layer("JaxLayer")
    assert judge(document)[1].where == "config.json.config.layers[1]<inner>.config.child"


def test_depth_is_bounded():
    document: object = 1
    for _ in range(limits.CONFIG_DEPTH + 10):
        document = [document]
    assert "nested deeper" in only(judge(document)).what


def test_number_of_values_is_bounded(monkeypatch):
    monkeypatch.setattr(limits, "CONFIG_VALUES", 1000)
    assert judge(list(range(900))) == []
    assert "longer than" in only(judge(list(range(1100)))).what


def test_number_of_objects_is_bounded(monkeypatch):
    monkeypatch.setattr(limits, "CONFIG_OBJECTS", 10)
    assert "longer than" in only(judge([layer("Dense", units=1)] * 11)).what


def test_number_of_findings_is_bounded():
    assert len(judge([layer("TFSMLayer")] * 5000)) < 2 * limits.FINDINGS


def test_document_that_is_no_model():
    for document in (None, 3, [], {}, {"class_name": "Dense"}):
        assert "no serialized model" in next(ConfigAudit(KnownNames({})).model_findings(document)).what


KEYS = st.sampled_from(
    ["class_name", "config", "module", "registered_name", "name", "layers", "vocabulary", "function", "dtype", "value"]
)
WORDS = st.sampled_from(
    ["Dense", "Lambda", "function", "__lambda__", "__tensor__", "keras", "keras.layers", "os", "relu", "builtins", ".."]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | WORDS,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(KEYS | st.text(), children, max_size=6),
    max_leaves=40,
)


@given(document=JSON, legacy=st.booleans())
def test_any_json_is_walked_to_the_end(document, legacy):
    for finding in judge(document, legacy, Mine=Mine, relu=own_function):
        assert str(finding).isprintable()


@given(document=JSON)
def test_what_passes_names_only_what_is_allowed(document):
    """No object below an accepted document lies outside of Keras."""

    def modules(node):
        if isinstance(node, dict):
            if "class_name" in node and not str(node["class_name"]).startswith("__"):  # values: no look-up by module
                yield node.get("module")
            for child in node.values():
                yield from modules(child)
        elif isinstance(node, list):
            for child in node:
                yield from modules(child)

    if not judge(document):
        for module in modules(document):
            assert module is None or module == "builtins" or str(module).startswith("keras")


def test_an_unknown_function_is_named_as_the_user_passes_it():
    node = {"module": "builtins", "class_name": "function", "config": "own>bent", "registered_name": "function"}
    finding = only(judge(node))
    assert "builtins" not in finding.what
    assert "--custom PKG.MODULE" in finding.remedy
    assert "{'own>bent': bent}" in finding.remedy


def test_only_in_the_wiring_a_layer_may_be_called_as_a_function_is():
    inputs = keras.Input((3,))
    linear = keras.layers.Dense(2, activation="relu", name="linear")(inputs)
    document = json.loads(json.dumps(keras.saving.serialize_keras_object(keras.Model(inputs, linear * 2))))
    assert judge(document, linear=Mine) == []
    document["config"]["layers"][1]["config"]["activation"] = "linear"
    assert "'linear' is a built-in of Keras" in only(judge(document, linear=Mine)).what
