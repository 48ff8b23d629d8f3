"""`keras.backend.rnn`, which runs a step function over time: the op Scan.

What runs here is every recurrence that ONNX has no op for: cells of users, ConvLSTM, unusual activation functions. The step
function is traced once, while the model is traced; its graph becomes the body of the Scan.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Order, Shape, Value, identity
from exporter.formats.onnx.registry import lowers_function


@dataclass(frozen=True)
class Step:
    """A step function, traced.

    Args:
        graph: TensorFlow's FuncGraph of (sequence elements, states, what is captured) -> (outputs, states).
        outputs: how many of its outputs are outputs; the others are states.
        backward: whether time runs backward.
        keep_all: whether the outputs of all steps are wanted, not the last alone.
        time_major: whether sequences come and go as (time, batch, …).
        zeros: whether masked steps give zeros; else they repeat the output before.
    """

    graph: Any
    outputs: int
    backward: bool
    keep_all: bool
    time_major: bool
    zeros: bool

    @property
    def output_shapes(self) -> list[Shape]:
        """The shapes of the outputs of one step."""
        return [tuple(t.shape.as_list()) for t in self.graph.outputs[: self.outputs]]

    def output_among_states(self, position: int) -> int | None:
        """Return which state an output is, if it is one."""
        sources = [_source(t) for t in self.graph.outputs]
        return next((n for n, state in enumerate(sources[self.outputs :]) if state is sources[position]), None)


def _expressible(
    step_function: Any, inputs: Any, initial_states: Any, *_: Any, unroll: bool = False, **options: Any
) -> bool:
    length = options.get("input_length")
    return not unroll and (length is None or isinstance(length, int))


def _prepared(  # noqa: PLR0913 (the signature is Keras's)
    step_function: Callable[..., Any],
    inputs: Any,
    initial_states: Any,
    *,
    go_backwards: bool = False,
    mask: Any = None,
    constants: Sequence[Any] | None = None,
    unroll: bool = False,
    input_length: int | None = None,
    time_major: bool = False,
    zero_output_for_mask: bool = False,
    return_all_outputs: bool = True,
) -> tuple[tuple[Any, ...], dict[str, Any], Any]:
    """Trace the step function; return the arguments of `rnn` and what the call returns."""
    import keras
    import tensorflow as tf

    sequences, states = keras.tree.flatten(inputs), keras.tree.flatten(tuple(initial_states))
    made: list[Any] = []

    def flat_step(*tensors: Any) -> list[Any]:
        at = keras.tree.pack_sequence_as(inputs, tensors[: len(sequences)])
        before = keras.tree.pack_sequence_as(tuple(initial_states), tensors[len(sequences) :])
        output, after = step_function(at, (*before, *(constants or ())))
        made.append(output)
        return [*keras.tree.flatten(output), *keras.tree.flatten(after)]

    specs = [tf.TensorSpec(_without_time(s.shape.as_list(), time_major), s.dtype) for s in sequences]
    specs += [tf.TensorSpec(s.shape, s.dtype) for s in states]
    graph = tf.function(flat_step, autograph=False).get_concrete_function(*specs).graph
    output = made[-1]
    flat = keras.tree.flatten(output)
    outer = {id(inner): tensor for tensor, inner in graph.captures if hasattr(tensor, "graph")}
    captured = [outer.get(id(placeholder)) for placeholder in graph.inputs[len(specs) :]]
    step = Step(graph, len(flat), go_backwards, return_all_outputs, time_major, zero_output_for_mask)
    time = sequences[0].shape[0 if time_major else 1] if return_all_outputs else 1
    whole = [tf.TensorSpec(_with_time(t.shape.as_list(), time, time_major), t.dtype) for t in flat]
    spec = (
        keras.tree.map_structure(_spec, output),
        keras.tree.pack_sequence_as(output, whole),
        keras.tree.pack_sequence_as(tuple(initial_states), [_spec(t) for t in states]),
    )
    return (step, sequences, states, mask, captured), {}, spec


def _source(tensor: Any) -> Any:
    return _source(tensor.op.inputs[0]) if tensor.op.type == "Identity" else tensor


def _spec(tensor: Any) -> Any:
    import tensorflow as tf

    return tf.TensorSpec(tensor.shape, tensor.dtype)


def _without_time(shape: Sequence[int | None], time_major: bool) -> Sequence[int | None]:
    return shape[1:] if time_major else [shape[0], *shape[2:]]


def _with_time(shape: Sequence[int | None], time: int | None, time_major: bool) -> Sequence[int | None]:
    return [time, *shape] if time_major else [shape[0], time, *shape[1:]]


@lowers_function("rnn", when=_expressible, prepare=_prepared)
def rnn(
    g: Graph,
    step: Step,
    sequences: Sequence[Value],
    states: Sequence[Value],
    mask: Value | None,
    captured: Sequence[Any],
) -> list[Value]:
    """Run the step over time; return the last outputs, all outputs, the last states."""
    scanned = [_time_major(g, s, step.time_major) for s in sequences]
    if mask is not None:
        scanned.append(_time_major(g, g.cast(mask, ir.DataType.BOOL), step.time_major))
    held = _held(step, mask)
    start = [*[g.keras_order(s) for s in states], *[_zeros(g, step, n, scanned[0]) for n in held]]
    outer = [g.keras_order(v) if isinstance(v, Value) else v for v in captured]
    body, kept = _body(g, step, scanned, start, mask is not None, held, outer)
    finals = g.ops(
        "Scan",
        *start,
        *scanned,
        outputs=[*[(s.shape, s.dtype) for s in start], *[((scanned[0].shape[0], *k.shape), k.dtype) for k in kept]],
        num_scan_inputs=len(scanned),
        scan_input_directions=[int(step.backward)] * len(scanned),
        body=body,
    )
    after, extra, whole = finals[: len(states)], finals[len(states) : len(start)], finals[len(start) :]
    if step.keep_all:
        last = [g.op("Gather", y, g.constant(-1, np.int64), shape=y.shape[1:], axis=0) for y in whole]
        return [*last, *[_batch_major(y, step.time_major) for y in whole], *after]
    carried = dict(zip(held, extra, strict=True))
    last = [carried[n] if n in carried else after[step.output_among_states(n) or 0] for n in range(step.outputs)]
    axis = 0 if step.time_major else 1
    lone = [
        g.op("Unsqueeze", y, g.constant([axis], np.int64), shape=(*y.shape[:axis], 1, *y.shape[axis:])) for y in last
    ]
    return [*last, *lone, *after]


def _held(step: Step, mask: Value | None) -> list[int]:
    """Return which outputs must be carried along: for masked steps to repeat, or to return the last."""
    if mask is not None:
        return list(range(step.outputs)) if not (step.zeros and step.keep_all) else []
    return [] if step.keep_all else [n for n in range(step.outputs) if step.output_among_states(n) is None]


def _body(
    g: Graph,
    step: Step,
    scanned: Sequence[Value],
    start: Sequence[Value],
    masked: bool,
    held: Sequence[int],
    outer: Sequence[Any],
) -> tuple[ir.Graph, list[Value]]:
    """Return the body of the Scan and the values that it collects over time."""
    body = g.body()
    before = [body.input(f"state_{n}", v.shape, v.dtype) for n, v in enumerate(start)]
    at = [body.input(f"at_{n}", v.shape[1:], v.dtype) for n, v in enumerate(scanned)]
    states = before[: len(before) - len(held)]
    assert g.walk is not None
    results = g.walk(body, step.graph, [*at[: len(at) - masked], *states, *outer])
    outputs, after = results[: step.outputs], results[step.outputs :]
    after = [_like(body, new, old) for new, old in zip(after, states, strict=True)]
    if masked:
        previous = dict(zip(held, before[len(states) :], strict=True))
        outputs = [_chosen(body, at[-1], y, None if step.zeros else previous[n]) for n, y in enumerate(outputs)]
        after = [_chosen(body, at[-1], new, old) for new, old in zip(after, states, strict=True)]
    kept = outputs if step.keep_all else []
    results = [*after, *[outputs[n] for n in held], *kept]
    return body.finish_body("step", results), kept


def _like(body: Graph, new: Value, old: Value) -> Value:
    return body.cast(body.value_of(new), old.dtype)


def _chosen(body: Graph, mask: Value, new: Value, old: Value | None) -> Value:
    """Return `new` where the step counts, else `old`; zeros for None."""
    axes = list(range(mask.rank, new.rank))
    if axes:
        shape = (*mask.shape, *[1] * len(axes))
        mask = body.op("Unsqueeze", mask, body.constant(axes, np.int64), shape=shape)
    other = body.constant(0, new.numpy_dtype) if old is None else old
    return body.op("Where", mask, new, other, shape=new.shape, dtype=new.dtype)


def _zeros(g: Graph, step: Step, position: int, sequence: Value) -> Value:
    """Return zeros of the shape of an output."""
    shape = step.output_shapes[position]
    if None in shape[1:]:
        raise NotImplementedError(
            f"a recurrence whose output has the shape {shape} and whose last output alone is kept"
        )
    dtype = ir.DataType.from_numpy(np.dtype(step.graph.outputs[position].dtype.as_numpy_dtype))
    if dtype in (ir.DataType.FLOAT16, ir.DataType.BFLOAT16):
        dtype = ir.DataType.FLOAT
    sizes = g.op("Concat", g.dimension(sequence, 1), g.constant(shape[1:], np.int64), axis=0, shape=(len(shape),))
    return g.cast(g.op("ConstantOfShape", sizes, shape=shape, dtype=ir.DataType.FLOAT), dtype)


def _time_major(g: Graph, value: Value, already: bool) -> Value:
    """Return (time, batch, …), its axes as the file has them."""
    return g.keras_order(value) if already else g.in_order(value, _swapped(value.rank)).as_filed()


def _batch_major(value: Value, time_major: bool) -> Value:
    return value if time_major else value.meant_as(_swapped(value.rank))


def _swapped(rank: int) -> Order:
    return (1, 0, *identity(rank)[2:])
