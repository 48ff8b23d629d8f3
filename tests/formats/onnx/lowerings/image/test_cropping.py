"""CropAndResize: boxes inside, across the border and turned round, one row, sizes that the model computes."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.formats.onnx.lowerings.exported import export, inside, model_of, normal

BOXES = np.float32([[0, 0, 1, 1], [0.1, 0.2, 0.7, 0.9], [-0.1, 0.2, 1.2, 0.5], [0.8, 0.9, 0.2, 0.1]])
OWNERS = np.int32([0, 1, 1, 0])


@pytest.mark.parametrize("method", ["bilinear", "nearest"])
@pytest.mark.parametrize("shape", [(None, 8, 9, 3), (None,) * 4], ids=str)
def test_boxes(shape, method):
    def function(x, boxes, owners):
        crop = tf.image.crop_and_resize
        return [crop(x, boxes, owners, size, method=method, extrapolation_value=3.0) for size in ((3, 4), (1, 5))]

    exported = export(model_of(inside(function), (shape, "float32"), ((None, 4), "float32"), ((None,), "int32")))
    exported.check(normal(2, 8, 9, 3), BOXES, OWNERS)
    exported.check(normal(2, 8, 9, 3), BOXES[:0], OWNERS[:0])


def test_computed_size():
    function = inside(lambda x, boxes, owners, like: tf.image.crop_and_resize(x, boxes, owners, tf.shape(like)[1:3]))
    images = ((None,) * 4, "float32")
    exported = export(model_of(function, images, ((None, 4), "float32"), ((None,), "int32"), images))
    exported.check(normal(2, 8, 9, 3), BOXES, OWNERS, normal(1, 3, 4, 1))
    exported.check(normal(2, 8, 9, 3), BOXES, OWNERS, normal(1, 1, 1, 1))
