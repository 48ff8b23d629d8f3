"""What is read as a graph is one: hostile and damaged data is refused, and nothing is looked up outside of keras.ops."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from exporter.expressions import Refusal, decode, encode, trace
from exporter.expressions.encoding import LARGEST_CONSTANT

GRAPH = encode(
    trace(lambda x, k: {"y": ops.clip(x[:, 1:] * k, 0, float("inf"))}, np.ones((2, 3), "float32"),
          compute_dtype="float32", arguments={"k": np.array([1.0, np.nan])})
)  # fmt: skip


def changed(*path, value):
    data = copy.deepcopy(GRAPH)
    target = data
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    return data


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        changed("version", value=2),
        *[
            changed("nodes", 0, "op", value=op)
            for op in (
                "os.system",
                "__class__",
                "map",
                "vectorized_map",
                "image",
                "ones",
                "nn.relu",
                "absolute.__call__",
                3,
            )
        ],
        changed("nodes", 0, "kwargs", "sideways", value=1),
        changed("nodes", 0, "kwargs", "x", value={"node": [0, 0]}),
        changed("nodes", 0, "kwargs", "x", value={"node": [-1, 0]}),
        changed("nodes", 0, "kwargs", "x", value={"input": 1}),
        changed("nodes", 0, "kwargs", "x", value={"input": True}),
        changed("nodes", 0, "kwargs", "x", value={"constant": "missing"}),
        changed("nodes", 0, "kwargs", "x", value={"class_name": "Lambda"}),
        changed("nodes", 0, "kwargs", "x", value={"input": 0, "node": [0, 0]}),
        changed("nodes", 0, "kwargs", "x", value={}),
        changed("nodes", 0, "kwargs", "x", value=1.0),
        changed("nodes", value=[GRAPH["nodes"][0]] * 10_001),
        changed("outputs", value=1),
        changed("outputs", value=[]),
        changed("outputs", value={"node": [9, 0]}),
        changed("outputs", value={"constant": "k"}),
        changed("inputs", value={"input": 1}),
        changed("specs", value=[]),
        changed("specs", 0, "shape", value=[-1]),
        changed("constants", "k", "dtype", value="S2000000000"),
        changed("constants", "k", "dtype", value="object"),
        changed("constants", "k", "shape", value=[3]),
        changed("constants", "k", "values", value=["one", "nan"]),
        changed("constants", "k", value={"dtype": "int8", "shape": [LARGEST_CONSTANT + 1], "values": [0] * 10_001}),
    ],
)
def test_what_is_no_graph_is_refused(data) -> None:
    with pytest.raises(Refusal, match=r"no graph|may call"):
        decode(data)


def paths(data, path=()):
    yield path
    for key in data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ():
        yield from paths(data[key], (*path, key))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["node", "input", "constant", "slice", "tuple", "op", "float"]), inner, max_size=2),
)  # fmt: skip


@settings(max_examples=300)
@given(st.sampled_from([p for p in paths(GRAPH) if p]), JSON)
def test_mutated_graphs_are_refused_or_read_never_anything_else(path, value) -> None:
    try:
        graph = decode(changed(*path, value=value))
    except Refusal:
        return
    json.dumps(encode(graph))
