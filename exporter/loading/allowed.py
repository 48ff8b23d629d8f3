"""The classes and functions of Keras that a config may name: an allow-list, read and judged by hand.

A name is here when building it from any config only computes: no file, no network, no code, no process state.
A test holds the lists against Keras's public API, so that a name new in Keras is judged before it is allowed.
Whoever needs a name sooner passes it: `custom_objects={"NewLayer": keras.layers.NewLayer}`.
"""

from __future__ import annotations

from functools import cache
from types import FunctionType
from typing import Any

from exporter.loading import keras_names

# Public classes, under the name by which Keras writes them.
_CLASSES = {
    "keras": "DTypePolicy FloatDTypePolicy Model Sequential",
    "keras.src.models.functional": "Functional",
    "keras.models": "Model Sequential",
    "keras.layers": """
        Activation ActivityRegularization AdaptiveAveragePooling1D AdaptiveAveragePooling2D
        AdaptiveAveragePooling3D AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D Add
        AdditiveAttention AlphaDropout Attention AugMix AutoContrast Average AveragePooling1D AveragePooling2D
        AveragePooling3D BatchNormalization Bidirectional CategoryEncoding CenterCrop Concatenate
        ContrastLimitedAdaptiveHistogramEqualization Conv1D Conv1DTranspose Conv2D Conv2DTranspose Conv3D
        Conv3DTranspose ConvLSTM1D ConvLSTM2D ConvLSTM3D Cropping1D Cropping2D Cropping3D CutMix Dense
        DepthwiseConv1D DepthwiseConv2D Discretization Dot Dropout ELU EinsumDense Embedding Equalization
        Flatten GRU GRUCell GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D
        GlobalAveragePooling3D GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D GroupNormalization
        GroupQueryAttention HashedCrossing Hashing Identity InputLayer IntegerLookup LSTM LSTMCell
        LayerNormalization LeakyReLU Masking MaxNumBoundingBoxes MaxPooling1D MaxPooling2D MaxPooling3D Maximum
        MelSpectrogram Minimum MixUp MultiHeadAttention Multiply Normalization PReLU Permute Pipeline
        RMSNormalization RNN RandAugment RandomBrightness RandomColorDegeneration RandomColorJitter
        RandomContrast RandomCrop RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur
        RandomGrayscale RandomHue RandomInvert RandomPerspective RandomPosterization RandomRotation
        RandomSaturation RandomSharpness RandomShear RandomTranslation RandomZoom ReLU RepeatVector Rescaling
        Reshape Resizing ReversibleEmbedding STFTSpectrogram SeparableConv1D SeparableConv2D SimpleRNN
        SimpleRNNCell Softmax Solarization SpatialDropout1D SpatialDropout2D SpatialDropout3D
        SpectralNormalization StackedRNNCells StringLookup Subtract TextVectorization TimeDistributed
        UnitNormalization UpSampling1D UpSampling2D UpSampling3D Wrapper ZeroPadding1D ZeroPadding2D
        ZeroPadding3D
    """,
    "keras._legacy.layers": "AlphaDropout RandomHeight RandomWidth ThresholdedReLU",
    "keras.initializers": """
        Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity LecunNormal LecunUniform Ones Orthogonal
        RandomNormal RandomUniform STFT TruncatedNormal VarianceScaling Zeros
    """,
    "keras.regularizers": "L1 L1L2 L2 OrthogonalRegularizer",
    "keras.constraints": "Constraint MaxNorm MinMaxNorm NonNeg UnitNorm",
    "keras.losses": """
        BinaryCrossentropy BinaryFocalCrossentropy CTC CategoricalCrossentropy CategoricalFocalCrossentropy
        CategoricalGeneralizedCrossEntropy CategoricalHinge Circle CosineSimilarity Dice Hinge Huber
        KLDivergence LogCosh MeanAbsoluteError MeanAbsolutePercentageError MeanSquaredError
        MeanSquaredLogarithmicError Poisson SparseCategoricalCrossentropy SquaredHinge Tversky
    """,
    "keras.src.losses.losses": "LossFunctionWrapper",
    "keras.metrics": """
        AUC Accuracy BinaryAccuracy BinaryCrossentropy BinaryIoU CategoricalAccuracy CategoricalCrossentropy
        CategoricalHinge ConcordanceCorrelation CosineSimilarity F1Score FBetaScore FalseNegatives
        FalsePositives Hinge IoU KLDivergence LogCoshError Mean MeanAbsoluteError MeanAbsolutePercentageError
        MeanIoU MeanMetricWrapper MeanSquaredError MeanSquaredLogarithmicError OneHotIoU OneHotMeanIoU
        PearsonCorrelation Poisson Precision PrecisionAtRecall R2Score Recall RecallAtPrecision
        RootMeanSquaredError SensitivityAtSpecificity SparseCategoricalAccuracy SparseCategoricalCrossentropy
        SparseTopKCategoricalAccuracy SpecificityAtSensitivity SquaredHinge Sum TopKCategoricalAccuracy
        TrueNegatives TruePositives
    """,
    "keras.optimizers": """
        Adadelta Adafactor Adagrad Adam AdamW Adamax Ftrl Lamb Lion LossScaleOptimizer MultiOptimizer Muon Nadam
        OptimizerMap RMSprop SGD ScheduleFreeAdamW
    """,
    "keras.optimizers.schedules": """
        CosineDecay CosineDecayRestarts ExponentialDecay InverseTimeDecay LearningRateSchedule
        PiecewiseConstantDecay PolynomialDecay
    """,
    "keras.dtype_policies": """
        AWQDTypePolicy DTypePolicyMap GPTQDTypePolicy Int4DTypePolicy QuantizedDTypePolicy
        QuantizedFloat8DTypePolicy
    """,
    "keras.quantizers": """
        AWQConfig AbsMaxQuantizer Float8QuantizationConfig GPTQConfig Int4QuantizationConfig
        Int8QuantizationConfig QuantizationConfig
    """,
    "keras.random": "SeedGenerator",
    "keras.distillation": "DistillationLoss Distiller FeatureDistillation LogitsDistillation",
    "keras.src.activations.activations": "Mish ReLU",
    "keras.src.applications.convnext": "LayerScale StochasticDepth",
    "keras.src.applications.inception_resnet_v2": "CustomScaleLayer",
    "keras.src.layers.preprocessing.feature_space": "Cross Feature TFDConcat TFDIdentity",
    "keras.src.layers.rnn.conv_lstm": "ConvLSTM ConvLSTMCell",
    "keras.utils": "FeatureSpace",
}
CLASSES = {namespace: frozenset(names.split()) for namespace, names in _CLASSES.items()}

