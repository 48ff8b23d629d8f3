"""Compute convolutions over time as convolutions over images of one row.

ONNX Runtime has kernels in blocks of channels for two dimensions only (1.32). Four residual blocks of Conv1D and ReLU, one
thread, AVX-512: 64 channels of 128 steps 1.21 times as fast, 32 dilated 1.29, 16 of 128 1.10, 128 of 64 1.09; 256 channels 0.97
to 1.06, a kernel of one step 0.98. What stands between such convolutions becomes part of the image, so that nothing leaves the
blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Value

BLOCK = 16  # channels that ONNX Runtime computes at once
WIDEST = 128  # channels; beyond, its kernels for one dimension are as fast
ROW = 2  # the axis of an image that has one element

Conversion = Callable[["_Sequences", ir.Node], Value | None]
CONVERSIONS: dict[str, Conversion] = {}


def becomes(*kinds: str) -> Callable[[Conversion], Conversion]:
    """Enter what writes a node's result as an image, or returns None, for types of ops."""

    def enter(form: Conversion) -> Conversion:
        CONVERSIONS.update(dict.fromkeys(kinds, form))
        return form

    return enter


def convert_conv1d_to_conv2d(graph: ir.Graph, g: Graph) -> None:
    """Write what runs faster on images of one row.

    Args:
        graph: the model's, written by `g`.
        g: knows the shapes of its values, and writes the images.
    """
    sequences = _Sequences(graph, g)
    for node in list(graph):
        if node.op_type in CONVERSIONS and not node.domain and node.outputs[0].dtype == ir.DataType.FLOAT:
            sequences.rewrite(node)


class _Sequences:
    """The images that stand for sequences, (batch, channels, 1, time) for (batch, channels, time)."""

    def __init__(self, graph: ir.Graph, g: Graph) -> None:
        self.g = g
        self._graph = graph
        self._images: dict[ir.Value, Value] = {}

    def rewrite(self, node: ir.Node) -> None:
        """Put the image of a node's result in place of it, and a Squeeze for those who take a sequence."""
        with self.g.scratch_nodes((node.name or "").rpartition("/")[0]) as nodes:
            image = CONVERSIONS[node.op_type](self, node)
            if image is None:
                return
            result = self.g.op("Squeeze", image, _axes(ROW), shape=(*image.shape[:ROW], *image.shape[ROW + 1 :]))
        self._graph.insert_before(node, nodes)
        old, new = node.outputs[0], result.ir
        assert new is not None
        new.name, new.shape, new.type = old.name, old.shape, old.type
        ir.convenience.replace_all_uses_with(old, new, replace_graph_outputs=True)
        self._graph.remove(node, safe=True)
        self._images[new] = image

    def known(self, value: ir.Value | None) -> Value | None:
        """Return the image that stands for a sequence already."""
        return None if value is None else self._images.get(value)

    def image(self, value: ir.Value) -> Value | None:
        """Return the image of a sequence; one that was turned channels-first is turned as an image."""
        if value in self._images:
            return self._images[value]
        known = self.g.filed(value)
        if known is None or known.rank != 3:
            return None
        batch, channels, time = known.shape
        shape, producer = (batch, channels, 1, time), value.producer()
        turned = producer is not None and producer.op_type == "Transpose" and _permutation(producer) == (0, 2, 1)
        source = self.g.filed(producer.inputs[0]) if turned and producer is not None and producer.inputs[0] else None
        if source is None:
            made = self.g.op("Unsqueeze", known, _axes(ROW), shape=shape)
        else:
            row = self.g.op("Unsqueeze", source, _axes(1), shape=(batch, 1, time, channels))
            made = self.g.op("Transpose", row, perm=[0, 3, 1, 2], shape=shape)
        self._images[value] = made
        return made


@becomes("Conv")
def convolution(sequences: _Sequences, node: ir.Node) -> Value | None:
    """Write a convolution whose channels come in blocks."""
    x, weights, *bias = node.inputs
    if x is None or weights is None or weights.const_value is None or weights.const_value.shape.rank() != 3:
        return None
    units, per_group, window = weights.const_value.shape.numpy()
    group = node.attributes.get_int("group", 1)
    in_blocks = group in (1, units) and units % BLOCK == 0 and per_group * group % BLOCK == 0
    faster = window > 1 and max(units, per_group * group) <= WIDEST
    if not in_blocks or not (faster or sequences.known(x)) or "auto_pad" in node.attributes:
        return None
    image = sequences.image(x)
    if image is None:
        return None
    g, length = sequences.g, _length(sequences, node)
    kernel = g.reshaped(weights, (units, per_group, 1, window))
    options: dict[str, Any] = {name: [1, *node.attributes.get_ints(name, [1])] for name in ("strides", "dilations")}
    start, end = node.attributes.get_ints("pads", [0, 0])
    biases = [g.filed(value) for value in bias if value is not None]
    shape = (image.shape[0], units, 1, length)
    return g.op(
        "Conv",
        image,
        kernel,
        *biases,
        shape=shape,
        group=group,
        kernel_shape=[1, window],
        pads=[0, start, 0, end],
        **options,
    )


