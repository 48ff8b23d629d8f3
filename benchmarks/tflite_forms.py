"""What decides the forms of the lowerings for TFLite: each written in several ways, timed in LiteRT, one thread, interleaved.

    python -m benchmarks.tflite_forms lstm depthwise

The first form is what TFLiteConverter makes of Keras's own; the figures are how many times faster the others are. What is
outside of XNNPACK is in parentheses. A later runtime may turn any of these.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from benchmarks import timing
from benchmarks.bench_tflite import loaded, outside_xnnpack
from exporter.capture.patching import overridden
from exporter.formats.tflite.lowerings.nn.depthwise import TAPS
from exporter.formats.tflite.lowerings.rnn import recurrence
from exporter.formats.tflite.passes import loops
from exporter.formats.tflite.passes import slice_motion as slices
from exporter.formats.tflite.registry import replacements

Form = Callable[[tf.Tensor], tf.Tensor]
Case = tuple[tuple[int, ...], Mapping[str, Form | bytes]]  # a form may be a whole file
SECONDS = 3.0  # of measuring, per case
RNG = np.random.default_rng(0)

FAMILIES: dict[str, Callable[[], Iterator[Case]]] = {}


def family(function: Callable[[], Iterator[Case]]) -> Callable[[], Iterator[Case]]:
    """Enter a generator of cases, each the shape of the input and the forms by name, under its name."""
    FAMILIES[function.__name__] = function
    return function


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("families", nargs="*", help="default: all")
    for name in parser.parse_args().families or FAMILIES:
        for shape, forms in FAMILIES[name]():
            interpreters = {form: loaded(converted(function, shape)) for form, function in forms.items()}
            times = timing.medians([i.invoke for i in interpreters.values()], SECONDS)
            print(f"{name} {'x'.join(map(str, shape[1:]))}: {times[0] * 1e6:.0f} us", flush=True)
            for (form, interpreter), seconds in zip(interpreters.items(), times, strict=True):
                outside = ", ".join(sorted(outside_xnnpack(interpreter))).lower()
                print(f"    {times[0] / seconds:5.2f}x  {form}{f' ({outside})' if outside else ''}", flush=True)


def converted(function: Form | bytes, shape: tuple[int, ...]) -> bytes:
    """Return the TFLite file of a function of one float32 tensor."""
    if isinstance(function, bytes):
        return function
    concrete = tf.function(function, autograph=False).get_concrete_function(tf.TensorSpec(shape))
    return tf.lite.TFLiteConverter.from_concrete_functions([concrete], concrete).convert()


def lowered(layer: keras.layers.Layer) -> Form:
    """Return a call of a layer with the lowerings of layers and functions in place."""

    def call(x: tf.Tensor) -> tf.Tensor:
        with overridden(*replacements()):
            return layer(x)

    return call


def weight(*shape: int) -> np.ndarray:
    """Return what becomes a constant of the file; a tensor would become an input of it."""
    return RNG.normal(scale=0.1, size=shape).astype("float32")


@family
def lstm() -> Iterator[Case]:
    """The loop of the lowering with blocks of several lengths; 1 writes every step's output by itself."""
    for time, features, units in ((30, 8, 16), (50, 16, 64), (64, 32, 128), (200, 64, 128), (100, 256, 256)):
        layer = layers.LSTM(units, return_sequences=True)
        layer.build((1, time, features))
        forms: dict[str, Form | bytes] = {"Keras's loop": layer, "one op": _fused(layer, (time, features))}
        for block in (1, 8, 16, 32):
            forms[f"loop, blocks of {block}"] = _in_blocks(layer, block)
        forms["unrolled"] = _unrolled(layer)
        yield (1, time, features), forms


def _fused(layer: keras.layers.LSTM, shape: tuple[int, ...]) -> bytes:
    from exporter.capture.inference import Inference
    from exporter.formats.tflite.build import convert
    from exporter.formats.tflite.lowerings.rnn import lstm as lowering

    before, lowering.FUSED = lowering.FUSED, 2**40
    try:
        inference = Inference(keras.Sequential([keras.Input(shape), layer]))
        return convert(inference, inference.inputs_for(1)).body
    finally:
        lowering.FUSED = before


def _in_blocks(layer: keras.layers.LSTM, block: int) -> Form:
    from exporter.formats.tflite.lowerings.rnn import lstm as lowering

    def call(x: tf.Tensor) -> tf.Tensor:
        before, fused = recurrence.BLOCK, lowering.FUSED
        recurrence.BLOCK, lowering.FUSED = block, 0
        try:
            return lowered(layer)(x)
        finally:
            recurrence.BLOCK, lowering.FUSED = before, fused

    return call


def _unrolled(layer: keras.layers.LSTM) -> Form:
    unrolled = layers.LSTM.from_config({**layer.get_config(), "unroll": True})
    unrolled.build((1, None, layer.cell.kernel.shape[0]))
    return unrolled


