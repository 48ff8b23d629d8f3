"""Layers: convolutions and pooling, in one, two and three dimensions."""

from __future__ import annotations

from functools import partial

from keras import layers

from tests.conformance.cases.case import Case, floats, layer, model

SPATIAL = {1: floats(9, 4), 2: floats(8, 9, 4), 3: floats(6, 7, 6, 4)}
FIRST = {1: floats(4, 9), 2: floats(4, 8, 9), 3: floats(4, 6, 7, 6)}
DYNAMIC = {1: floats(None, 4), 2: floats(None, None, 4), 3: floats(None, None, None, 4)}


def convolutions(rank: int) -> list[Case]:
    """Return the cases of ConvND."""
    case = partial(layer, getattr(layers, f"Conv{rank}D"), SPATIAL[rank])
    return [
        case(filters=3, kernel_size=3),
        case(filters=3, kernel_size=3, padding="same", activation="relu"),
        case(filters=3, kernel_size=2, strides=2, padding="same"),
        case(filters=3, kernel_size=3, dilation_rate=2),
        case(filters=4, kernel_size=3, groups=2),
        case(filters=4, kernel_size=3, groups=2, padding="same", strides=2),
        case(filters=3, kernel_size=1, use_bias=False),
        layer(getattr(layers, f"Conv{rank}D"), FIRST[rank], filters=3, kernel_size=3, data_format="channels_first"),
        layer(getattr(layers, f"Conv{rank}D"), DYNAMIC[rank], label="dynamic", filters=3, kernel_size=3),
    ]


def transposed(rank: int) -> list[Case]:
    """Return the cases of ConvNDTranspose."""
    cls = getattr(layers, f"Conv{rank}DTranspose")
    case = partial(layer, cls, SPATIAL[rank])
    return [
        case(filters=3, kernel_size=3),
        case(filters=3, kernel_size=3, strides=2, padding="same"),
        case(filters=3, kernel_size=3, strides=2, output_padding=1),
        case(filters=3, kernel_size=2, strides=3, padding="same"),
        case(filters=3, kernel_size=3, dilation_rate=2),
        layer(cls, FIRST[rank], filters=3, kernel_size=3, strides=2, data_format="channels_first"),
    ]


def depthwise(rank: int) -> list[Case]:
    """Return the cases of DepthwiseConvND and SeparableConvND."""
    result = []
    for name, more in ((f"DepthwiseConv{rank}D", {}), (f"SeparableConv{rank}D", {"filters": 5})):
        cls = getattr(layers, name)
        case = partial(layer, cls, SPATIAL[rank], **more)
        result += [
            case(kernel_size=3),
            case(kernel_size=3, padding="same", depth_multiplier=2),
            case(kernel_size=3, strides=2, padding="same"),
            case(kernel_size=3, dilation_rate=2),
            layer(cls, FIRST[rank], kernel_size=3, data_format="channels_first", **more),
        ]
    return result


def pooling(rank: int) -> list[Case]:
    """Return the cases of average and maximum pooling, local, global and adaptive."""
    result = []
    for kind in ("Average", "Max"):
        cls = getattr(layers, f"{kind}Pooling{rank}D")
        result += [
            layer(cls, SPATIAL[rank], pool_size=2),
            layer(cls, SPATIAL[rank], pool_size=3, strides=2, padding="same"),
            layer(cls, SPATIAL[rank], pool_size=3, strides=1),
            layer(cls, FIRST[rank], pool_size=2, data_format="channels_first"),
            layer(cls, DYNAMIC[rank], label="dynamic", pool_size=2),
        ]
        cls = getattr(layers, f"Global{kind}Pooling{rank}D")
        result += [
            layer(cls, SPATIAL[rank]),
            layer(cls, SPATIAL[rank], keepdims=True),
            layer(cls, FIRST[rank], data_format="channels_first"),
        ]
        cls = getattr(layers, f"Adaptive{kind}Pooling{rank}D")
        result += [
            layer(cls, SPATIAL[rank], output_size=3),
            layer(cls, SPATIAL[rank], output_size=4),
            layer(cls, FIRST[rank], output_size=3, data_format="channels_first"),
        ]
    return result


CASES = [
    *[case for rank in (1, 2, 3) for case in (*convolutions(rank), *transposed(rank), *pooling(rank))],
    *[case for rank in (1, 2) for case in depthwise(rank)],
    layer(layers.Conv1D, SPATIAL[1], filters=3, kernel_size=3, padding="causal"),
    layer(layers.Conv1D, SPATIAL[1], filters=3, kernel_size=3, padding="causal", dilation_rate=2),
    layer(layers.DepthwiseConv2D, floats(10, 10, 4), kernel_size=7, padding="same"),
    layer(layers.Conv2D, SPATIAL[2], filters=3, kernel_size=(2, 3), strides=(2, 1)),
    model(
        "layers.Conv2D[normalized]",
        SPATIAL[2],
        call=lambda x: layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(3, 3)(x))),
    ),
]
