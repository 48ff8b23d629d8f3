"""KerasHub's models of text, small and with random weights: encoders, decoders, both, and the tasks on top of them.

`all_cases` leaves them out where keras-hub is not installed.
"""

from __future__ import annotations

from typing import Any

import keras

from tests.conformance.cases.case import Case, Spec, floats, hub, integers

IDS, MASK, SEGMENTS = integers(None, high=10), integers(None, high=2), integers(None, high=2)
FIXED = {"token_ids": integers(16, high=10), "padding_mask": integers(16, high=2)}
PLAIN = {"token_ids": IDS, "padding_mask": MASK}
SEGMENTED = {**PLAIN, "segment_ids": SEGMENTS}
BOTH = {f"{part}_{name}": spec for part in ("encoder", "decoder") for name, spec in PLAIN.items()}

SIZES = {"vocabulary_size": 10, "num_layers": 2, "hidden_dim": 8, "intermediate_dim": 12}
HEADS = {**SIZES, "num_heads": 2}
BOUND = {**HEADS, "max_sequence_length": 12}
GROUPED = {**SIZES, "num_query_heads": 4, "num_key_value_heads": 2}
GEMMA = {**GROUPED, "head_dim": 4}
MOE = {**GROUPED, "moe_intermediate_dim": 6, "num_experts": 4, "top_k": 2, "norm_top_k_prob": True}
T5GEMMA: dict[str, Any] = {
    f"{part}_{name}": value
    for part in ("encoder", "decoder")
    for name, value in {
        "hidden_dim": 8,
        "intermediate_dim": 12,
        "num_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 4,
        "layer_types": ["sliding_attention", "full_attention"],
    }.items()
}
T5GEMMA |= {
    "vocabulary_size": 10,
    "sliding_window": 4,
    "cross_attention_hidden_size": 8,
    "attn_logit_softcapping": 50.0,
}
LINEAR = {
    "layer_types": ["linear_attention", "full_attention"],
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    "linear_key_head_dim": 4,
    "linear_value_head_dim": 4,
}


def of_length(model: keras.Model, length: int) -> keras.Model:
    """Return a model for sequences of one length: some layers of KerasHub loop over them in Python."""
    inputs = {key: keras.Input((length,), dtype="int32", name=key) for key in PLAIN}
    return keras.Model(inputs, model(inputs))


def backbone(name: str, inputs: dict[str, Spec] = PLAIN, label: str = "", **arguments: Any) -> Case:
    """Return the case of a backbone."""
    suffix = f"[{label}]" if label else ""
    return hub(f"{name}{suffix}", inputs, lambda models: getattr(models, f"{name}Backbone")(**arguments))


def task(name: str, of: str, inputs: dict[str, Spec], arguments: dict[str, Any], **more: Any) -> Case:
    """Return the case of a task on the backbone called `of`."""

    def build(models: Any) -> Any:
        below = getattr(models, f"{of}Backbone")(**arguments)
        return getattr(models, name)(backbone=below, preprocessor=None, **more)

    return hub(name, inputs, build)


ENCODERS = [
    backbone("Bert", SEGMENTED, **BOUND),
    backbone("Bert", SEGMENTED, "mixed_float16", **BOUND, dtype="mixed_float16"),
    backbone("Bert", SEGMENTED, "mixed_bfloat16", **BOUND, dtype="mixed_bfloat16"),
    backbone("Albert", SEGMENTED, **BOUND, embedding_dim=6, num_groups=1, num_inner_repetitions=2),
    backbone("DistilBert", **BOUND),
    backbone("Roberta", **BOUND),
    backbone("XLMRoberta", **BOUND),
    backbone("DebertaV3", **BOUND, bucket_size=4),
    hub(
        "Electra",
        SEGMENTED,
        lambda m: m.ElectraBackbone(
            vocab_size=10, num_layers=2, num_heads=2, hidden_dim=8, embedding_dim=6, intermediate_dim=12
        ),
    ),
    backbone("FNet", {"token_ids": IDS, "segment_ids": SEGMENTS}, **SIZES, max_sequence_length=12),
    backbone("ESM", {"token_ids": IDS}, **HEADS),
    backbone("ESM", {"token_ids": IDS}, "absolute", **HEADS, position_embedding_type="absolute"),
    backbone("RoformerV2", {"token_ids": IDS, "segment_ids": SEGMENTS}, **HEADS, head_size=4),
    backbone("XLNet", SEGMENTED, **HEADS),
]

