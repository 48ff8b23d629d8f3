"""What the converter refused, told in terms of the Keras model: the layer, the op, and what to write instead."""

from __future__ import annotations

from typing import Any

from exporter.capture.layer_scopes import layer_of
from exporter.errors import UnsupportedError
from exporter.formats.tflite.registry import ASSIGNMENTS
from exporter.tfgraph.ancestors import tensors_behind

_SPLIT = (
    "run the layer before the model, and export the rest: keras.Model(model.get_layer({layer!r}).output, model.outputs)"
)
_VALUES = "singular vectors and eigenvectors are determined up to their signs only: take the values alone, e.g. {call}"
_GROWING = "give tf.TensorArray its size in place of dynamic_size=True, or use keras.ops.scan or keras.ops.map"
_TEXT = [
    "AsString",
    "LookupTableFind",
    "LookupTableFindV2",
    "RaggedBincount",
    "RaggedTensorToTensor",
    "SparseCross",
    "StaticRegexReplace",
    "StringLower",
    "StringSplit",
    "StringSplitV2",
    "StringToHashBucketFast",
]
REMEDIES = {
    **dict.fromkeys(_TEXT, _SPLIT),
    "Eig": "use keras.ops.eigh(x)[0] if the matrices are symmetric; else compute eigenvalues outside of the model",
    "SelfAdjointEigV2": _VALUES.format(call="keras.ops.eigh(x)[0], of matrices whose size is known"),
    "Svd": _VALUES.format(call="keras.ops.svd(x, compute_uv=False), of matrices whose size is known"),
    **dict.fromkeys(["EmptyTensorList", "Identity"], _GROWING),  # of all tensors only lists have no identity
    "CombinedNonMaxSuppression": "end the model at boxes and scores, or use tf.image.non_max_suppression_padded",
    "TensorListReserve": "write tensors of one known shape at every step of a loop, or use keras.ops.scan or keras.ops.map",
}
OF_DYNAMIC_BATCH = {"TensorListReserve": "fix the batch size: --tflite-batch 1 (in Python: tflite_batch=1)"}
DEFAULT_REMEDY = "write the layer with other keras.ops, or export the part of the model before it"


def refusal(error: Any, model: Any, concrete: Any) -> UnsupportedError:
    """Return the error to raise for TensorFlow's ConverterError of a function, naming each op and its layer once."""
    faults: dict[tuple[str, str], None] = {}
    for entry in error.errors:
        op = entry.operator.name.removeprefix("tf.")
        scopes = [call.name for call in entry.location.call if call.name]
        if op and scopes:
            faults[(op, layer_of(scopes[0], model))] = None
    if not faults:
        return UnsupportedError(
            "the model cannot be converted to TFLite",
            where=model.name,
            reason=str(error).strip().splitlines()[0],
            remedy=DEFAULT_REMEDY,
        )
    dynamic = any(t.shape.rank and t.shape[0] is None for t in concrete.inputs)
    known = {**REMEDIES, **(OF_DYNAMIC_BATCH if dynamic else {})}
    remedies = dict.fromkeys(known.get(op, DEFAULT_REMEDY).format(layer=layer) for op, layer in faults)
    return UnsupportedError(
        "TFLite has no builtin op for a part of the model",
        where=", ".join(dict.fromkeys(f"layer {layer!r}" for _, layer in faults)),
        reason="; ".join(f"{layer}: {op}" for op, layer in faults),
        remedy="; ".join(r for r in remedies if r != DEFAULT_REMEDY) or DEFAULT_REMEDY,
    )


def unwritable(error: Any, model: Any) -> UnsupportedError:
    """Return the error to raise for a lowering's UnwritableError, naming the layer."""
    return UnsupportedError(
        "TFLite has no form for a part of the model",
        where=f"layer {layer_of(error.op, model)!r}",
        reason=f"{error.kind}: {error.reason}",
        remedy=DEFAULT_REMEDY,
    )


def unconvertible(error: Exception, model: Any) -> UnsupportedError:
    """Return the error to raise where the converter stops without saying at which op."""
    return UnsupportedError(
        "TensorFlow's converter cannot convert the model",
        where=model.name,
        reason=(str(error).strip().splitlines() or [type(error).__name__])[0],
        remedy="export parts of the model, keras.Model(model.input, layer.output), to find the layer; give sizes for '?'",
    )


def refuse_state(concrete: Any, model: Any) -> None:
    """Refuse a model whose outputs depend on variables that it writes: a file of builtin ops has none.

    What is written and never read (the seed of an augmentation that inference leaves out) does no harm.

    Raises:
        UnsupportedError: naming the layers.
    """
    operations = concrete.graph.get_operations()
    writers = [op for op in operations if op.type in ASSIGNMENTS]
    read = tensors_behind(concrete.graph.outputs)
    guilty = [op for op in writers if op.inputs[0].name in read]
    if guilty:
        raise UnsupportedError(
            "the model remembers something from call to call",
            where=", ".join(dict.fromkeys(f"layer {layer_of(op.name, model)!r}" for op in guilty)),
            reason="a TFLite file of builtin ops has no variables to keep it in",
            remedy="set stateful=False, or make the state an input (initial_state) and an output (return_state=True)",
        )


def refuse_float8(concrete: Any, model: Any) -> None:
    """Refuse a model that rounds to 8-bit floats, of which TFLite has none: computed in float32 it would not round.

    Raises:
        UnsupportedError: naming the layers.
    """
    found = [op for op in concrete.graph.get_operations() for t in op.outputs if t.dtype.name.startswith("float8")]
    if found:
        raise UnsupportedError(
            "TFLite has no 8-bit floats",
            where=", ".join(dict.fromkeys(f"layer {layer_of(op.name, model)!r}" for op in found)),
            reason=f"it computes in {found[0].outputs[0].dtype.name}",
            remedy='export the model as it was before quantize("float8"), or quantize it to "int8"',
        )
