"""Lowerings to TFLite: formulations that the converter maps to builtin or fused ops, one family per file."""
