"""Greedy CTC decoding: blanks anywhere, repeated labels merged or not, rows of different lengths; CTC's loss."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from exporter.errors import UnsupportedError
from tests.formats.onnx.lowerings.exported import export, normal


@keras.saving.register_keras_serializable("tests")
class Decoder(layers.Layer):
    """ops.ctc_decode as a layer: it does not take symbolic tensors."""

    def __init__(self, **arguments):
        super().__init__()
        self.arguments = arguments

    def call(self, inputs):
        return ops.ctc_decode(*inputs, **self.arguments)


def decoder(steps=9, **arguments):
    scores, lengths = keras.Input((steps, 4), name="scores"), keras.Input((), dtype="int32", name="lengths")
    return keras.Model([scores, lengths], Decoder(**arguments)([scores, lengths]))


@pytest.mark.parametrize("merge_repeated", [True, False])
@pytest.mark.parametrize("mask_index", [0, 2, 3])
def test_every_blank(mask_index, merge_repeated):
    exported = export(decoder(mask_index=mask_index, merge_repeated=merge_repeated))
    exported.check(normal(6, 9, 4), np.array([9, 0, 1, 5, 8, 9], "int32"))
    assert exported.ops["ArgMax"] == 1


def test_nothing_but_blanks_and_ties():
    exported = export(decoder())
    scores = np.zeros((2, 9, 4), "float32")
    exported.check(scores, np.array([9, 3], "int32"))  # all classes tie: the first one is the blank
    scores[..., 2] = scores[..., 3] = 1
    exported.check(scores, np.array([9, 3], "int32"))


def test_any_number_of_steps():
    exported = export(decoder(None))
    for steps in (1, 6, 30):
        exported.check(normal(3, steps, 4), np.array([steps, 0, steps // 2], "int32"))


def test_beam_search_is_refused():
    with pytest.raises(UnsupportedError, match="greedy"):
        export(decoder(strategy="beam_search"))


def test_loss():
    labels, scores = keras.Input((3,), dtype="int32"), keras.Input((8, 5))
    lengths = keras.Input((2,), dtype="int32")
    loss = ops.ctc_loss(labels, scores, lengths[:, 0], lengths[:, 1])
    exported = export(keras.Model([labels, scores, lengths], loss))
    exported.check(np.array([[1, 2, 2], [4, 1, 0]], "int32"), normal(2, 8, 5), np.array([[3, 8], [2, 6]], "int32"))
