"""What Keras 2 called things: modules, class names and the names of functions."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from exporter.loading import allowed

# Modules in which Keras 2 kept its own classes; what a file says beyond the root changed from version to version.
_ROOTS = ("keras", "tf_keras", "tensorflow.keras", "tensorflow.python.keras")

# Where Keras 3 has layers beyond `keras.layers`: those kept for old files, and those of its applications.
_OTHER_MODULES = (
    "keras._legacy.layers",
    "keras.src.applications.convnext",
    "keras.src.applications.inception_resnet_v2",
)

LAYER_NAMES: Mapping[str, str] = MappingProxyType(
    {
        **{f"Custom>{name}": name for name in ("CustomScaleLayer", "LayerScale", "StochasticDepth")},
        "AvgPool1D": "AveragePooling1D",
        "AvgPool2D": "AveragePooling2D",
        "AvgPool3D": "AveragePooling3D",
        "BatchNormalizationV1": "BatchNormalization",
        "BatchNormalizationV2": "BatchNormalization",
        "Convolution1D": "Conv1D",
        "Convolution2D": "Conv2D",
        "Convolution2DTranspose": "Conv2DTranspose",
        "Convolution3D": "Conv3D",
        "Convolution3DTranspose": "Conv3DTranspose",
        "GRUCellV2": "GRUCell",
        "GRUV1": "GRU",
        "GRUV2": "GRU",
        "GlobalAvgPool1D": "GlobalAveragePooling1D",
        "GlobalAvgPool2D": "GlobalAveragePooling2D",
        "GlobalAvgPool3D": "GlobalAveragePooling3D",
        "GlobalMaxPool1D": "GlobalMaxPooling1D",
        "GlobalMaxPool2D": "GlobalMaxPooling2D",
        "GlobalMaxPool3D": "GlobalMaxPooling3D",
        "LSTMCellV2": "LSTMCell",
        "LSTMV1": "LSTM",
        "LSTMV2": "LSTM",
        "MaxPool1D": "MaxPooling1D",
        "MaxPool2D": "MaxPooling2D",
        "MaxPool3D": "MaxPooling3D",
        "NormalizationV1": "Normalization",
        "SeparableConvolution1D": "SeparableConv1D",
        "SeparableConvolution2D": "SeparableConv2D",
        "SyncBatchNormalization": "BatchNormalization",
        "TextVectorizationV1": "TextVectorization",
    }
)
INITIALIZER_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "GlorotNormalV2": "GlorotNormal",
        "GlorotUniformV2": "GlorotUniform",
        "HeNormalV2": "HeNormal",
        "HeUniformV2": "HeUniform",
        "LecunNormalV2": "LecunNormal",
        "LecunUniformV2": "LecunUniform",
        "VarianceScalingV2": "VarianceScaling",
    }
)
OPTIMIZERS = ("Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lion", "Nadam", "RMSprop", "SGD")
MODELS = ("Functional", "Model", "Network", "Sequential")
TENSORFLOW_CALLS = (
    "SlicingOpLambda",
    "TFOpLambda",
    "TensorFlowOpLayer",
    "ClassMethod",
    "InstanceMethod",
    "InstanceProperty",
)

# Layers of Keras 2 without a counterpart: the remedy for each.
GONE: Mapping[str, str] = MappingProxyType(
    {
        "DenseFeatures": "feature columns ended with Keras 2; use keras.layers.CategoryEncoding and the like",
        "DynamicEmbedding": "Keras 3 has none; use keras.layers.Embedding with a fixed vocabulary",
        "DynamicLookup": "Keras 3 has none; use keras.layers.StringLookup",
        "LocallyConnected1D": "Keras 3 has none; write it as a layer of your own and pass custom_objects",
        "LocallyConnected2D": "Keras 3 has none; write it as a layer of your own and pass custom_objects",
        "RandomFourierFeatures": "Keras 3 has none; write it as a layer of your own and pass custom_objects",
        "SequenceFeatures": "feature columns ended with Keras 2",
    }
)

# What the audit may meet in a file of Keras 2 beyond the class names of Keras 3: all of these are translated or refused.
ALL_CLASS_NAMES = frozenset(
    (
        *LAYER_NAMES,
        *INITIALIZER_NAMES,
        *MODELS,
        *TENSORFLOW_CALLS,
        *GONE,
        *(f"Custom>{name}" for name in OPTIMIZERS),
        "CuDNNGRU",
        "CuDNNLSTM",
        "LinearModel",
        "LossScaleOptimizer",
        "LossScaleOptimizerV1",
        "LossScaleOptimizerV3",
        "MeanRelativeError",
        "MeanTensor",
        "Policy",
        "PolicyV1",
        "RadialConstraint",
        "TypeSpec",
        "WideDeepModel",
    )
)


def is_own_module(module: Any) -> bool:
    """Whether Keras 2 kept its own classes in this module; files without modules are its older ones."""
    return module is None or (
        isinstance(module, str) and any(module == root or module.startswith(f"{root}.") for root in _ROOTS)
    )


def module_of(kind: str, class_name: str) -> str | None:
    """The module under which Keras 3 stores a class of this kind ("layers", "initializers", …); None if it has none."""
    others = _OTHER_MODULES if kind == "layers" else ()
    for module in (f"keras.{kind}", *others):
        if class_name in allowed.CLASSES.get(module, ()):
            return module
    return None
