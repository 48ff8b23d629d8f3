"""For all tests."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# On some CPUs TensorFlow leaves oneDNN out by default, and then has no convolution with channels first: test the same on all.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")
