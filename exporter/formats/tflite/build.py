"""From a Keras model's inference function to the bytes of a TFLite file, by TensorFlow's own converter.

Lowerings registered for TFLite replace the calls that the converter would map to Flex ops or to slow ones.
Variables are frozen into constants first: a builtin-only file has no place to initialise a variable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from exporter.capture.patching import overridden
from exporter.errors import UnsupportedError
from exporter.formats.tflite.fused_options import without_bounds
from exporter.formats.tflite.interface import WRITTEN_AS, check_interface
from exporter.formats.tflite.refusals import refusal, refuse_float8, refuse_state, unconvertible, unwritable
from exporter.formats.tflite.registry import replacements
from exporter.spec import TensorInfo

if TYPE_CHECKING:
    from exporter.capture.inference import Inference
    from exporter.formats.tflite.passes.external_weights import Weight


@dataclass(frozen=True)
class Converted:
    """A converted model.

    Args:
        body: the file's bytes, before names and metadata are written. Inputs and outputs stand in Keras's order; an output
            may be an input, a constant, or another output once more. Behind the model's own inputs stand `weights`.
        weights: large weights that are still to be put into the file, in place of these inputs.
    """

    body: bytes
    weights: Sequence[Weight]


def convert(inference: Inference, inputs: Sequence[TensorInfo], *, allow_flex: bool = False) -> Converted:
    """Convert a model for `inputs` of these shapes; with `allow_flex` it may have Flex ops, where builtin ones do not suffice.

    Raises:
        UnsupportedError: if an op has no counterpart; `where` names the layer. Also if an input or output has a dtype that
            TFLite does not have.
    """
    check_interface(inference)
    concrete, weights = trace(inference, inputs)
    try:
        body = convert_traced(concrete, inference.model)
    except UnsupportedError:
        if not allow_flex:
            raise
        body = convert_traced(concrete, inference.model, flex=True)
    return Converted(body, weights)


def trace(inference: Inference, inputs: Sequence[TensorInfo], least: int | None = None) -> tuple[Any, Sequence[Weight]]:
    """Return the ConcreteFunction of the model for `inputs`, its calls and ops replaced by the lowerings for TFLite.

    Behind the model's own inputs it takes the weights that come second: those of at least `least` bytes that can.

    Raises:
        UnsupportedError: if the model keeps a state, computes in 8-bit floats, or has an op that no lowering can write for its
            shapes.
    """
    from exporter.formats.tflite.lower import UnwritableError, rewritten
    from exporter.formats.tflite.passes.external_weights import ExternalWeights
    from exporter.formats.tflite.passes.slice_motion import narrowed, plan_of

    with overridden(*replacements()):
        concrete = inference.trace(inference.__call__, inputs)
    refuse_state(concrete, inference.model)
    refuse_float8(concrete, inference.model)
    if plan := plan_of(concrete.graph):
        concrete = inference.trace(narrowed(concrete, plan), inputs)
    external = ExternalWeights.of(concrete, least)
    written = [replace(i, dtype=WRITTEN_AS.get(i.dtype, i.dtype)) for i in inputs]
    further = [TensorInfo(weight.name, weight.shape, "float32") for weight in external.weights]
    try:
        traced = inference.trace(rewritten(concrete, external, WRITTEN_AS), [*written, *further])
    except UnwritableError as error:
        raise unwritable(error, inference.model) from error
    return traced, external.weights


def convert_traced(concrete: Any, model: Any, *, flex: bool = False) -> bytes:
    """Freeze and convert a ConcreteFunction; `model` serves to name the layer of an op that is refused."""
    import tensorflow as tf
    from tensorflow.lite.python.convert_phase import ConverterError

    # The converter freezes a function itself, and silently writes uninitialised variables when given a model too.
    converter = _converter_class().from_concrete_functions([concrete], concrete)
    converter.target_spec.supported_ops = [
        tf.lite.OpsSet.TFLITE_BUILTINS,
        *([tf.lite.OpsSet.SELECT_TF_OPS] if flex else []),
    ]
    converter.experimental_enable_resource_variables = False
    converter.canonicalizing_inf_as_min_max_float = False  # x == inf would be x == 3.4e38
    converter.exclude_conversion_metadata = True  # it holds a time and would unpack the whole file once more
    try:
        return without_bounds(converter.convert())
    except ConverterError as error:
        raise refusal(error, model, concrete) from error
    except (RuntimeError, TypeError, ValueError) as error:
        raise unconvertible(error, model) from error


def _converter_class() -> Any:
    """Return TFLiteConverter with steps after freezing: loops are mended, markers become calls that it fuses."""
    import tensorflow as tf

    from exporter.formats.tflite.passes.fused_lstm import expand
    from exporter.formats.tflite.passes.loops import fix_loops

    class Converter(tf.lite.TFLiteConverter):
        def _freeze_concrete_function(self) -> Any:
            graph_def, inputs, outputs, function = super()._freeze_concrete_function()
            fix_loops(graph_def, {tensor.name for tensor in outputs})
            expand(graph_def)
            return graph_def, inputs, outputs, function

    return Converter
