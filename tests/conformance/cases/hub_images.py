"""KerasHub's backbones for images, small and with random weights, and classifiers on top of them.

`all_cases` leaves them out where keras-hub is not installed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.conformance.cases.case import floats, hub

IMAGES = {"images": floats(32, 32, 3)}


def resnet(models: Any, image_shape: Any = (32, 32, 3), block: str = "basic_block", **arguments: Any) -> Any:
    """Return a small ResNet."""
    return models.ResNetBackbone(
        [64], [3], [64, 8, 12], [1, 1, 2], [1, 2, 2], block, image_shape=image_shape, **arguments
    )


def vit(models: Any, **arguments: Any) -> Any:
    """Return a small vision transformer."""
    sizes = {"patch_size": 8, "num_layers": 2, "num_heads": 2, "hidden_dim": 8, "mlp_dim": 12}
    return models.ViTBackbone(image_shape=(32, 32, 3), **(sizes | arguments))


def mit(models: Any) -> Any:
    """Return a small Mix Transformer."""
    return models.MiTBackbone(
        layerwise_depths=[1, 1],
        num_layers=2,
        layerwise_num_heads=[1, 2],
        layerwise_sr_ratios=[2, 1],
        max_drop_path_rate=0.1,
        layerwise_patch_sizes=[7, 3],
        layerwise_strides=[4, 2],
        image_shape=(32, 32, 3),
        hidden_dims=[4, 8],
    )


def hgnet(models: Any, **arguments: Any) -> Any:
    """Return a small HGNetV2."""
    return models.HGNetV2Backbone(
        depths=[1, 1],
        embedding_size=8,
        hidden_sizes=[16, 32],
        stem_channels=[3, 8, 8],
        hidden_act="relu",
        stackwise_stage_filters=[[8, 8, 16, 1, 1, 3], [16, 8, 32, 1, 1, 3]],
        apply_downsample=[False, True],
        use_lightweight_conv_block=[False, True],
        out_features=["stage1", "stage2"],
        **({"use_learnable_affine_block": True, "image_shape": (32, 32, 3)} | arguments),
    )


def dinov2(models: Any, **arguments: Any) -> Any:
    """Return a small DINOv2."""
    sizes = {"patch_size": 14, "num_layers": 4, "hidden_dim": 8, "num_heads": 2, "intermediate_dim": 12}
    return models.DINOV2Backbone(**(sizes | {"image_shape": (42, 42, 3)} | arguments))


def classifier(models: Any, family: str, backbone: Callable[[Any], Any]) -> Any:
    """Return a classifier of images on a backbone."""
    cls = getattr(models, f"{family}ImageClassifier")
    return cls(backbone=backbone(models), num_classes=3, preprocessor=None)


CONVOLUTIONAL = [
    hub("ResNet", IMAGES, resnet),
    hub("ResNet[dynamic]", IMAGES, lambda m: resnet(m, (None, None, 3), "bottleneck_block")),
    hub("ResNet[v2]", IMAGES, lambda m: resnet(m, use_pre_activation=True)),
    hub(
        "ResNet[channels_first]",
        {"images": floats(3, 32, 32)},
        lambda m: resnet(m, (3, 32, 32), data_format="channels_first"),
    ),
    hub("DenseNet", IMAGES, lambda m: m.DenseNetBackbone([2, 2], image_shape=(32, 32, 3), growth_rate=4)),
    hub("VGG", IMAGES, lambda m: m.VGGBackbone([1, 2], [4, 8], image_shape=(32, 32, 3))),
    hub("Xception", IMAGES, lambda m: m.XceptionBackbone([[4, 8], [8, 8]], [False, True], image_shape=(32, 32, 3))),
    hub(
        "CSPNet",
        IMAGES,
        lambda m: m.CSPNetBackbone(
            stem_filters=8,
            stem_kernel_size=3,
            stem_strides=1,
            stackwise_depth=[1, 2],
            stackwise_strides=2,
            stackwise_num_filters=[8, 12],
            block_type="dark_block",
            stage_type="csp",
            bottle_ratio=(0.5, 1.0),
            block_ratio=(1.0, 0.5),
            expand_ratio=(2.0, 1.0),
            stem_padding="same",
            down_growth=True,
            image_shape=(32, 32, 3),
        ),
    ),
    hub(
        "EfficientNet",
        IMAGES,
        lambda m: m.EfficientNetBackbone(
            stackwise_width_coefficients=[1.0] * 2,
            stackwise_depth_coefficients=[1.0] * 2,
            stackwise_kernel_sizes=[3, 5],
            stackwise_num_repeats=[1, 2],
            stackwise_input_filters=[8, 8],
            stackwise_output_filters=[8, 16],
            stackwise_expansion_ratios=[1, 4],
            stackwise_squeeze_and_excite_ratios=[0.0, 0.25],
            stackwise_strides=[1, 2],
            stackwise_block_types=["fused", "unfused"],
            stackwise_force_input_filters=[0] * 2,
            stackwise_nores_option=[False] * 2,
            input_shape=(32, 32, 3),
            num_features=16,
        ),
    ),
    hub("HGNetV2", IMAGES, hgnet),
]

TRANSFORMERS = [
    hub("ViT", IMAGES, vit),
    hub("ViT[no_class_token]", IMAGES, lambda m: vit(m, use_class_token=False, patch_size=(4, 8))),
    hub(
        "DeiT",
        IMAGES,
        lambda m: m.DeiTBackbone(
            (32, 32, 3), patch_size=8, num_layers=2, num_heads=2, hidden_dim=8, intermediate_dim=12
        ),
    ),
    hub("DINOV2", {"images": floats(42, 42, 3)}, dinov2),
    hub(
        "DINOV2[swiglu]",
        {"images": floats(42, 42, 3)},
        lambda m: dinov2(m, num_register_tokens=2, use_swiglu_ffn=True, antialias_in_interpolation=True),
    ),
    hub(
        "DINOV3",
        {"pixel_values": floats(32, 32, 3)},
        lambda m: m.DINOV3Backbone(8, 2, 8, 2, 12, use_gated_mlp=True, image_shape=(32, 32, 3)),
    ),
    hub("MiT", IMAGES, mit),
    hub(
        "SwinTransformer",
        IMAGES,
        lambda m: m.SwinTransformerBackbone((32, 32, 3), embed_dim=8, depths=(2, 2), num_heads=(2, 4), window_size=4),
    ),
    hub(
        "VideoPrism",
        {"images": floats(4, 16, 16, 3)},
        lambda m: m.VideoPrismBackbone(4, 4, 8, 12, 2, 1, 1, 1, image_shape=(16, 16, 3)),
    ),
]


TASKS = [
    hub("ResNetImageClassifier", IMAGES, lambda m: classifier(m, "ResNet", resnet)),
    hub("ViTImageClassifier", IMAGES, lambda m: classifier(m, "ViT", vit)),
]

CASES = [*CONVOLUTIONAL, *TRANSFORMERS, *TASKS]