# Functions by name, as activations, losses, metrics and the like.
_FUNCTIONS = {
    "keras.activations": """
        celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu linear log_sigmoid
        log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus
        sparse_sigmoid sparsemax squareplus tanh tanh_shrink threshold
    """,
    "keras.losses": """
        categorical_generalized_cross_entropy circle cosine_similarity ctc dice huber log_cosh tversky
    """,
    "keras.metrics": """
        binary_accuracy binary_crossentropy binary_focal_crossentropy categorical_accuracy
        categorical_crossentropy categorical_focal_crossentropy categorical_hinge concordance_correlation hinge
        kl_divergence mean_absolute_error mean_absolute_percentage_error mean_squared_error
        mean_squared_logarithmic_error pearson_correlation poisson sparse_categorical_accuracy
        sparse_categorical_crossentropy sparse_top_k_categorical_accuracy squared_hinge
        top_k_categorical_accuracy
    """,
}
FUNCTIONS = {namespace: frozenset(names.split()) for namespace, names in _FUNCTIONS.items()}

# The modules of the classes behind `keras.ops`: numeric, except those that take functions.
OP_MODULES = frozenset(f"keras.src.ops.{part}" for part in ("core", "einops", "image", "linalg", "math", "nn", "numpy"))
OPS_ON_FUNCTIONS = frozenset(
    ("AssociativeScan", "Cond", "ForiLoop", "JVP", "Map", "Scan", "Switch", "VectorizedMap", "WhileLoop")
)

# Keras's own further packages: what they register is known to be classes of models, and functions that are not to be called.
HUB = frozenset({"keras_hub", "keras_nlp", "keras_cv"})

# Classes of Keras that a file may not name, and why.
DENIED = {
    "TFSMLayer": ("loads a TensorFlow SavedModel, which is a program", "CVE-2026-1462"),
    "TorchModuleWrapper": ("unpickles a PyTorch module, which runs code", "CVE-2025-1550"),
    "JaxLayer": ("calls functions that the config names", "CVE-2025-1550"),
    "FlaxLayer": ("calls functions that the config names", "CVE-2025-1550"),
}

ALL_CLASS_NAMES = frozenset().union(*CLASSES.values())
ALL_FUNCTION_NAMES = frozenset().union(*FUNCTIONS.values())


def allows_class(namespace: str, name: str) -> bool:
    """Whether a config may name this class of Keras, under whatever name Keras knows it by."""
    if name in CLASSES.get(namespace, ()):
        return True
    found = keras_names.find(namespace, name)
    if keras_names.is_operation_of(found, OP_MODULES):
        return found.__name__ not in OPS_ON_FUNCTIONS
    return isinstance(found, type) and found in _classes()


def allows_function(namespace: str, name: str) -> bool:
    """Whether a config may name this function of Keras; `builtins` is what Keras writes for its own functions."""
    if namespace == "builtins":
        return name in ALL_FUNCTION_NAMES
    if name in FUNCTIONS.get(namespace, ()):
        return True
    found = keras_names.find(namespace, name)
    return isinstance(found, FunctionType) and found in _functions()


def knows_class(name: str) -> bool:
    """Whether an allowed class has this name, or had it: files without modules are read by the name alone."""
    return name in ALL_CLASS_NAMES or any(allows_class(namespace, name) for namespace in CLASSES)


@cache
def _classes() -> frozenset[type]:
    found = (keras_names.find(namespace, name) for namespace, names in CLASSES.items() for name in names)
    return frozenset(thing for thing in found if isinstance(thing, type))


@cache
def _functions() -> frozenset[Any]:
    found = (keras_names.find(namespace, name) for namespace, names in FUNCTIONS.items() for name in names)
    return frozenset(thing for thing in found if thing is not None)
