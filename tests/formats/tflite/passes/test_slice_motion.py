"""Slices taken early: what is computed in part, what must stay whole, and that the numbers are Keras's."""

from __future__ import annotations

import numpy as np
import pytest
from keras import layers, ops

from exporter.capture.inference import Inference
from exporter.formats.tflite.build import trace
from exporter.formats.tflite.passes.slice_motion import PRODUCTS, plan_of
from tests.conformance.cases.case import inside
from tests.formats.slice_motion import CALLS, LENGTH, SLICES, STAYS, WIDTH, block, dense, model_of, rowwise
from tests.formats.tflite.conftest import normal


def products(call, batch=1):
    """Return the number of entries that each product of the rewritten graph computes, constants aside."""
    inference = Inference(model_of(call))
    graph = trace(inference, inference.inputs_for(batch))[0].graph
    return sorted(op.outputs[0].shape.num_elements() for op in graph.get_operations() if op.type in PRODUCTS)


@pytest.mark.parametrize("name", SLICES)
def test_a_transformer_of_which_a_part_is_read(export, name):
    exported = export(model_of(lambda x: dense(4)(block(x)[SLICES[name]])))
    exported.agrees(normal(1, LENGTH, WIDTH), normal(1, LENGTH, WIDTH, seed=3, scale=100.0))


def test_only_keys_and_values_of_the_last_attention_are_whole():
    whole, part = (LENGTH * WIDTH, WIDTH)
    scores = 2 * LENGTH
    assert products(lambda x: block(x)[:, 0]) == sorted([whole, whole, part, scores, part, part, 9, part])


def test_a_dynamic_batch(export):
    exported = export(model_of(lambda x: dense(4)(block(x)[:, 0])), batch="dynamic")
    exported.agrees(normal(1, LENGTH, WIDTH), normal(3, LENGTH, WIDTH))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
def test_other_rows_do_not_matter(export, bad):
    exported = export(model_of(lambda x: rowwise(x)[:, 2]))
    for row in (1, 2):
        x = normal(1, LENGTH, WIDTH)
        x[0, row, 3] = bad
        exported.agrees(x)


@pytest.mark.parametrize("name", CALLS)
def test_passed(export, name):
    model = model_of(inside(CALLS[name]))
    inference = Inference(model)
    assert plan_of(inference.concrete(1).graph)
    export(model).agrees(normal(1, LENGTH, WIDTH))


@pytest.mark.parametrize("name", STAYS)
def test_stays(name):
    assert not plan_of(Inference(model_of(inside(STAYS[name]))).concrete(1).graph)


def test_a_tensor_needed_whole_is_cut_behind_it():
    def call(x):
        y = dense()(x)
        return ops.mean(y, axis=1), dense(3)(y)[:, 0]

    assert products(call) == [3, LENGTH * WIDTH]


def test_equal_slices_of_one_tensor(export):
    def call(x):
        y = dense()(x)
        return y[:, 0], ops.tanh(y[:, 0])

    assert products(call) == [WIDTH]
    export(model_of(call)).agrees(normal(1, LENGTH, WIDTH))


def test_loops_and_their_slices_are_left_alone(export):
    def call(x):
        return dense()(layers.LSTM(5, return_sequences=True)(dense()(x)))[:, -1]

    export(model_of(call)).agrees(normal(1, LENGTH, WIDTH))
