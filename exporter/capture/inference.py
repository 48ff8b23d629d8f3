"""Capture: one inference function of a Keras model, flat tensors in and out, with `training=False` and Keras's names.

Every format starts from here, and so does the reference that they are compared with:
what Keras computes is what `Inference` computes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from exporter.capture.input_dtypes import guessed_inputs
from exporter.capture.keras_patches import ONE_ROW, RESIZING, SCOPES, UNKNOWN_STEPS, patched
from exporter.capture.leading_dimensions import Leading, free_inputs, leading_of
from exporter.capture.naming import apart
from exporter.capture.signature import InputSignature, input_signature, output_names
from exporter.errors import ExporterError, UnsupportedError, UsageError
from exporter.run.failures import message_of, place_of
from exporter.spec import Batch, TensorInfo
from exporter.tfgraph.open_loops import has_open_loop, run_with_limit


class Inference:
    """The inference function of a built Keras model.

    Args:
        model: a keras.Model, TensorFlow backend.
        signature: what `model.export(input_signature=...)` takes, or sizes or specs by the names of inputs (see
            `input_signature`); None: from the model.
        samples: the user's own data, which tell the dtypes of a subclassed model's inputs.

    Attributes:
        inputs: names, shapes (the batch is None unless the model fixes it) and dtypes, in Keras's order.
        outputs: likewise, for a dynamic batch.

    Raises:
        UsageError: if the model was never built, or the signature does not fit it.
    """

    def __init__(self, model: Any, signature: Any = None, samples: Any = None) -> None:
        self.model = model
        self._signature: InputSignature = input_signature(model, signature)
        self._concrete: dict[tuple[TensorInfo, ...], Any] = {}
        self._output_names: list[str] | None = None
        if self._signature.guessed:
            self._signature = replace(self._signature, inputs=guessed_inputs(self, samples))

    @property
    def arguments(self) -> tuple[str, ...]:
        """The arguments of the model's `call` that the inputs are packed into."""
        return self._signature.arguments

    @property
    def inputs(self) -> tuple[TensorInfo, ...]:
        """The inputs, in Keras's order."""
        return self._signature.inputs

    @cached_property
    def outputs(self) -> tuple[TensorInfo, ...]:
        """The outputs, in Keras's flat order; every dynamic dimension is None."""
        return self.outputs_of(self.concrete().graph)

    @property
    def _any_batch(self) -> bool:
        return any(info.shape and info.shape[0] is None for info in self.inputs)

    def outputs_of(self, graph: Any) -> tuple[TensorInfo, ...]:
        """Return the outputs, with the shapes that they have in a FuncGraph that was traced of this function."""
        return tuple(
            TensorInfo(name, tuple(t.shape.as_list()) if t.shape.rank is not None else (None,), t.dtype.name)
            for name, t in zip(self._output_names or [], graph.outputs, strict=True)
        )

    def __call__(self, *tensors: Any) -> list[Any]:
        """Run the model on flat input tensors (TensorFlow), eagerly or while tracing; return its flat outputs.

        Raises:
            UnsupportedError: if Keras or a layer fails.
        """
        import keras

        try:
            with patched(SCOPES, RESIZING, *[ONE_ROW] * self._any_batch):
                outputs = self.model(*self._signature.pack(tensors), training=False)
        except ExporterError as error:
            raise _unwrapped(error) from None
        except Exception as error:  # a layer's own code, which may raise anything
            raise _failed(self.inputs, error, guessed=self._signature.guessed) from error
        leaves = [t for t in keras.tree.flatten(outputs) if t is not None]
        inputs = {info.name: t for info, t in zip(self.inputs, tensors, strict=True)}
        self._output_names = apart(output_names(self.model, outputs), leaves, inputs)
        return [keras.ops.convert_to_tensor(t) for t in leaves]

    @cached_property
    def leading(self) -> Leading:
        """Which inputs share a dynamic first dimension, and which outputs have it."""
        return leading_of(self)

    def inputs_for(self, batch: Batch) -> tuple[TensorInfo, ...]:
        """Return the inputs with the batch set to `batch`; "dynamic" leaves it as Keras has it.

        A first dimension that is no batch stays as it is: one that is fixed beside dynamic ones, those that are fixed to
        several sizes, and all of a model that mixes inputs of independent sizes (`Leading.apart`).

        Raises:
            UsageError: if the model itself fixes another batch size.
        """
        free = free_inputs(self.inputs)
        if batch == "dynamic" or (len(free) > 1 and self.leading.apart):
            return self.inputs
        fixed = sorted({i.shape[0] for i in self.inputs if i.shape and i.shape[0] is not None})
        if not free and len(fixed) == 1 and batch not in fixed:
            raise UsageError(
                "the model fixes its batch size",
                where=", ".join(map(str, self.inputs)),
                reason=f"asked for {batch}, the model takes {fixed[0]}",
                remedy=f"ask for that size: batch={fixed[0]}, tflite_batch={fixed[0]} (--batch, --tflite-batch)",
            )
        return tuple(replace(i, shape=(batch, *i.shape[1:])) if i.name in free else i for i in self.inputs)

    def trace(self, function: Callable[..., Any], inputs: Sequence[TensorInfo]) -> Any:
        """Trace `function` of flat tensors once, for `inputs`; return TensorFlow's ConcreteFunction."""
        import tensorflow as tf

        specs = [tf.TensorSpec(i.shape, i.dtype, name=f"input_{n}") for n, i in enumerate(inputs)]
        return tf.function(function, autograph=False).get_concrete_function(*specs)

    def concrete(self, batch: Batch = "dynamic") -> Any:
        """Return the ConcreteFunction for a batch size, traced once, its arguments named input_0, input_1 and so on."""
        inputs = self.inputs_for(batch)
        if inputs not in self._concrete:
            with patched(UNKNOWN_STEPS):
                self._concrete[inputs] = self.trace(self.__call__, inputs)
        return self._concrete[inputs]

    @cached_property
    def may_not_end(self) -> bool:
        """Whether the model has a loop that may never end on values that nobody had in mind."""
        return has_open_loop(self.concrete().graph)

    def try_on(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Do what `predict` does, on values that were made up: a loop that may never end has a limit on its time.

        Raises:
            UnsupportedError: if it did not end (`tfgraph.open_loops`).
        """
        return run_with_limit(lambda: self.predict(arrays)) if self.may_not_end else self.predict(arrays)

    def predict(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return what Keras computes, by output name, run as a graph as `model.predict` does.

        Some layers compute differently eagerly (`Resizing` of uint8); the graph is what is exported.
        """
        import tensorflow as tf

        tensors = [tf.constant(arrays[i.name], dtype=i.dtype) for i in self.inputs]
        results = self.concrete()(*tensors)
        return {o.name: r.numpy() for o, r in zip(self.outputs, results, strict=True)}


def _unwrapped(error: ExporterError) -> ExporterError:
    """Return the error that a lowering raised: Keras raises another of its class, which has a message and nothing else."""
    while isinstance(error.__context__, ExporterError) and not error.remedy:
        error = error.__context__
    return error


def _failed(inputs: Sequence[TensorInfo], error: Exception, *, guessed: bool) -> UnsupportedError:
    open_sizes = ", ".join(i.name for i in inputs if None in i.shape[1:])
    sized = f", or give {open_sizes} a size: input_signature= (--shape)" if open_sizes else ""
    example = (
        f"{inputs[0].name}=int32[{','.join('?' if d is None else str(d) for d in inputs[0].shape)}]" if inputs else ""
    )
    typed = f"; if an input is not {inputs[0].dtype}, say so: input_signature= (--input {example})" if guessed else ""
    return UnsupportedError(
        "Keras itself cannot run the model as a graph",
        where=place_of(error) or ", ".join(map(str, inputs)),
        reason=message_of(error).partition(" You can attempt")[0],  # TensorFlow's advice is for Keras's authors
        remedy=f"make model.predict() work{' for any size' if sized else ''} on {', '.join(map(str, inputs))}{sized}{typed}",
    )
