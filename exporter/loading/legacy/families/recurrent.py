"""Recurrent layers, their cells and wrappers."""

from __future__ import annotations

from exporter.loading.legacy.families import FAMILIES
from exporter.loading.legacy.layer_config import LayerConfig


@FAMILIES.register(
    "Bidirectional", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "LSTM", "RNN", "SimpleRNN", "TimeDistributed"
)
def recurrent(layer: LayerConfig) -> None:
    """Keras 3 always has the batch first."""
    layer.require("time_major", False, reason="Keras 3's recurrent layers have the batch first")
    layer.require("num_constants", None, 0, reason="Keras 3's recurrent layers take no constants")


@FAMILIES.register("GRU")
def gru(layer: LayerConfig) -> None:
    """Files older than `reset_after` mean False; it is True now unless said."""
    recurrent(layer)
    gru_cell(layer)


@FAMILIES.register("GRUCell")
def gru_cell(layer: LayerConfig) -> None:
    """As for GRU."""
    layer.config.setdefault("reset_after", False)


@FAMILIES.register("StackedRNNCells")
def stacked_cells(layer: LayerConfig) -> None:
    """The order of states is that of the cells."""
    layer.require("reverse_state_order", False, reason="Keras 3 has the states in the order of the cells")


@FAMILIES.register("CuDNNGRU", "CuDNNLSTM")
def cudnn(layer: LayerConfig) -> None:
    """Layers of Keras before 2.3 whose weights lie in the order of the cuDNN library."""
    layer.refuse(
        f"Keras 3 has no {layer.class_name}, and its weights lie in another order",
        "with Keras 2, put the weights into an LSTM(recurrent_activation='sigmoid') or "
        "GRU(reset_after=True) layer, which converts them, and save that",
    )
