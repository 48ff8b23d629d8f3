"""Layers: preprocessing of numbers, categories, text, images, audio; augmentation, which inference leaves alone."""

from __future__ import annotations

from functools import partial

import keras
import numpy as np
from keras import layers

from tests.conformance.cases.case import Case, booleans, floats, functional, inside, integers, layer, model, strings

X = floats(4)
IMAGE = floats(8, 10, 3, low=0, high=255)
WORDS = [f"w{n}" for n in range(5)]


def adapted(cls: type, spec, data, label="adapted", **arguments) -> Case:
    """Return the case of a layer that learned its state from data."""

    def build() -> keras.Model:
        made = cls(**arguments)
        made.adapt(data)
        return functional([spec], made)

    return Case(f"layers.{cls.__name__}[{label}]", (cls,), build, (spec,))


NUMBERS = [
    adapted(layers.Normalization, X, np.random.default_rng(0).normal(3, 2, (50, 4)).astype("float32")),
    layer(layers.Normalization, X, mean=2.0, variance=3.0),
    layer(layers.Normalization, X, mean=2.0, variance=3.0, invert=True),
    layer(layers.Normalization, X, axis=None, mean=2.0, variance=3.0),
    layer(layers.Discretization, X, bin_boundaries=[-1.0, 0.0, 1.0]),
    layer(layers.Discretization, X, bin_boundaries=[-1.0, 0.0, 1.0], output_mode="one_hot"),
    layer(layers.Discretization, X, bin_boundaries=[-1.0, 0.0, 1.0], output_mode="multi_hot"),
    layer(layers.Discretization, X, bin_boundaries=[-1.0, 0.0, 1.0], output_mode="count"),
    adapted(layers.Discretization, X, np.linspace(-3, 3, 50, dtype="float32"), num_bins=4),
    layer(layers.CategoryEncoding, integers(4), num_tokens=5),
    layer(layers.CategoryEncoding, integers(), num_tokens=5, output_mode="one_hot"),
    layer(layers.CategoryEncoding, integers(4), num_tokens=5, output_mode="count"),
    layer(layers.Hashing, integers(4, high=50), num_bins=5),
    layer(layers.Hashing, strings(4), label="strings", num_bins=5),
    layer(layers.HashedCrossing, integers(1), integers(1), num_bins=5),
    layer(layers.HashedCrossing, integers(1), integers(1), num_bins=5, output_mode="one_hot"),
    layer(layers.IntegerLookup, integers(4), vocabulary=[1, 3, 4]),
    layer(layers.IntegerLookup, integers(4), vocabulary=[1, 3, 4], output_mode="multi_hot"),
    layer(layers.IntegerLookup, integers(4), vocabulary=[1, 3, 4], num_oov_indices=2),
    layer(layers.IntegerLookup, integers(4, high=4), vocabulary=[1, 3, 4], invert=True),
    layer(layers.StringLookup, strings(4), vocabulary=WORDS),
    layer(layers.StringLookup, strings(4), vocabulary=WORDS, output_mode="one_hot"),
    layer(layers.StringLookup, integers(4), vocabulary=WORDS, invert=True),
    layer(layers.TextVectorization, strings(1), vocabulary=WORDS, output_sequence_length=4),
    layer(layers.TextVectorization, strings(1), vocabulary=WORDS, output_mode="multi_hot"),
    layer(layers.MelSpectrogram, floats(400), fft_length=128, sequence_stride=64, num_mel_bins=8),
    layer(layers.MelSpectrogram, floats(400), fft_length=128, sequence_stride=64, num_mel_bins=8, power_to_db=False),
    *[
        layer(layers.STFTSpectrogram, floats(200, 1), frame_length=32, mode=mode)
        for mode in ("log", "magnitude", "psd", "real", "imag", "angle", "stft")
    ],
    layer(layers.STFTSpectrogram, floats(200, 1), frame_length=32, frame_step=16, fft_length=64, padding="same"),
]


def equalized(x):
    """Equalize within a call: the layer takes no symbolic tensors."""
    return layers.Equalization()(x)


def two_steps() -> list[layers.Layer]:
    """Return the layers of a Pipeline."""
    return [layers.Rescaling(1 / 255), layers.CenterCrop(4, 4)]


