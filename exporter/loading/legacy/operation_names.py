"""Names for the operations that stand in the place of a layer: outputs of a model are called after them."""

from __future__ import annotations

from typing import Any


def named(outputs: Any, name: str, taken: set[str], given: Any) -> Any:
    """Give the last operations the name of the layer, and the others names that begin with it.

    Args:
        outputs: the tensors that the operations made.
        name: of the layer in the file.
        taken: all names of the model; what is given here is added.
        given: the tensors that the operations were called on.

    Returns:
        `outputs`, where a tensor that was only passed through is copied, to bear the name.
    """
    import keras

    name = name.replace("/", "_")
    before = {id(tensor) for tensor in keras.tree.flatten(given)}
    outputs = keras.tree.map_structure(
        lambda tensor: keras.ops.copy(tensor) if id(tensor) in before else tensor, outputs
    )
    pending = [tensor for tensor in keras.tree.flatten(outputs) if hasattr(tensor, "_keras_history")]
    last = list(dict.fromkeys(tensor._keras_history.operation for tensor in pending))
    found = dict.fromkeys(last)
    while pending:
        history = pending.pop()._keras_history
        node = history.operation._inbound_nodes[history.node_index]
        for tensor in node.input_tensors:
            if id(tensor) not in before:
                found[tensor._keras_history.operation] = None
                pending.append(tensor)
    for operation in found:
        wanted = name if operation in last else f"{name}_{type(operation).__name__.lower()}"
        operation.name = _unique(wanted, taken)
    return outputs


def _unique(name: str, taken: set[str]) -> str:
    candidates = (f"{name}_{number}" if number else name for number in range(len(taken) + 1))
    unique = next(candidate for candidate in candidates if candidate not in taken)
    taken.add(unique)
    return unique
