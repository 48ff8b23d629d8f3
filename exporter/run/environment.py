"""What a program of ours asks of Keras and TensorFlow before it imports them. It imports nothing itself."""

from __future__ import annotations

import os


def choose_tensorflow() -> None:
    """Have Keras run on TensorFlow, and TensorFlow on the same kernels on every CPU.

    On some CPUs TensorFlow leaves oneDNN out by default, and then has no convolution with channels first, and rounds
    otherwise; what the user has set stays.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"  # Keras chooses only once
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
