"""The layer that stands for a SavedModel: it calls one of its functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras


class SavedModelFunction(keras.layers.Layer):
    """Calls a signature of a loaded SavedModel, by the names of its inputs and outputs.

    It cannot be saved in a `.keras` file: the program it calls is not part of a config.

    Args:
        loaded: what `tf.saved_model.load` returned; kept, as it owns the variables.
        signature: the name of the function.
    """

    def __init__(self, loaded: Any, signature: str) -> None:
        super().__init__(name=signature, dtype="float32", autocast=False)
        self._loaded = loaded
        self._function = loaded.signatures[signature]
        self.captured = [_adopt(variable) for variable in self._function.variables]

    def call(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the outputs by name."""
        return dict(self._function(**inputs))

    def compute_output_spec(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Shapes and types as the signature states them."""
        outputs = self._function.structured_outputs
        return {name: keras.KerasTensor(shape(spec), spec.dtype.name) for name, spec in sorted(outputs.items())}


def _adopt(variable: Any) -> keras.Variable:
    """A Keras variable that is the given tf.Variable, not a copy: the function goes on reading this one."""
    name = variable.name.partition(":")[0].replace("/", "_")
    adopted = keras.Variable(variable, trainable=variable.trainable, dtype=variable.dtype.name, name=name)
    adopted._value = variable  # no public way leads around the copy
    return adopted


def shape(spec: Any) -> tuple[int | None, ...]:
    """The shape of a TensorSpec; a model needs at least the rank.

    Raises:
        ValueError: if the rank is unknown.
    """
    return tuple(spec.shape.as_list())


def model_of(loaded: Any, signature: str) -> Any:
    """A Functional model of one SavedModelFunction, with the inputs and outputs of the signature."""
    layer = SavedModelFunction(loaded, signature)
    specs = loaded.signatures[signature].structured_input_signature[1]
    inputs = {
        name: keras.Input(batch_shape=shape(spec), dtype=spec.dtype.name, name=name)
        for name, spec in sorted(specs.items())
    }
    return keras.Model(inputs, layer(inputs), name="saved_model")
