"""Numbers and truth values as strings."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tests.formats.onnx.lowerings.exported import export, inside, model_of


def test_words_of_truth_values():
    exported = export(model_of(inside(lambda x: tf.strings.as_string(x > 0)), ((None, 2), "float32")))
    (result,) = exported.runner.run({"x0": np.float32([[1, -1]])}).values()
    assert result.tolist() == [["true", "false"]]