IMAGES = [
    layer(layers.Rescaling, IMAGE, scale=1 / 255),
    layer(layers.Rescaling, IMAGE, scale=[0.1, 0.2, 0.3], offset=[1.0, 2.0, 3.0]),
    layer(layers.Rescaling, integers(8, 10, 3, high=256, dtype="uint8"), label="uint8", scale=1 / 127.5, offset=-1),
    layer(layers.CenterCrop, IMAGE, height=4, width=6),
    layer(layers.CenterCrop, IMAGE, height=12, width=6),
    *[layer(layers.Resizing, IMAGE, height=5, width=7, interpolation=i) for i in ("bilinear", "nearest", "bicubic")],
    *[layer(layers.Resizing, IMAGE, height=5, width=7, interpolation=i) for i in ("lanczos3", "lanczos5", "area")],
    layer(layers.Resizing, IMAGE, height=16, width=20, interpolation="bicubic"),
    layer(layers.Resizing, IMAGE, height=16, width=20),
    layer(layers.Resizing, IMAGE, height=5, width=7, antialias=True),
    layer(layers.Resizing, IMAGE, height=5, width=7, crop_to_aspect_ratio=True),
    layer(layers.Resizing, IMAGE, height=5, width=7, pad_to_aspect_ratio=True),
    layer(layers.Resizing, floats(3, 8, 10), height=5, width=7, data_format="channels_first"),
    layer(layers.Resizing, floats(None, None, 3), label="dynamic", height=5, width=7),
    layer(layers.Resizing, integers(8, 10, 3, high=256, dtype="uint8"), label="uint8", height=5, width=7),
    layer(layers.AutoContrast, IMAGE),
    model("layers.Equalization", IMAGE, covers=[layers.Equalization], call=inside(equalized)),
    layer(layers.Solarization, IMAGE, threshold_factor=0.5),
    layer(layers.ContrastLimitedAdaptiveHistogramEqualization, floats(16, 16, 3, low=0, high=255)),
    layer(layers.Pipeline, IMAGE, label="two", layers=partial(two_steps)),
]

AUGMENTATION = {
    layers.AugMix: {},
    layers.CutMix: {},
    layers.MixUp: {},
    layers.RandAugment: {},
    layers.RandomBrightness: {"factor": 0.5},
    layers.RandomColorDegeneration: {"factor": 0.5},
    layers.RandomColorJitter: {"brightness_factor": 0.5},
    layers.RandomContrast: {"factor": 0.5},
    layers.RandomCrop: {"height": 4, "width": 6},
    layers.RandomElasticTransform: {},
    layers.RandomErasing: {"factor": 1.0},
    layers.RandomFlip: {},
    layers.RandomGaussianBlur: {"sigma": 1.0},
    layers.RandomGrayscale: {},
    layers.RandomHue: {"factor": 0.5},
    layers.RandomInvert: {"factor": 1.0},
    layers.RandomPerspective: {},
    layers.RandomPosterization: {"factor": 4},
    layers.RandomRotation: {"factor": 0.5},
    layers.RandomSaturation: {"factor": 0.5},
    layers.RandomSharpness: {"factor": 0.5},
    layers.RandomShear: {"x_factor": 0.5},
    layers.RandomTranslation: {"height_factor": 0.5, "width_factor": 0.5},
    layers.RandomZoom: {"height_factor": 0.5},
}


def padded_boxes(boxes, labels):
    """Pad boxes and their labels to four; the layer takes a dict of them."""
    found = layers.MaxNumBoundingBoxes(4).transform_bounding_boxes({"boxes": boxes, "labels": labels}, None)
    return found["boxes"], found["labels"]


CASES = [
    *NUMBERS,
    *IMAGES,
    *[layer(cls, IMAGE, **arguments) for cls, arguments in AUGMENTATION.items()],
    model(
        "layers.MaxNumBoundingBoxes",
        floats(6, 4),
        floats(6),
        covers=[layers.MaxNumBoundingBoxes],
        call=inside(padded_boxes),
    ),
    model(
        "layers.RandomFlip[before BatchNormalization]",
        IMAGE,
        call=lambda x: layers.BatchNormalization()(layers.Resizing(6, 6)(layers.RandomFlip()(x))),
    ),
    model("layers.Lambda[where]", X, booleans(4), call=lambda x, m: keras.ops.where(m, x, 0.0)),
]