@becomes("MaxPool", "AveragePool")
def pooling(sequences: _Sequences, node: ir.Node) -> Value | None:
    """Write a pooling of what is an image."""
    image = sequences.known(node.inputs[0])
    if image is None or len(node.outputs) != 1 or "auto_pad" in node.attributes:
        return None
    start, end = node.attributes.get_ints("pads", [0, 0])
    options: dict[str, Any] = {"pads": [0, start, 0, end]}
    for name in ("kernel_shape", "strides", "dilations"):
        if name in node.attributes:
            options[name] = [1, *node.attributes.get_ints(name)]
    for name in ("ceil_mode", "count_include_pad"):
        if name in node.attributes:
            options[name] = node.attributes.get_int(name)
    shape = (*image.shape[:3], _length(sequences, node))
    return sequences.g.op(node.op_type, image, shape=shape, **options)


UNARY = "Relu LeakyRelu Elu Selu Sigmoid Tanh HardSigmoid HardSwish Gelu Softplus Softsign Exp Abs Neg Sqrt Clip Erf"
SEVERAL = "Add Sum Mul Sub Div Max Min"


@becomes(*UNARY.split(), *SEVERAL.split())
def elementwise(sequences: _Sequences, node: ir.Node) -> Value | None:
    """Write a function of images of one shape, of numbers and of one number for each channel."""
    images = [sequences.known(value) for value in node.inputs]
    shapes = {image.shape for image in images if image is not None}
    if len(shapes) != 1:
        return None
    operands = [image or _beside_image(sequences, value) for image, value in zip(images, node.inputs, strict=True)]
    if any(operand is None and value is not None for operand, value in zip(operands, node.inputs, strict=True)):
        return None
    attributes = {name: attribute.value for name, attribute in node.attributes.items()}
    return sequences.g.op(node.op_type, *operands, shape=shapes.pop(), **attributes)


def _beside_image(sequences: _Sequences, value: ir.Value | None) -> Value | None:
    """Return a constant that is broadcast to sequences as one that is broadcast to images."""
    if value is None or value.const_value is None:
        return None
    shape = value.const_value.shape.numpy()
    if not shape:
        return sequences.g.filed(value)
    per_channel = len(shape) in (2, 3) and shape[-1] == 1 and shape[:-2] in ((), (1,))
    return sequences.g.reshaped(value, (*shape[:-1], 1, 1)) if per_channel else None


@becomes("BatchNormalization")
def batch_normalization(sequences: _Sequences, node: ir.Node) -> Value | None:
    """Write a batch normalization of what is an image."""
    image = sequences.known(node.inputs[0])
    if image is None or len(node.outputs) != 1:
        return None
    weights = [sequences.g.filed(value) for value in node.inputs[1:] if value is not None]
    epsilon = node.attributes.get_float("epsilon", 1e-5)
    return sequences.g.op("BatchNormalization", image, *weights, shape=image.shape, epsilon=epsilon)


@becomes("Concat")
def concatenation(sequences: _Sequences, node: ir.Node) -> Value | None:
    """Put the channels of images side by side."""
    images = [image for value in node.inputs if (image := sequences.known(value)) is not None]
    if node.attributes["axis"].as_int() != 1 or len(images) != len(node.inputs):
        return None
    channels = [image.shape[1] for image in images]
    total = None if None in channels else sum(c or 0 for c in channels)
    return sequences.g.op("Concat", *images, shape=(images[0].shape[0], total, *images[0].shape[2:]), axis=1)


def _length(sequences: _Sequences, node: ir.Node) -> int | None:
    known = sequences.g.filed(node.outputs[0])
    return known.shape[-1] if known is not None else None


def _permutation(node: ir.Node) -> Sequence[int]:
    return tuple(node.attributes.get_ints("perm", []))


def _axes(*axes: int) -> np.ndarray:
    return np.array(axes, np.int64)
