"""The two source files: the model as an array, and the header with what a program has to give to the interpreter."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

HEADER = """\
// Made by keras-exporter: a TFLite model for TensorFlow Lite Micro.
#ifndef MODEL_DATA_H_
#define MODEL_DATA_H_

#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"

extern const unsigned char g_model_data[];
extern const unsigned int g_model_data_size;

// {arena_comment}
constexpr int kModelArenaSize = {arena};

constexpr int kModelOpCount = {count};
using ModelOpResolver = tflite::MicroMutableOpResolver<kModelOpCount>;

// The ops of this model, and no others.
inline TfLiteStatus RegisterModelOps([[maybe_unused]] ModelOpResolver& resolver) {{
{calls}
  return kTfLiteOk;
}}

#endif  // MODEL_DATA_H_
"""
MEASURED = (
    "Bytes, aligned to 16: the least on a 64-bit machine with reference kernels; others may need scratch memory on top."
)
UNKNOWN = "Not measured (tflite-micro was not installed): start large and lower it."
PER_LINE = 16
_NUMBERS = re.compile(r"g_model_data\[\] = \{(.*?)\};", re.DOTALL)


def header_of(source: Path) -> Path:
    """Return the path of the header that belongs to a source file."""
    return source.with_suffix(".h")


def write_sources(source: Path, model: bytes, methods: Sequence[str], arena: int | None) -> None:
    """Write a model to `source` and its header; `methods` register its ops, `arena` is None where it is not known."""
    calls = "\n".join(f"  TF_LITE_ENSURE_STATUS(resolver.{method}());" for method in methods)
    comment = UNKNOWN if arena is None else MEASURED
    header = HEADER.format(arena_comment=comment, arena=arena or 0, count=len(methods), calls=calls)
    header_of(source).write_text(header)
    with source.open("w") as file:
        file.write(f'#include "{header_of(source).name}"\n\nalignas(16) const unsigned char g_model_data[] = {{\n')
        for start in range(0, len(model), PER_LINE):
            file.write("  " + " ".join(f"0x{byte:02x}," for byte in model[start : start + PER_LINE]) + "\n")
        file.write(f"}};\nconst unsigned int g_model_data_size = {len(model)};\n")


def read_array(source: Path) -> bytes:
    """Return the bytes of the model in a source file.

    Raises:
        ValueError: if there is none.
    """
    found = _NUMBERS.search(source.read_text())
    if found is None:
        raise ValueError("it holds no array g_model_data")
    return bytes.fromhex(found[1].translate({ord(c): None for c in ", \n\r"}).replace("0x", ""))


def read_header(header: Path) -> tuple[list[str], int | None]:
    """Return the methods that register the ops, and the size of the arena if it is known."""
    text = header.read_text()
    arena = re.search(r"kModelArenaSize = (\d+);", text)
    return re.findall(r"resolver\.(\w+)\(\)", text), int(arena[1]) or None if arena is not None else None
