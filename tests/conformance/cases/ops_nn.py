"""keras.ops: neural network functions, losses, images, control flow."""

from __future__ import annotations

import numpy as np
from keras import ops

from tests.conformance.cases.case import booleans, floats, inside, integers, op

X = floats(3, 4)
IMAGE = floats(8, 10, 3, low=0, high=1)
SEQUENCE = floats(9, 4)
RNG = np.random.default_rng(0)


def constant(*shape: int) -> np.ndarray:
    """Return a kernel."""
    return RNG.normal(size=shape).astype("float32")


K3, K3_4, K1 = constant(3, 3, 3, 4), constant(3, 3, 4, 3), constant(3, 4, 2)
DEPTHWISE, POINTWISE = constant(3, 3, 3, 2), constant(1, 1, 6, 4)


SPATIAL = [
    op(ops.conv, IMAGE, call=lambda x: ops.conv(x, K3, padding="same")),
    op(ops.conv, SEQUENCE, call=lambda x: ops.conv(x, K1, strides=2), label="1-D"),
    op(ops.conv_transpose, IMAGE, call=inside(lambda x: ops.conv_transpose(x, K3_4, strides=2))),
    op(ops.depthwise_conv, IMAGE, call=lambda x: ops.depthwise_conv(x, DEPTHWISE)),
    op(
        ops.separable_conv,
        IMAGE,
        call=lambda x: ops.separable_conv(x, DEPTHWISE, POINTWISE),
    ),
    op(ops.max_pool, IMAGE, pool_size=2),
    op(ops.average_pool, IMAGE, pool_size=3, strides=2, padding="same"),
    op(ops.adaptive_average_pool, IMAGE, output_size=(4, 5)),
    op(ops.adaptive_max_pool, IMAGE, output_size=(3, 4)),
]

NORMALIZING = [
    op(
        ops.batch_normalization, X, call=lambda x: ops.batch_normalization(x, ops.ones(4), ops.full((4,), 2.0), axis=-1)
    ),
    op(ops.layer_normalization, X),
    op(ops.rms_normalization, X),
    op(ops.dot_product_attention, floats(5, 2, 4), floats(6, 2, 4), floats(6, 2, 4)),
    op(
        ops.dot_product_attention,
        floats(5, 2, 4),
        call=lambda x: ops.dot_product_attention(x, x, x, is_causal=True),
        label="causal",
    ),
    op(
        ops.dot_product_attention,
        floats(5, 2, 4),
        booleans(1, 5, 5),
        call=lambda x, m: ops.dot_product_attention(x, x, x, mask=m),
        label="mask",
    ),
]
UNIT = floats(5, low=0.05, high=0.95)
LOSSES = [
    op(ops.binary_crossentropy, UNIT, UNIT),
    op(ops.binary_crossentropy, UNIT, floats(5), from_logits=True),
    op(ops.categorical_crossentropy, UNIT, UNIT),
    op(ops.categorical_crossentropy, UNIT, floats(5), from_logits=True),
    op(ops.sparse_categorical_crossentropy, integers(), UNIT),
    op(ops.sparse_categorical_crossentropy, integers(), floats(5), from_logits=True),
    op(
        ops.ctc_loss,
        integers(3, low=1, high=5),
        floats(8, 5),
        call=lambda t, y: ops.ctc_loss(t, y, ops.zeros_like(t[:, 0]) + 3, ops.zeros_like(t[:, 0]) + 8),
    ),
    op(
        ops.ctc_decode,
        floats(8, 5),
        call=inside(lambda y: ops.ctc_decode(y, ops.cast(ops.zeros_like(y[:, 0, 0]) + 8, "int32"))[0]),
    ),
    op(ops.psnr, IMAGE, IMAGE, max_val=1.0),
    op(ops.image.ssim, floats(16, 16, 3, low=0, high=1), floats(16, 16, 3, low=0, high=1)),
]