@family
def early_slices() -> Iterator[Case]:
    """The last block of a transformer of which one row is read, each form a whole file."""
    for length, width, heads in ((128, 512, 8), (197, 192, 3), (512, 256, 4)):
        x = inputs = keras.Input((length, width))
        attention = layers.MultiHeadAttention(heads, width // heads)
        x = layers.LayerNormalization()(x + attention(x, x))
        y = layers.Dense(width)(layers.Dense(4 * width, activation="gelu")(x))
        model = keras.Model(inputs, layers.LayerNormalization()(x + y)[:, 0])
        last = _written(model, slices, "PRODUCTS", frozenset())
        yield (1, length, width), {"sliced last": last, "sliced early": _written(model)}


def _written(model: keras.Model, *without: Any) -> bytes:
    """Return our file of a model; `without` is a module, a name in it, and the value that turns a rewrite off."""
    from exporter import formats
    from exporter.capture.inference import Inference
    from exporter.spec import Options

    with contextlib.ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        if without:
            module, name, value = without
            stack.callback(setattr, module, name, getattr(module, name))
            setattr(module, name, value)
        path = Path(folder, "model.tflite")
        formats.get("tflite").write(Inference(model), path, Options(), {})
        return path.read_bytes()


@family
def loop_counters() -> Iterator[Case]:
    for layer, time, features in ((layers.LSTM(128), 64, 32), (layers.LSTM(256), 100, 256), (layers.GRU(64), 64, 32)):
        model = keras.Sequential([keras.Input((time, features)), layer])
        without = _written(model, loops, "LOOPS", ())
        yield (1, time, features), {"with TensorFlow's counter": without, "without": _written(model)}


@family
def layer_normalization() -> Iterator[Case]:
    for shape in ((1, 128, 512), (1, 197, 192), (1, 56, 56, 96)):
        layer = layers.LayerNormalization(gamma_initializer="normal", beta_initializer="normal")
        layer.build(shape)
        yield shape, {"Keras's": layer, "centred once": lowered(layer)}


@family
def group_normalization() -> Iterator[Case]:
    for shape, groups in (((1, 32, 32, 32), 8), ((1, 56, 56, 64), 32), ((1, 14, 14, 256), 32)):
        layer = layers.GroupNormalization(groups, gamma_initializer="normal", beta_initializer="normal")
        layer.build(shape)
        yield shape, {"Keras's": layer, "means of means": lowered(layer)}


@family
def depthwise() -> Iterator[Case]:
    """A kernel as strips of its rows, each a convolution of the image moved down."""
    for size, kernel, channels in ((56, 7, 96), (28, 7, 192), (14, 7, 384), (28, 9, 192), (28, 5, 192)):
        weights = weight(kernel, kernel, channels, 1)
        forms = {
            "one op": _one_op(weights),
            **{f"strips of {rows}": _in_strips(weights, rows) for rows in (1, TAPS // kernel)},
        }
        yield (1, size, size, channels), forms


def _one_op(weights: np.ndarray) -> Form:
    return lambda x: tf.nn.depthwise_conv2d(x, weights, (1, 1, 1, 1), "SAME")


def _in_strips(weights: np.ndarray, rows: int) -> Form:
    return lambda x: _strips(x, weights, rows)  # an argument of its own would be an input of the file


def _strips(x: tf.Tensor, weights: np.ndarray, rows: int) -> tf.Tensor:
    size = weights.shape[0]
    padding = [(size - 1) // 2, size // 2]
    x = tf.pad(x, [[0, 0], padding, padding, [0, 0]])
    total = None
    for first in range(0, size, rows):
        last = min(first + rows, size)
        part = x[:, first : x.shape[1] - (size - last)]
        strip = tf.nn.depthwise_conv2d(part, weights[first:last], (1, 1, 1, 1), "VALID")
        total = strip if total is None else total + strip
    return total


@family
def mish() -> Iterator[Case]:
    def stable(x: tf.Tensor) -> tf.Tensor:
        return x * tf.tanh(tf.nn.relu(x) + tf.math.log(1.0 + tf.exp(-tf.abs(x))))

    def two_divisions(x: tf.Tensor) -> tf.Tensor:
        e = tf.exp(x)
        return x / (1.0 + 2.0 / (e * (e + 2.0)))

    def bounded(x: tf.Tensor) -> tf.Tensor:
        e = tf.exp(tf.minimum(x, 20.0))
        n = e * (e + 2.0)
        return x * (n / (n + 2.0))

    def bounded_square(x: tf.Tensor) -> tf.Tensor:
        e = tf.exp(tf.minimum(x, 20.0))
        n = e * e + (e + e)
        return (x * n) / (n + 2.0)

    for shape in ((1, 56, 56, 64), (1, 128, 512), (1, 16, 16, 128)):
        forms = {"the converter's": keras.activations.mish, "x / (1 + 2 / n)": two_divisions}
        yield shape, {**forms, "x (n / (n + 2))": bounded, "x n / (n + 2)": bounded_square, "stable softplus": stable}


@family
def selu() -> Iterator[Case]:
    def by_elu(x: tf.Tensor) -> tf.Tensor:
        return 1.0507009873554805 * (tf.nn.relu(x) + 1.6732632423543772 * tf.nn.elu(tf.minimum(x, 0.0)))

    for shape in ((1, 56, 56, 64), (1, 128, 512)):
        yield shape, {"the converter's": tf.nn.selu, "relu and elu": by_elu}


@family
def upsampling() -> Iterator[Case]:
    for shape in ((1, 28, 28, 64), (1, 14, 14, 256)):
        layer = layers.UpSampling2D()
        yield shape, {"Keras's": layer, "one op": lowered(layer)}


@family
def convolution_3d() -> Iterator[Case]:
    for shape, filters in (((1, 8, 16, 16, 8), 16), ((1, 16, 32, 32, 16), 32), ((1, 8, 14, 14, 64), 64)):
        layer = layers.Conv3D(filters, 3, bias_initializer="normal")
        layer.build(shape)
        yield shape, {"CONV_3D": layer, "sums of CONV_2D": lowered(layer)}


if __name__ == "__main__":
    main()
