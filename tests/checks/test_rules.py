"""Each rule finds its problem, names the layer and the remedy, and is silent about a sound model."""

from __future__ import annotations

import keras
import pytest
from keras import layers

from exporter import checks
from exporter.capture.source import Source, open_source
from exporter.checks import RULES, size
from exporter.spec import Options


@keras.saving.register_keras_serializable(package="tests.checks")
class Forgetful(layers.Layer):
    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, x):
        return x * self.factor

    def get_config(self):
        return super().get_config()  # Keras keeps arguments by itself only where this method is not overridden


class Unregistered(layers.Layer):
    def call(self, x):
        return x


@keras.saving.register_keras_serializable(package="tests.checks")
class Broken(layers.Layer):
    def call(self, x):
        return x

    def get_config(self):
        raise NotImplementedError("no time")


def source_of(*stack, shape=(4, 3), batch=None):
    x = keras.Input(shape, batch_size=batch, name="x")
    y = x
    for layer in stack:
        y = layer(y)
    return Source(keras.Model(x, y, name="m"), "0" * 64)


def found(rule, source, **options):
    checks.find_problems(source, Options())  # registers the rules
    return list(RULES[rule](source, Options(**options)))


def test_a_sound_model_has_no_problem():
    assert checks.find_problems(source_of(layers.Dense(2), layers.LSTM(3)), Options()) == ()


def test_state():
    (problem,) = found("state", source_of(layers.GRU(2, stateful=True, name="memory"), batch=2))

    assert problem.where == "memory (GRU)"
    assert problem.severity == "error"
    assert problem.formats == ("onnx", "ort", "tflite", "micro")


def test_state_in_a_nested_model():
    inner = keras.Sequential([keras.Input(batch_shape=(2, 4, 3)), layers.LSTM(2, stateful=True)], name="inner")

    assert len(found("state", source_of(inner, batch=2))) == 1


def test_an_error_concerns_only_the_formats_asked_for():
    source = source_of(layers.GRU(2, stateful=True), batch=2)

    assert checks.find_problems(source, Options(formats=("saved_model",))) == ()


def test_lambdas():
    (problem,) = found("lambdas", source_of(layers.Lambda(lambda t: t * 2, name="double")))

    assert problem.where == "double (Lambda)"
    assert problem.severity == "warning"


def test_registration():
    (problem,) = found("registration", source_of(Unregistered(), Unregistered(), Forgetful()))

    assert problem.where.endswith("Unregistered")
    assert "register_keras_serializable" in problem.remedy


def test_registration_accepts_this_packages_layers():
    import exporter.layers

    assert found("registration", source_of(exporter.layers.Mish())) == []


def test_configuration_names_the_argument_and_the_line_to_write():
    (problem,) = found("configuration", source_of(Forgetful(3.0, name="f")))

    assert problem.where == "f (Forgetful)"
    assert "'factor'" in problem.reason
    assert '"factor": self.factor' in problem.remedy


def test_configuration_that_fails_is_a_problem_too():
    (problem,) = found("configuration", source_of(Broken(name="b")))

    assert "no time" in problem.reason


class Silent(layers.Layer):
    def __init__(self, table, **kwargs):
        super().__init__(**kwargs)
        self.table = table

    def call(self, x):
        return x


class Selfless(layers.Layer):
    def __init__(this, factor=1.0, **kwargs):  # noqa: N805
        super().__init__(**kwargs)
        this.factor = factor

    def call(this, x):  # noqa: N805
        return x * this.factor

    def get_config(this):  # noqa: N805
        return {**super().get_config(), "factor": this.factor}


def test_the_object_itself_is_no_argument_whatever_it_is_called():
    assert found("configuration", source_of(Selfless(2.0))) == []


def test_a_missing_get_config_is_written_out():
    (problem,) = found("configuration", source_of(Silent(object(), name="s")))

    assert "\n" not in problem.reason
    assert "must override `get_config()`" in problem.reason
    assert problem.remedy == 'define get_config(self): return {**super().get_config(), "table": self.table}'


def test_size(monkeypatch):
    source = source_of(layers.Dense(8))
    assert found("size", source) == []
    monkeypatch.setattr(size, "FLATBUFFER_LIMIT", 100)

    (problem,) = found("size", source)

    assert problem.formats == ("tflite", "micro")
    assert "ONNX" in problem.remedy


def test_size_counts_narrow_floats_as_the_file_has_them(monkeypatch):
    monkeypatch.setattr(size, "FLATBUFFER_LIMIT", 4 * (3 * 8 + 8) - 1)
    assert len(found("size", source_of(layers.Dense(8, dtype="float16")))) == 1


def test_names():
    x = keras.Input((4, 3), name="x")
    y = layers.LSTM(2, return_state=True, name="lstm")(x)

    (problem,) = found("names", Source(keras.Model(x, y), ""))

    assert problem.where == "lstm"
    assert "lstm, lstm_1, lstm_2" in problem.reason


def test_names_in_a_dict_are_told_apart():
    x = keras.Input((4, 3), name="x")
    a, b, c = layers.LSTM(2, return_state=True)(x)

    assert found("names", Source(keras.Model(x, {"a": a, "b": b, "c": c}), "")) == []


def test_an_output_with_the_name_of_an_input():
    x = keras.Input((3,), name="masks")
    (problem,) = found("names", Source(keras.Model({"masks": x}, {"masks": x * 2}), ""))
    assert problem.where == "masks"
    assert "masks_1" in problem.reason
    assert problem.severity == "warning"
    assert found("names", Source(keras.Model({"masks": x}, {"masks": x, "twice": x * 2}), "")) == []


def test_errors_come_first():
    source = source_of(layers.Lambda(lambda t: t), layers.GRU(2, stateful=True), batch=2)

    assert [p.severity for p in checks.find_problems(source, Options())] == ["error", "warning"]


def test_the_same_weights_have_the_same_hash():
    def model():
        keras.utils.set_random_seed(1)
        x = keras.Input((4,), name="x")
        return keras.Model(x, layers.Dense(3, name="d")(x))

    first, second = open_source(model(), None, trust=False), open_source(model(), None, trust=False)
    assert first.sha256 == second.sha256

    changed = model()
    changed.get_layer("d").kernel.assign(changed.get_layer("d").kernel * 1.001)
    assert open_source(changed, None, trust=False).sha256 != first.sha256


def test_custom_layers_are_in_the_metadata():
    import exporter
    import exporter.layers

    metadata = source_of(exporter.layers.Swish(), Forgetful()).metadata

    assert metadata["custom_layers"]["exporter>Swish"] == exporter.__version__
    assert "tests.checks>Forgetful" in metadata["custom_layers"]


@pytest.mark.parametrize("thing", [3, object(), layers.Dense(2)])
def test_what_is_no_model_is_refused(thing):
    from exporter.errors import UsageError

    with pytest.raises(UsageError, match="not a Keras model"):
        open_source(thing, None, trust=False)


def test_trust_is_told(tmp_path):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    assert found("trust", Source(model, "", tmp_path / "m.keras")) == []

    (problem,) = found("trust", Source(model, "", tmp_path / "m.keras", trusted=True))

    assert problem.where == "m.keras"
    assert "code in the file was allowed to run" in problem.reason
    assert problem.severity == "warning"
