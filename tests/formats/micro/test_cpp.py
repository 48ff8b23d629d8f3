"""The sources compile as C++17 without a warning, and hold what they say, aligned as the interpreter asks for it."""

from __future__ import annotations

import shutil
import subprocess
import zlib

import keras
import pytest
from keras import layers

import exporter
from exporter.formats import micro
from exporter.formats.micro import sources
from exporter.formats.micro.resolver import METHODS

COMPILER = next(filter(None, map(shutil.which, ("c++", "g++", "clang++"))), None)
compiled = pytest.mark.skipif(COMPILER is None, reason="needs a C++ compiler on the PATH: c++, g++ or clang++")
FLAGS = ("-std=c++17", "-Wall", "-Wextra", "-Werror")

# Every method without arguments of MicroMutableOpResolver that registers a builtin op, in
# tensorflow/lite/micro/micro_mutable_op_resolver.h of github.com/tensorflow/tflite-micro, commit 90b983c (August 2026).
OFFICIAL = """
    Abs Add AddN ArgMax ArgMin AssignVariable AveragePool2D BatchMatMul BatchToSpaceNd BroadcastArgs BroadcastTo CallOnce Cast
    Ceil Concatenation Conv2D Cos CumSum DepthToSpace DepthwiseConv2D Dequantize Div DynamicUpdateSlice Elu EmbeddingLookup
    Equal Exp ExpandDims Fill Floor FloorDiv FloorMod FullyConnected Gather GatherNd Greater GreaterEqual HardSwish If
    L2Normalization L2Pool2D LeakyRelu Less LessEqual Log LogSoftmax LogicalAnd LogicalNot LogicalOr Logistic MaxPool2D Maximum
    Mean Minimum MirrorPad Mul Neg NotEqual Pack Pad PadV2 Prelu Quantize ReadVariable ReduceAll ReduceMax ReduceMin Relu Relu6
    Reshape ResizeBilinear ResizeNearestNeighbor ReverseV2 Round Rsqrt SelectV2 Shape Sin Slice Softmax SpaceToBatchNd
    SpaceToDepth Split SplitV Sqrt Square SquaredDifference Squeeze StridedSlice Sub Sum Svdf Tanh Transpose TransposeConv
    UnidirectionalSequenceLSTM Unpack VarHandle While ZerosLike
"""

# What the header includes, as far as it uses it: it counts what is registered, and refuses more than it has room for.
RESOLVER = """
enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 };
#define TF_LITE_ENSURE_STATUS(call) \\
  do { const TfLiteStatus status = (call); if (status != kTfLiteOk) return status; } while (0)
namespace tflite {
template <unsigned int tOpCount>
class MicroMutableOpResolver {
 public:
  unsigned int count = 0;
%s
 private:
  TfLiteStatus Add_() { return count < tOpCount ? (++count, kTfLiteOk) : kTfLiteError; }
};
}  // namespace tflite
"""
PROGRAM = """
#include <cstdint>
#include <cstdio>
#include "model_data.h"
int main() {
  std::uint32_t crc = ~0u;
  for (unsigned int i = 0; i < g_model_data_size; ++i) {
    crc ^= g_model_data[i];
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0u);
  }
  ModelOpResolver resolver;
  const TfLiteStatus status = RegisterModelOps(resolver);
  const unsigned int offset = static_cast<unsigned int>(reinterpret_cast<std::uintptr_t>(g_model_data) % 16);
  std::printf("%u %u %u %d ", g_model_data_size, offset, ~crc, status);
  std::printf("%u %d %d\\n", resolver.count, kModelOpCount, kModelArenaSize);
}
"""


def built_and_run(folder):
    """Return what a program says of the sources in a folder: size, misalignment, CRC-32, status, ops, room, arena."""
    include = folder / "include" / "tensorflow" / "lite" / "micro"
    include.mkdir(parents=True)
    methods = "\n".join(f"  TfLiteStatus Add{name}() {{ return Add_(); }}" for name in OFFICIAL.split())
    (include / "micro_mutable_op_resolver.h").write_text(RESOLVER % methods)
    (folder / "main.cc").write_text(PROGRAM)
    files = [f"-I{folder}", f"-I{folder / 'include'}", folder / "model_data.cc", folder / "main.cc"]
    subprocess.run([COMPILER, *FLAGS, *files, "-o", folder / "program"], check=True)
    said = subprocess.run([folder / "program"], check=True, capture_output=True, text=True).stdout
    return [int(number) for number in said.split()]


def test_the_methods_are_those_of_the_resolver():
    assert {name.removeprefix("Add") for name in METHODS.values()} == set(OFFICIAL.split())


@compiled
def test_a_program_finds_the_model_aligned_and_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(micro, "has_runtime", lambda: False)
    stack = [layers.Conv2D(4, 3, activation="relu"), layers.Flatten(), layers.Dense(5, activation="softmax")]
    model = keras.Sequential([keras.Input((8, 8, 1)), *stack])
    exporter.export(model, tmp_path / "out", ("micro",), verify=False).raise_for_status()
    content = sources.read_array(tmp_path / "out" / "model_data.cc")

    assert built_and_run(tmp_path / "out") == [len(content), 0, zlib.crc32(content), 0, 4, 4, 0]
    # A compiler may align a large array by itself: on the device it is the declaration that counts.
    assert "alignas(16) const unsigned char g_model_data[]" in (tmp_path / "out" / "model_data.cc").read_text()


@compiled
@pytest.mark.parametrize("methods", [[], ["AddAdd"], sorted(METHODS.values())])
def test_any_ops_and_any_bytes(tmp_path, methods):
    content = bytes(range(256)) * 3 + b"\xff"
    sources.write_sources(tmp_path / "model_data.cc", content, methods, 1234)

    count = len(methods)
    assert built_and_run(tmp_path) == [len(content), 0, zlib.crc32(content), 0, count, count, 1234]
