"""Loops over time: one WHILE on builtin ops for every recurrent layer, with a static or a dynamic batch.

Keras keeps the steps in a TensorArray, which becomes a TensorList: TFLite has it only for a static batch, and copies the
whole list at every step. Here step t reads x[:, t] by GATHER, and blocks of outputs are written by DYNAMIC_UPDATE_SLICE.

What does not depend on the state is computed for all steps at once, before the loop (`run`): for GRU, SimpleRNN and LSTM
that is half of the matrix products.

WHILE copies what it carries at every step, and ops outside of XNNPACK interrupt it. So an inner loop carries the outputs of
the last 16 steps only, which XNNPACK shifts, and an outer one writes them. Measured on ai-edge-litert 2.3, batch 1, LSTM
returning sequences, against Keras's loop; blocks of 1, of 16, and unrolled: 16 units, 30 steps 0.9x, 3.2x, 6.9x; 64 units,
50 steps 0.9x, 2.6x, 1.8x; 128 units, 64 steps 1.2x, 2.8x, 0.7x; 128 units, 200 steps 1.1x, 3.3x, 0.6x; 256 units, 100 steps
2.5x, 3.9x, 0.6x: unrolled, the weights are packed once for each step and fall out of the cache. So only `unroll=True` unrolls
(`unrolling`). `benchmarks/tflite_forms.py`
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from exporter.formats.tflite.lowerings.rnn.unrolling import unrolled, where_valid
from exporter.formats.tflite.registry import lowers_function

Step = Callable[[Any, list[Any]], tuple[Any, list[Any]]]

BLOCK = 16  # steps


@lowers_function("rnn")
def rnn(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Replace `keras.src.backend.rnn`, which every recurrent layer and every user's cell goes through."""
    bound = inspect.signature(original).bind(*args, **kwargs)
    bound.apply_defaults()
    given = bound.arguments
    if given["time_major"] or isinstance(given["input_length"], tf.Tensor):
        return original(*args, **kwargs)
    before = given["initial_states"]

    def step(x: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        nested = keras.tree.pack_sequence_as(before, states)
        output, after = given["step_function"](x, [*nested, *(given["constants"] or ())])
        return output, keras.tree.flatten(after)

    last, outputs, states = scan(
        step,
        given["inputs"],
        keras.tree.flatten(before),
        mask=given["mask"],
        backwards=given["go_backwards"],
        zero_masked=given["zero_output_for_mask"],
        every=given["return_all_outputs"],
        unroll=given["unroll"],
    )
    return last, outputs, keras.tree.pack_sequence_as(before, states)


def run(layer: Any, sequences: Any, initial_state: Any, mask: Any, project: Callable[[Any], Any], step: Step) -> Any:
    """Compute what the `call` of a recurrent Keras layer returns.

    Args:
        layer: a `keras.layers.RNN` that is not stateful.
        sequences: shape [batch, time, features].
        initial_state: a tensor, a list of tensors, or None for the layer's own (zeros).
        mask: bool, shape [batch, time], or None.
        project: computes for all steps at once what does not depend on the state, [batch, time, …].
        step: takes a step of the projection and the states; returns the output and the states after it.
    """
    states = states_of(layer, sequences, initial_state)
    mask = keras.tree.flatten(mask)[0] if mask is not None else None
    last, outputs, states = scan(
        step,
        project(sequences),
        states,
        mask=mask,
        backwards=layer.go_backwards,
        zero_masked=layer.zero_output_for_mask,
        every=layer.return_sequences,
        unroll=layer.unroll,
    )
    output = outputs if layer.return_sequences else last
    return (output, *states) if layer.return_state else output


def states_of(layer: Any, sequences: Any, initial_state: Any) -> list[Any]:
    """Return the states before the first step, in the dtype that the cell computes in."""
    if initial_state is None:
        initial_state = layer.get_initial_state(batch_size=ops.shape(sequences)[0])
    return [ops.convert_to_tensor(s, dtype=layer.cell.compute_dtype) for s in keras.tree.flatten(initial_state)]


def scan(
    step: Step,
    sequences: Any,
    states: Sequence[Any],
    *,
    mask: Any = None,
    backwards: bool = False,
    zero_masked: bool = False,
    every: bool = True,
    unroll: bool = False,
) -> tuple[Any, Any, list[Any]]:
    """Apply `step` along axis 1 of `sequences`.

    Args:
        step: takes the inputs of a step and the states; returns the output and the states after it.
        sequences: a tensor or a structure of tensors of shape [batch, time, …].
        states: before the first step.
        mask: bool, shape [batch, time]; where it is False the states stay, and the output is that of the step before.
        backwards: from the last step to the first; outputs stand in the order in which they were computed.
        zero_masked: where the mask is False the output is 0 instead.
        every: return the outputs of all steps, rather than of the last one only.
        unroll: without a loop, where the number of steps is known.

    Returns:
        The last output [batch, …], the outputs [batch, time or 1, …], the states after the last step.
    """
    flat = keras.tree.flatten(sequences)
    known = flat[0].shape[1] is not None
    length = flat[0].shape[1] if known else tf.shape(flat[0])[1]
    mask = _by_step(mask)
    if unroll and known:
        how = {"mask": mask, "backwards": backwards, "zero_masked": zero_masked, "every": every}
        return unrolled(step, sequences, states, **how)
    flat = [*flat, *_as_numbers(mask)]

    def run_steps(count: Any, inputs: list[Any], output: list[Any], block: list[Any], states: list[Any]) -> list[Any]:
        """Run the first `count` steps of `inputs`; `block` has the latest outputs, shifted by one at every step."""

        def body(time: Any, output: list[Any], block: list[Any], states: list[Any]) -> tuple[Any, ...]:
            now = [tf.gather(i, time, axis=1) for i in inputs]
            valid = None if mask is None else now.pop() > 0.5
            new, after = step(keras.tree.pack_sequence_as(sequences, now), list(states))
            new = keras.tree.flatten(new)
            if valid is not None:
                kept = [tf.zeros_like(o) for o in new] if zero_masked else output
                new = [where_valid(valid, n, k) for n, k in zip(new, kept, strict=True)]
                after = [where_valid(valid, n, k) for n, k in zip(after, states, strict=True)]
            shifted = [tf.concat([b[:, 1:], n[:, None]], 1) for b, n in zip(block, new, strict=False)]
            return time + 1, new if carry else output, shifted, after

        return tf.while_loop(lambda time, *_: time < count, body, (tf.constant(0), output, block, states))[1:]

    def run_block(start: Any, output: list[Any], block: list[Any], buffers: list[Any], states: list[Any]) -> Any:
        places = start + tf.range(BLOCK)
        count: Any = BLOCK
        if not known or length % BLOCK:
            places, count = tf.minimum(places, length - 1), tf.minimum(BLOCK, length - start)
        inputs = [tf.gather(i, length - 1 - places if backwards else places, axis=1) for i in flat]
        output, block, states = run_steps(count, inputs, output, block, states)
        buffers = [_written(b, n, start) for b, n in zip(buffers, block, strict=True)]
        return start + BLOCK, output, block, buffers, states

    first, after = step(
        keras.tree.map_structure(lambda s: s[:, 0], sequences), list(states)
    )  # for its shape; it is dropped
    blank = [tf.zeros_like(o) for o in keras.tree.flatten(first)]
    is_state = (
        mask is None and not every and keras.tree.flatten(first)[0] is after[0]
    )  # then it need not be carried twice
    carry = (not every and not is_state) or (mask is not None and not zero_masked)
    short = not every or (known and length <= BLOCK)
    begin = (blank if carry else [], [_buffer(o, length if short else BLOCK) for o in blank] if every else [])
    if short:
        inputs = [tf.reverse(i, [1]) for i in flat] if backwards else flat
        output, outputs, after = run_steps(length, inputs, *begin, list(states))
    else:
        size = length if known else tf.maximum(length, BLOCK)
        buffers = [_buffer(o, size) for o in blank]
        *_, outputs, after = tf.while_loop(
            lambda start, *_: start < length, run_block, (tf.constant(0), *begin, buffers, list(states))
        )
        outputs = outputs if known else [o[:, size - length :] for o in outputs]
    if is_state:
        output = after[:1]
    if every:
        output = [tf.gather(o, length - 1, axis=1) for o in outputs]
    else:
        outputs = [tf.expand_dims(o, 1) for o in output]
    return keras.tree.pack_sequence_as(first, output), keras.tree.pack_sequence_as(first, outputs), after


def _by_step(mask: Any) -> Any:
    """Return a mask of [batch, time] or [batch, time, 1] as bool of [batch, time]."""
    if mask is None:
        return None
    mask = tf.cast(mask, "bool")
    return mask[..., 0] if mask.shape.rank == 3 else mask


def _as_numbers(mask: Any) -> list[Any]:
    """Return the mask, if there is one, as floats: TensorFlow Lite Micro's GATHER takes no bool."""
    return [] if mask is None else [tf.cast(mask, tf.float32)]


def _buffer(output: Any, length: Any) -> Any:
    """Return zeros of shape [batch, time, …] for outputs of shape [batch, …]."""
    static = [output.shape[0], length if isinstance(length, int) else None, *output.shape[1:]]
    shape = tf.shape(output)
    zeros = tf.zeros(tf.concat([shape[:1], [length], shape[1:]], axis=0), output.dtype)
    return _with_shape(zeros, static)


def _with_shape(tensor: Any, shape: Sequence[int | None]) -> Any:
    tensor.set_shape(shape)
    return tensor


def _written(buffer: Any, block: Any, start: Any) -> Any:
    """Return `buffer` with `block` from step `start` on, or at its end where the block would reach beyond.

    The last block then has the outputs of a whole block of steps, also where fewer were left to run.
    """
    from tensorflow.compiler.tf2xla.ops.gen_xla_ops import xla_dynamic_update_slice

    place = tf.stack([0, start] + [0] * (buffer.shape.rank - 2))
    return _with_shape(xla_dynamic_update_slice(buffer, block, place), buffer.shape)
