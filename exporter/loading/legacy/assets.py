"""Vocabularies that adapted layers keep in files of a `.keras` archive of Keras 2."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from exporter.errors import LoadError
from exporter.loading.legacy.group_names import group_names
from exporter.loading.legacy.wiring import Part

_VOCABULARY = "vocabulary.txt"


def restore_assets(read: Callable[[str], bytes | None], parts: Sequence[Part], where: str = "assets/layers") -> None:
    """Give every layer its vocabulary.

    Args:
        read: the bytes of a member of the archive; None if there is no such member.
        parts: the layers of the model.
        where: the folder of their assets.

    Raises:
        LoadError: a vocabulary has weights, which Keras 3 stores otherwise.
    """
    for name, part in group_names(parts).items():
        restore_assets(read, part.parts, f"{where}/{name}/layers")
        content = read(f"{where}/{name}/{_VOCABULARY}")
        if content is not None and hasattr(part.layer, "load_assets"):
            if part.layer.get_config().get("output_mode") == "tf_idf":
                raise _weighted(part.name)
            with tempfile.TemporaryDirectory(prefix="exporter-") as folder:
                (Path(folder) / _VOCABULARY).write_bytes(content)
                part.layer.load_assets(folder)


def _weighted(layer: str) -> LoadError:
    return LoadError(
        "the layer cannot be carried over",
        where=layer,
        reason="output_mode='tf_idf' with weights that were adapted, not given",
        remedy="with Keras 2, build the layer with vocabulary=layer.get_vocabulary() and idf_weights=..., and save that",
    )
