"""The one op UNIDIRECTIONAL_SEQUENCE_LSTM: how it is asked for while tracing, and what the converter must be shown.

The converter fuses a function call whose attribute `api_implements` says that it is Keras's LSTM, with the arguments
(inputs, h, c, kernel, recurrent_kernel, bias) of static batch, of whose five results only the sequence is used. Freezing
variables drops that attribute and specialises the function. So tracing leaves a marker, an op that freezing does not
touch (`fused_lstm`), and the frozen graph is given the calls in place of the markers (`expand`).

The op keeps h and c in the two state tensors themselves. A state that is a constant becomes a *variable* of the file,
which starts at zero whatever the constant and is still there at the next call: the second run on the same input gives
another result. A state that the graph computes is computed again at every call. Hence `_recomputed`.
"""

from __future__ import annotations

import itertools
import json
import zlib
from typing import Any

import tensorflow as tf

MARKER = "PyFuncStateless"  # any op that takes and gives lists of tensors, and that no optimizer knows
TOKEN = "keras_exporter.lstm"


def fused_lstm(x: Any, h: Any, c: Any, kernel: Any, recurrent_kernel: Any, bias: Any) -> Any:
    """Return the outputs of all steps, [batch, time, units], of an LSTM with tanh and sigmoid.

    Args:
        x: inputs [batch, time, features], batch and features static.
        h: first state [batch, units].
        c: second state [batch, units].
        kernel: constant once frozen, [features, 4 units]: input, forget, cell and output gate.
        recurrent_kernel: likewise, [units, 4 units].
        bias: likewise, [4 units].
    """
    batch, time, features = x.shape
    units = h.shape[-1]
    token = json.dumps(
        {"what": TOKEN, "batch": batch, "time": time, "features": features, "units": units}, sort_keys=True
    )
    results = tf.raw_ops.PyFuncStateless(
        input=[x, *_recomputed(x, h, c), kernel, recurrent_kernel, bias], token=token, Tout=[x.dtype] * 5, name="LSTM"
    )
    results[1].set_shape([batch, time, units])
    return results[1]


def _recomputed(x: Any, h: Any, c: Any) -> tuple[Any, Any]:
    """Return h and c as tensors of their own that the graph computes at every call.

    Each is chosen, rather than zeros, by a condition that nothing can fold: that a number does not lie both above and below
    a bound. The bounds differ from LSTM to LSTM, so that equal states are not merged into one tensor, which the first op
    would overwrite. It must not be ADD that writes the state: without XNNPACK, LiteRT's ADD (2.14 to 2.3 at least) computes
    in place on a variable that is not in its arena, and the process ends.
    """
    probe = tf.cast(tf.reshape(x, [-1])[:1], tf.float32)  # the bounds are more than 16-bit floats can tell apart
    scope = tf.compat.v1.get_default_graph().unique_name("LSTM", mark_as_used=False)
    bound = float(zlib.crc32(scope.encode()) % 2**20)

    def chosen(state: Any, bound: float) -> Any:
        never = tf.logical_and(probe > bound, probe < bound)
        return tf.where(never, tf.zeros([], state.dtype), state)

    return chosen(h, bound), chosen(c, bound + 0.5)


def expand(graph_def: Any) -> None:
    """Replace the markers in a frozen GraphDef, also those in the bodies of loops, by calls that the converter fuses."""
    numbers = itertools.count()
    bodies = [f.node_def for f in graph_def.library.function]
    for nodes in [graph_def.node, *bodies]:
        for node in nodes:
            if node.op == MARKER and TOKEN in node.attr["token"].s.decode():
                definition = _definition(f"fused_lstm_{next(numbers)}", **json.loads(node.attr["token"].s))
                graph_def.library.function.add().CopyFrom(definition)
                node.op = "PartitionedCall"
                node.attr["f"].func.name = definition.signature.name
                del node.attr["token"]


def _definition(name: str, what: str, batch: int, time: int | None, features: int, units: int) -> Any:
    """Return the FunctionDef to be fused. Its body gives the shapes only: the converter replaces it."""
    from tensorflow.python.eager.polymorphic_function import atomic_function
    from tensorflow.python.framework import func_graph, ops

    del what
    shapes = [(batch, time, features), *[(batch, units)] * 2, (features, 4 * units), (units, 4 * units), (4 * units,)]
    graph = func_graph.FuncGraph(f"{name}_{ops.uid()}")
    with graph.as_default():
        graph.inputs = [tf.compat.v1.placeholder("float32", shape) for shape in shapes]
        length = tf.shape(graph.inputs[0])[1]
        sequence = tf.ensure_shape(tf.zeros(tf.stack([batch, length, units])), [batch, time, units])
        state = tf.zeros([batch, units])
        graph.outputs = [state, sequence, state, state, tf.constant(1.0)]
    attributes = {
        "api_implements": f"lstm_{name}",
        "api_preferred_device": "CPU",
        "go_backwards": False,
        "time_major": False,
    }
    return atomic_function.from_func_graph(name, graph, attributes).definition
