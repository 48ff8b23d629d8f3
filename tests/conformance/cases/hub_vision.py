"""KerasHub's models that say something of each pixel, and those of images, sound or video with text, small and random.

`all_cases` leaves them out where keras-hub is not installed.
"""

from __future__ import annotations

from typing import Any

from tests.conformance.cases.case import booleans, floats, hub, integers
from tests.conformance.cases.hub_images import IMAGES, dinov2, mit, resnet, vit

IDS, MASK = integers(None, high=10), integers(None, high=2)


def segformer(models: Any) -> Any:
    """Return a small SegFormer."""
    return models.SegFormerBackbone(image_encoder=mit(models), projection_filters=8)


def depth(models: Any) -> Any:
    """Return a small Depth Anything."""
    encoder = dinov2(models, image_shape=(70, 70, 3), apply_layernorm=True, name="image_encoder")
    return models.DepthAnythingBackbone(
        encoder, [4, 2, 1, 1], [4, 4, 8, 8], 8, 4, -1, feature_keys=["stage1", "stage2", "stage3", "stage4"]
    )


def vae(_: Any) -> Any:
    """Return a small variational autoencoder whose latents are the modes."""
    filters, blocks = [32, 32, 32], [1, 1, 1]
    from keras_hub.src.models.vae.vae_backbone import VAEBackbone  # KerasHub does not export it

    return VAEBackbone(filters, blocks, filters, blocks, sampler_method="mode", name="vae")


def sam(models: Any) -> Any:
    """Return a small SAM: images of 32 by 32, embeddings of 4 by 4."""
    import keras_hub

    return models.SAMBackbone(
        image_encoder=models.ViTDetBackbone(
            hidden_size=8,
            num_layers=2,
            intermediate_dim=12,
            num_heads=2,
            global_attention_layer_indices=[1],
            patch_size=8,
            num_output_channels=8,
            window_size=2,
            image_shape=(32, 32, 3),
        ),
        prompt_encoder=keras_hub.layers.SAMPromptEncoder(
            hidden_size=8, image_embedding_size=(4, 4), input_image_size=(32, 32), mask_in_channels=4
        ),
        mask_decoder=keras_hub.layers.SAMMaskDecoder(
            num_layers=2,
            hidden_size=8,
            intermediate_dim=12,
            num_heads=2,
            embedding_dim=8,
            num_multimask_outputs=3,
            iou_head_depth=2,
            iou_head_hidden_dim=8,
        ),
    )


PROMPTS = {
    "points": floats(None, 2, low=0, high=32),
    "labels": integers(None, low=-1, high=2, dtype="int32"),
    "boxes": floats(1, 2, 2, low=0, high=32),
    "masks": floats(1, 16, 16, 1),
}


def gemma3(models: Any) -> Any:
    """Return a small Gemma 3 that sees."""
    encoder = models.Gemma3VisionEncoder(
        image_size=16,
        patch_size=4,
        pool_size=2,
        num_layers=2,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=12,
        output_dim=8,
    )
    return models.Gemma3Backbone(
        vocabulary_size=10,
        image_size=16,
        num_layers=2,
        num_query_heads=2,
        num_key_value_heads=1,
        hidden_dim=8,
        intermediate_dim=12,
        head_dim=4,
        vision_encoder=encoder,
    )


def clip(models: Any, family: str) -> Any:
    """Return a small CLIP, or one of its kin."""
    vision = getattr(models, f"{family}VisionEncoder")(8, 8, 2, 2, 12, image_shape=(32, 32, 3), name="vision")
    text = getattr(models, f"{family}TextEncoder")(10, 8, 8, 2, 2, 12, max_sequence_length=12, name="text")
    projected = {} if family == "SigLIP" else {"projection_dim": 6}
    return getattr(models, f"{family}Backbone")(vision_encoder=vision, text_encoder=text, **projected)


DENSE = [
    hub("SegFormer", IMAGES, segformer),
    hub("SAM", {**IMAGES, **PROMPTS}, sam),
    hub(
        "DeepLabV3",
        IMAGES,
        lambda m: m.DeepLabV3Backbone(
            resnet(m),
            spatial_pyramid_pooling_key="P4",
            upsampling_size=4,
            dilation_rates=[2, 3],
            low_level_feature_key="P2",
            projection_filters=4,
            image_shape=(32, 32, 3),
        ),
    ),
    hub(
        "RetinaNet",
        {"images": floats(64, 64, 3)},
        lambda m: m.RetinaNetBackbone(resnet(m, (64, 64, 3)), 3, 4, use_p5=False),
    ),
    hub("DepthAnything", {"images": floats(70, 70, 3)}, depth),
    hub("VAE", IMAGES, vae),
]


WITH_TEXT = [
    hub("CLIP", {**IMAGES, "token_ids": IDS}, lambda m: clip(m, "CLIP")),
    hub("MetaCLIP2", {**IMAGES, "token_ids": IDS}, lambda m: clip(m, "MetaCLIP2")),
    hub("SigLIP", {**IMAGES, "token_ids": integers(12, high=10)}, lambda m: clip(m, "SigLIP")),
    hub(
        "PaliGemma",
        {"images": floats(16, 16, 3), "token_ids": IDS, "padding_mask": MASK, "response_mask": MASK},
        lambda m: m.PaliGemmaBackbone(10, 16, 2, 2, 1, 8, 12, 4, 4, 2, 8, 2, vit_intermediate_dim=12),
    ),
    hub(
        "Gemma3[vision]",
        {
            "images": floats(1, 16, 16, 3),
            "token_ids": IDS,
            "padding_mask": MASK,
            "vision_indices": integers(4, high=6),
            "vision_mask": MASK,
        },
        gemma3,
    ),
    hub(
        "PARSeq",
        {**IMAGES, "token_ids": IDS, "padding_mask": MASK},
        lambda m: m.PARSeqBackbone(vit(m, use_class_token=False, name="image_encoder"), 10, 12, 8, 1, 2, 12),
    ),
    hub(
        "Moonshine",
        {
            "encoder_input_values": floats(1200, 1),
            "encoder_padding_mask": booleans(1200),
            "decoder_token_ids": IDS,
            "decoder_padding_mask": booleans(None),
        },
        lambda m: m.MoonshineBackbone(10, 8, 1, 1, 8, 12, 2, 2),
    ),
]


TASKS = [
    hub(
        "SegFormerImageSegmenter",
        IMAGES,
        lambda m: m.SegFormerImageSegmenter(backbone=segformer(m), num_classes=2, preprocessor=None),
    ),
]

CASES = [*DENSE, *WITH_TEXT, *TASKS]
