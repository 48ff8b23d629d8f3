"""From a Keras model's inference function to the bytes of a TFLite file, by TensorFlow's own converter.

Lowerings registered for TFLite replace the calls that the converter would map to Flex ops or to slow ones.
Variables are frozen into constants first: a builtin-only file has no place to initialise a variable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from exporter.formats.tflite.interface import WRITTEN_AS, check_interface
from exporter.formats.tflite.refusal import refusal, refuse_state
from exporter.lowerings.override import overridden
from exporter.lowerings.tflite import replacements

if TYPE_CHECKING:
    from exporter.freeze import Inference
    from exporter.spec import TensorInfo


def convert(inference: Inference, inputs: Sequence[TensorInfo]) -> bytes:
    """Return the file's bytes, before names and metadata are written, for `inputs` of these shapes.

    Inputs and outputs stand in Keras's order; an output may be an input, a constant, or another output once more.

    Raises:
        UnsupportedError: if an op has no builtin counterpart; `where` names the layer. Also if an input or output has a
            dtype that TFLite does not have.
    """
    check_interface(inference)
    return convert_traced(trace(inference, inputs), inference.model)


def trace(inference: Inference, inputs: Sequence[TensorInfo]) -> Any:
    """Return the ConcreteFunction of the model for `inputs`, its calls and ops replaced by the lowerings for TFLite.

    Raises:
        UnsupportedError: if the model keeps a state.
    """
    from exporter.lowerings.tflite.rewriting import rewritten

    with overridden(*replacements()):
        concrete = inference.trace(inference.__call__, inputs)
    refuse_state(concrete, inference.model)
    written = [replace(i, dtype=WRITTEN_AS.get(i.dtype, i.dtype)) for i in inputs]
    return inference.trace(rewritten(concrete, WRITTEN_AS), written)


def convert_traced(concrete: Any, model: Any) -> bytes:
    """Freeze and convert a ConcreteFunction; `model` serves to name the layer of an op that is refused."""
    import tensorflow as tf
    from tensorflow.lite.python.convert_phase import ConverterError

    # The converter freezes a function itself, and silently writes uninitialised variables when given a model too.
    converter = _converter_class().from_concrete_functions([concrete], concrete)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    converter.experimental_enable_resource_variables = False
    converter.canonicalizing_inf_as_min_max_float = False  # x == inf would be x == 3.4e38
    converter.exclude_conversion_metadata = True  # it holds a time and would unpack the whole file once more
    try:
        return converter.convert()
    except ConverterError as error:
        raise refusal(error, model) from error


def _converter_class() -> Any:
    """Return TFLiteConverter with one step more: after freezing, markers become calls that it fuses."""
    import tensorflow as tf

    from exporter.lowerings.tflite.fused_lstm import expand

    class Converter(tf.lite.TFLiteConverter):
        def _freeze_concrete_function(self) -> Any:
            graph_def, inputs, outputs, function = super()._freeze_concrete_function()
            expand(graph_def)
            return graph_def, inputs, outputs, function

    return Converter
