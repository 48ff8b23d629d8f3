"""What moves elements and does not compute: slices, gathers, joins, pads, reshapes, repeats, of any size and layout."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from tests.formats.onnx.lowerings.exported import export, model_of, normal

X = (None, 5, 6)
MOVES = {
    "slice": lambda x: x[:, 1:-1:2, ::-1],
    "slice_backwards": lambda x: x[:, ::-2],
    "index": lambda x: x[:, -1],
    "ellipsis": lambda x: x[..., 2],
    "new_axis": lambda x: x[:, None, 3],
    "empty_slice": lambda x: x[:, 4:2],
    "take": lambda x: ops.take(x, [0, 2, -1], axis=1),
    "take_matrix": lambda x: ops.take(x, [[0, 1], [4, 3]], axis=2),
    "flip": lambda x: ops.flip(x, axis=(1, 2)),
    "roll": lambda x: ops.roll(x, (2, -1), axis=(1, 2)),
    "concatenate": lambda x: ops.concatenate([x, x * 2, x[:, :1]], axis=1),
    "stack": lambda x: ops.stack([x, -x], axis=2),
    "split": lambda x: ops.split(x, [1, 3], axis=1),
    "unstack": lambda x: ops.unstack(x, axis=1),
    "pad": lambda x: ops.pad(x, ((0, 0), (1, 2), (0, 3)), constant_values=7),
    "reflect": lambda x: ops.pad(x, ((0, 0), (1, 2), (2, 0)), mode="reflect"),
    "symmetric": lambda x: ops.pad(x, ((0, 0), (1, 2), (2, 0)), mode="symmetric"),
    "reshape": lambda x: ops.reshape(x, (-1, 10, 3)),
    "transpose": lambda x: ops.transpose(x, (0, 2, 1)),
    "moveaxis": lambda x: ops.moveaxis(x, 1, 2),
    "squeeze": lambda x: ops.squeeze(x[:, :1], axis=1),
    "repeat": lambda x: ops.repeat(x, 3, axis=1),
    "repeat_each": lambda x: ops.repeat(x, [1, 0, 2, 1, 3], axis=1),
    "tile": lambda x: ops.tile(x, (1, 2, 3)),
    "broadcast": lambda x: ops.broadcast_to(ops.mean(x, axis=0), (3, 5, 6)),
    "swapaxes": lambda x: ops.swapaxes(x, 1, 2),
    "meshgrid": lambda x: ops.meshgrid(x[0, 0], x[0, :, 0]),
    "full_like": lambda x: [ops.full_like(x, 3), ops.zeros_like(x), ops.ones_like(x)],
    "one_hot": lambda x: ops.one_hot(ops.cast(x, "int32"), 4),
    "take_along_axis": lambda x: ops.take_along_axis(x, ops.argsort(x, axis=1), axis=1),
    "scatter_update": lambda x: ops.scatter_update(x[0], [[1], [3]], x[0, :2] * 2),
    "slice_update": lambda x: ops.slice_update(x[0], (1, 2), x[0, :2, :3] * 2),
    "searchsorted": lambda x: ops.searchsorted(ops.sort(x[0, 0]), x[0, 1]),
}


@pytest.mark.parametrize("opset", [13, None])
@pytest.mark.parametrize("name", MOVES)
def test_moves(name, opset):
    exported = export(model_of(MOVES[name], (X, "float32")), opset=opset)
    x = normal(3, 5, 6)
    x[0, 1, 2], x[1, 0, 0], x[2, 4, 5] = np.nan, np.inf, -np.inf
    exported.check(x if name not in ("one_hot", "take_along_axis", "searchsorted") else normal(3, 5, 6))
    if not name.startswith(("meshgrid", "scatter", "slice_update", "search", "broadcast", "reflect", "symmetric")):
        exported.check(normal(0, 5, 6))


@pytest.mark.parametrize("dtype", ["int32", "bool", "uint8", "int64"])
@pytest.mark.parametrize("name", ["slice", "take", "flip", "concatenate", "stack", "repeat", "transpose", "unstack"])
def test_of_every_dtype(name, dtype):
    plain = {  # without arithmetic, which bool has none of
        "concatenate": lambda x: ops.concatenate([x, x[:, :1]], axis=1),
        "stack": lambda x: ops.stack([x, x], axis=2),
    }
    export(model_of(plain.get(name, MOVES[name]), (X, dtype))).check(
        np.random.default_rng(0).integers(0, 2, (3, 5, 6)).astype(dtype)
    )


@pytest.mark.parametrize(
    "name", ["slice", "index", "flip", "concatenate", "pad", "reflect", "repeat", "transpose", "roll"]
)
def test_of_any_size(name):
    exported = export(model_of(MOVES[name], ((None, None, 6), "float32")))
    for length in (4, 9):
        exported.check(normal(2, length, 6))


@keras.saving.register_keras_serializable("tests")
class Moved(layers.Layer):
    """A move between convolutions."""

    def __init__(self, name_, **kwargs):
        super().__init__(**kwargs)
        self.name_ = name_

    def call(self, x):
        moves = {
            "slice": lambda x: x[:, 1:-1, ::2],
            "flip": lambda x: ops.flip(x, axis=2),
            "concatenate": lambda x: ops.concatenate([x, x], axis=-1),
            "split": lambda x: ops.add(*ops.split(x, 2, axis=-1)),
            "pad": lambda x: ops.pad(x, ((0, 0), (1, 1), (2, 0), (0, 0))),
            "mean": lambda x: x - ops.mean(x, axis=(1, 2), keepdims=True),
        }
        return moves[self.name_](x)


@pytest.mark.parametrize("name", ["slice", "flip", "concatenate", "split", "pad", "mean"])
def test_between_convolutions_nothing_is_transposed(name):
    steps = [layers.Conv2D(4, 1), Moved(name), layers.Conv2D(2, 1), layers.GlobalAveragePooling2D()]
    exported = export(keras.Sequential([keras.Input((6, 6, 3)), *steps]))
    exported.check(normal(2, 6, 6, 3))
    assert exported.ops["Transpose"] == 1