DECODERS = [
    backbone("GPT2", **BOUND),
    backbone("OPT", **BOUND),
    backbone("Bloom", **HEADS),
    backbone("GPTNeoX", **HEADS, rotary_percentage=0.5),
    backbone("Falcon", **SIZES, num_attention_heads=4),
    backbone("Llama", **GROUPED),
    backbone("Llama", label="tied", **GROUPED, tie_word_embeddings=True, rope_position_scaling_factor=2.0),
    backbone(
        "Llama3",
        **GROUPED,
        rope_frequency_adjustment_factor=8.0,
        rope_low_freq_factor=1.0,
        rope_high_freq_factor=4.0,
        rope_pretraining_sequence_length=16,
    ),
    backbone("Mistral", **GROUPED, sliding_window=3),
    backbone("Mixtral", **GROUPED, num_experts=3, top_k=2, sliding_window=3),
    backbone("Gemma", **GEMMA),
    backbone(
        "Gemma",
        label="2",
        **GEMMA,
        use_post_ffw_norm=True,
        use_post_attention_norm=True,
        attention_logit_soft_cap=50.0,
        final_logit_soft_cap=30.0,
        use_sliding_window_attention=True,
        sliding_window_size=3,
    ),
    backbone("Gemma3", **GEMMA, image_size=16, use_sliding_window_attention=True, sliding_window_size=3),
    backbone("Phi3", **GROUPED),
    backbone(
        "Phi3",
        label="su",
        **GROUPED,
        max_sequence_length=10,
        pretraining_sequence_length=5,
        rope_scaling_type="su",
        rope_scaling_short_factor=[1.2],
        rope_scaling_long_factor=[0.8],
    ),
    backbone("Qwen", **GROUPED),
    backbone("QwenMoe", **MOE, shared_expert_intermediate_dim=10),
    backbone("Qwen3", **GEMMA),
    backbone("Qwen3Moe", **MOE, head_dim=2),
    hub("Qwen3_5", FIXED, lambda m: of_length(m.Qwen3_5Backbone(**GROUPED, **LINEAR, head_dim=8), 16)),
    backbone("GptOss", **GROUPED, num_experts=3, top_k=2, sliding_window=3),
    backbone(
        "SmolLM3",
        **SIZES,
        num_attention_heads=4,
        num_key_value_heads=2,
        attention_bias=False,
        attention_dropout=0.0,
        rope_layer_enabled_list=[True, False],
        layer_types=["attention", "attention"],
        mlp_bias=False,
        layer_norm_epsilon=1e-5,
        max_position_embeddings=16,
        rope_theta=10000.0,
        partial_rotary_factor=1.0,
    ),
    hub("RWKV7", FIXED, lambda m: of_length(m.RWKV7Backbone(8, 4, 2, 10, 12, 4, 4, 4, 4), 16)),
]

ENCODER_DECODERS = [
    backbone("T5", BOTH, **HEADS),
    backbone("T5", BOTH, "gelu", **HEADS, activation="gelu", use_gated_activation=False, key_value_dim=3),
    backbone("Bart", BOTH, **BOUND),
    backbone("T5Gemma", BOTH, **T5GEMMA),
    backbone("T5Gemma2", BOTH, **T5GEMMA),
    hub(
        "EdRec",
        BOTH,
        lambda m: m.EdRecBackbone(
            vocab_size=10, num_layers_enc=2, num_layers_dec=2, hidden_dim=8, intermediate_dim=12, num_heads=2
        ),
    ),
    backbone(
        "Whisper",
        {"encoder_features": floats(None, 80), "decoder_token_ids": IDS, "decoder_padding_mask": MASK},
        **HEADS,
        max_encoder_sequence_length=12,
        max_decoder_sequence_length=12,
    ),
]

POSITIONS = {"mask_positions": integers(3, high=6)}
TASKS = [
    task("BertTextClassifier", "Bert", SEGMENTED, BOUND, num_classes=3),
    task("BertMaskedLM", "Bert", {**SEGMENTED, **POSITIONS}, BOUND),
    task("RobertaTextClassifier", "Roberta", PLAIN, BOUND, num_classes=3, activation="softmax"),
    task("DebertaV3MaskedLM", "DebertaV3", {**PLAIN, **POSITIONS}, {**BOUND, "bucket_size": 4}),
    task("GPT2CausalLM", "GPT2", PLAIN, BOUND),
    task("OPTCausalLM", "OPT", PLAIN, BOUND),
    task("LlamaCausalLM", "Llama", PLAIN, GROUPED),
    task("GemmaCausalLM", "Gemma", PLAIN, {**GEMMA, "final_logit_soft_cap": 30.0}),
    task("Phi3CausalLM", "Phi3", PLAIN, GROUPED),
    task("BartSeq2SeqLM", "Bart", BOTH, BOUND),
    task("T5Seq2SeqLM", "T5", BOTH, HEADS),
]

CASES = [*ENCODERS, *DECODERS, *ENCODER_DECODERS, *TASKS]
