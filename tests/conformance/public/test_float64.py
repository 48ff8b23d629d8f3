"""A layer with dtype="float64" computes in float64: the reference of an export is such a clone of the model.

Under TensorFlow only, where exports are made: Keras's ops round float64 to float32 elsewhere (all of them under JAX as it is
set up by default, matmul and mean under PyTorch).
"""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from tests.conformance.public.cases import build, expected_outputs, layer_cases
from tests.conformance.public.kinds import Case

# Four orders above the rounding of float64, five below that of float32.
TOLERANCE = 1e-12


@pytest.mark.parametrize(("cls", "case"), [pytest.param(cls, case, id=name) for name, cls, case in layer_cases()])
def test_float64_layer_computes_in_float64(cls: type, case: Case) -> None:
    x = case.sample()
    layer = build(cls, case, x, dtype="float64")
    outputs = keras.tree.flatten(layer(x if x.dtype == np.uint8 else x.astype("float64")))
    for output, reference in zip(outputs, expected_outputs(case, layer, x), strict=True):
        actual = ops.convert_to_numpy(output)
        assert actual.dtype == ("int32" if reference.dtype == np.int64 else "float64")
        np.testing.assert_allclose(actual, reference, rtol=TOLERANCE, atol=TOLERANCE)