TRANSFORM = np.array([[1.1, 0.1, 0.5, -0.1, 0.9, 0.2, 0.0, 0.0]], "float32")
START = np.array([[[0, 0], [7, 0], [0, 9], [7, 9]]], "float32")
END = START + np.array([[[0, 1], [-1, 0], [1, 0], [0, -1]]], "float32")
RESIZES = ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5", "area")


def per_image(value: np.ndarray, x):
    """Repeat a constant for every image of the batch."""
    return ops.repeat(ops.convert_to_tensor(value), ops.shape(x)[0], axis=0)


IMAGES = [
    *[op(ops.image.resize, IMAGE, size=(5, 7), interpolation=i) for i in RESIZES],
    *[op(ops.image.resize, IMAGE, size=(16, 15), interpolation=i) for i in RESIZES],
    op(ops.image.resize, IMAGE, size=(5, 7), antialias=True),
    op(ops.image.crop_images, IMAGE, top_cropping=1, left_cropping=2, target_height=5, target_width=6),
    op(ops.image.pad_images, IMAGE, top_padding=1, left_padding=2, target_height=12, target_width=14),
    op(ops.image.extract_patches, IMAGE, size=(3, 3)),
    op(ops.image.extract_patches, IMAGE, size=(3, 3), strides=2, padding="same"),
    op(ops.image.extract_patches_3d, floats(4, 4, 4, 2), size=2),
    op(ops.image.gaussian_blur, IMAGE),
    op(ops.image.rgb_to_grayscale, IMAGE),
    op(ops.image.rgb_to_hsv, IMAGE),
    op(ops.image.hsv_to_rgb, IMAGE),
    op(ops.image.sobel_edges, IMAGE),
    op(
        ops.image.affine_transform, IMAGE, call=inside(lambda x: ops.image.affine_transform(x, per_image(TRANSFORM, x)))
    ),
    op(
        ops.image.perspective_transform,
        IMAGE,
        call=inside(lambda x: ops.image.perspective_transform(x, per_image(START, x), per_image(END, x))),
    ),
    op(
        ops.image.elastic_transform,
        IMAGE,
        call=inside(lambda x: ops.image.elastic_transform(x, alpha=0.0, seed=1)),
    ),
    op(
        ops.image.map_coordinates,
        floats(5, 6),
        call=inside(lambda x: ops.image.map_coordinates(x[0], ops.array([[0.5, 1.2], [2.5, 3.1]]), 1)),
    ),
    op(
        ops.image.scale_and_translate,
        IMAGE,
        call=inside(
            lambda x: (
                ops.image.scale_and_translate(
                    x[0], (6, 7, 3), ops.array([0.7, 0.8]), ops.array([0.1, 0.2]), (0, 1), "linear"
                )
                + 0 * ops.sum(x)
            )
        ),
    ),
]

CONTROL = [
    op(ops.cond, X, call=inside(lambda x: ops.cond(ops.sum(x) > 0, lambda: x + 1, lambda: x - 1))),
    op(ops.switch, X, integers(), call=inside(lambda x, i: ops.switch(i[0] % 2, [ops.sin, ops.cos], x))),
    op(ops.fori_loop, X, call=inside(lambda x: ops.fori_loop(0, 3, lambda i, v: v * 2, x))),
    op(
        ops.while_loop,
        X,
        call=inside(lambda x: ops.while_loop(lambda i, v: i < 3, lambda i, v: (i + 1, v * 2), (0, x))[1]),
    ),
    op(ops.map, X, call=inside(lambda x: ops.map(lambda row: row * 2 + 1, x))),
    op(ops.vectorized_map, X, call=inside(lambda x: ops.vectorized_map(lambda row: row * 2 + 1, x))),
    op(
        ops.scan,
        floats(5, 4),
        call=inside(
            lambda x: ops.scan(lambda c, v: (c + v, c * v), ops.zeros_like(x[:, 0]), ops.transpose(x, (1, 0, 2)))[0]
        ),
    ),
]

CASES = [*SPATIAL, *NORMALIZING, *LOSSES, *IMAGES, *CONTROL]
