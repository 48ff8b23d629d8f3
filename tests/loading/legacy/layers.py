"""Every public layer of tf-keras, with default and other arguments, by the kind of input that it takes.

Written against tf-keras's own documentation; `test_layers.py` holds that no public class is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tf_keras

L = tf_keras.layers
Make = Callable[[], Any]

_FUNCTIONS = "elu exponential gelu hard_sigmoid linear mish relu selu sigmoid softmax softplus softsign swish tanh"
ACTIVATIONS = _FUNCTIONS.split()
CELLS: dict[str, Any] = {"LSTM": L.LSTM, "GRU": L.GRU, "SimpleRNN": L.SimpleRNN}

VECTOR: dict[str, Make] = {
    **{f"Activation({name})": lambda name=name: L.Activation(name) for name in ACTIVATIONS},
    **{f"Dense({name})": lambda name=name: L.Dense(3, activation=name) for name in ACTIVATIONS},
    "Activation(function)": lambda: L.Activation(tf_keras.activations.hard_sigmoid),
    "Dense(LeakyReLU)": lambda: L.Dense(3, activation=L.LeakyReLU(alpha=0.2)),
    "ActivityRegularization": lambda: L.ActivityRegularization(0.1, 0.2),
    "AlphaDropout": lambda: L.AlphaDropout(0.3),
    "BatchNormalization": lambda: L.BatchNormalization(),
    "BatchNormalization(plain)": lambda: L.BatchNormalization(center=False, scale=False, epsilon=0.1, momentum=0.5),
    "BatchNormalization(fused)": lambda: L.BatchNormalization(fused=False, beta_regularizer="l2"),
    "SyncBatchNormalization": lambda: L.experimental.SyncBatchNormalization(),
    "BatchNormalization(synchronized)": lambda: L.BatchNormalization(synchronized=True),
    "Dense": lambda: L.Dense(3),
    "Dense(plain)": lambda: L.Dense(3, use_bias=False, kernel_regularizer="l1_l2", kernel_constraint="max_norm"),
    "Dense(initializers)": lambda: L.Dense(
        3,
        kernel_initializer=tf_keras.initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal", seed=1),
        bias_initializer=tf_keras.initializers.Constant(0.25),
        kernel_regularizer=tf_keras.regularizers.L1L2(0.1, 0.2),
        bias_regularizer=tf_keras.regularizers.L2(0.1),
        activity_regularizer=tf_keras.regularizers.L1(0.1),
        kernel_constraint=tf_keras.constraints.MinMaxNorm(0.1, 0.9, 0.5, axis=0),
        bias_constraint=tf_keras.constraints.NonNeg(),
    ),
    "Dense(orthogonal)": lambda: L.Dense(
        3,
        kernel_initializer=tf_keras.initializers.Orthogonal(0.5),
        kernel_regularizer=tf_keras.regularizers.OrthogonalRegularizer(0.1, "columns"),
        kernel_constraint=tf_keras.constraints.UnitNorm(),
    ),
    "Dense(float64)": lambda: L.Dense(3, dtype="float64"),
    "Dense(mixed)": lambda: L.Dense(3, dtype=tf_keras.mixed_precision.Policy("mixed_float16")),
    "Dense(frozen)": lambda: L.Dense(3, trainable=False),
    "Dropout": lambda: L.Dropout(0.3),
    "Dropout(shape)": lambda: L.Dropout(0.3, noise_shape=(None, 1), seed=3),
    "ELU": lambda: L.ELU(),
    "ELU(alpha)": lambda: L.ELU(alpha=0.3),
    "EinsumDense": lambda: L.EinsumDense("ab,bc->ac", output_shape=5, bias_axes="c", activation="hard_sigmoid"),
    "Flatten": lambda: L.Flatten(),
    "GaussianDropout": lambda: L.GaussianDropout(0.3),
    "GaussianNoise": lambda: L.GaussianNoise(0.3),
    "Identity": lambda: L.Identity(),
    "LayerNormalization": lambda: L.LayerNormalization(),
    "LayerNormalization(plain)": lambda: L.LayerNormalization(center=False, scale=False, epsilon=0.1),
    "LeakyReLU": lambda: L.LeakyReLU(),
    "LeakyReLU(alpha)": lambda: L.LeakyReLU(alpha=0.05),
    "Normalization(given)": lambda: L.Normalization(mean=0.5, variance=2.0),
    "Normalization(inverted)": lambda: L.Normalization(mean=0.5, variance=2.0, invert=True),
    "Normalization(adapted)": lambda: _adapted(L.Normalization(), [[float(n * m) for n in range(6)] for m in range(4)]),
    "Normalization(not adapted)": lambda: L.Normalization(),
    "Normalization(axis None)": lambda: _adapted(L.Normalization(axis=None), [[1.0, 2.0, 4.0, 8.0, 0.0, 1.0]]),
    "PReLU": lambda: L.PReLU(alpha_initializer="random_normal"),
    "ReLU": lambda: L.ReLU(),
    "ReLU(all)": lambda: L.ReLU(max_value=2.0, negative_slope=0.1, threshold=0.5),
    "ReLU(max)": lambda: L.ReLU(6.0),
    "RepeatVector": lambda: L.RepeatVector(3),
    "Rescaling": lambda: L.Rescaling(1 / 255.0, offset=-1.0),
    "Reshape": lambda: L.Reshape((3, -1)),
    "Softmax": lambda: L.Softmax(),
    "ThresholdedReLU": lambda: L.ThresholdedReLU(),
    "ThresholdedReLU(theta)": lambda: L.ThresholdedReLU(theta=0.25),
    "UnitNormalization": lambda: L.UnitNormalization(),
    "Discretization": lambda: L.Discretization([-1.0, 0.0, 1.0]),
    "Discretization(one_hot)": lambda: L.Discretization([-1.0, 1.0], output_mode="multi_hot"),
    "nested model": lambda: _nested(),
}
SEQUENCE: dict[str, Make] = {
    **{name: lambda cls=cls: cls(3) for name, cls in CELLS.items()},
    **{f"{name}(sequences)": lambda cls=cls: cls(3, return_sequences=True) for name, cls in CELLS.items()},
    **{f"{name}(state)": lambda cls=cls: cls(3, return_state=True) for name, cls in CELLS.items()},
    **{
        f"{name}(back)": lambda cls=cls: cls(3, go_backwards=True, unroll=True, use_bias=False)
        for name, cls in CELLS.items()
    },
    **{f"{name}(dropout)": lambda cls=cls: cls(3, dropout=0.2, recurrent_dropout=0.1) for name, cls in CELLS.items()},
    **{f"{name}(relu)": lambda cls=cls: cls(3, activation="relu") for name, cls in CELLS.items()},
    "LSTM(hard)": lambda: L.LSTM(3, recurrent_activation="hard_sigmoid", unit_forget_bias=False),
    "LSTM(implementation)": lambda: L.LSTM(3, implementation=1),
    "GRU(hard)": lambda: L.GRU(3, recurrent_activation="hard_sigmoid"),
    "GRU(before)": lambda: L.GRU(3, reset_after=False),
    "RNN(LSTMCell)": lambda: L.RNN(L.LSTMCell(3, recurrent_activation="hard_sigmoid")),
    "RNN(GRUCell)": lambda: L.RNN(L.GRUCell(3, reset_after=False), return_sequences=True),
    "RNN(SimpleRNNCell)": lambda: L.RNN(L.SimpleRNNCell(3)),
    "RNN(StackedRNNCells)": lambda: L.RNN(L.StackedRNNCells([L.LSTMCell(3), L.GRUCell(2), L.SimpleRNNCell(4)])),
    "RNN(list)": lambda: L.RNN([L.LSTMCell(3), L.LSTMCell(4)], return_sequences=True),
    "Bidirectional(LSTM)": lambda: L.Bidirectional(L.LSTM(3, return_sequences=True)),
    "Bidirectional(GRU, sum)": lambda: L.Bidirectional(L.GRU(3), merge_mode="sum"),
    "Bidirectional(none)": lambda: L.Bidirectional(L.SimpleRNN(3, return_sequences=True), merge_mode=None),
    "Bidirectional(ave)": lambda: L.Bidirectional(L.LSTM(3), merge_mode="ave"),
    "Bidirectional(two)": lambda: L.Bidirectional(
        L.LSTM(3), backward_layer=L.GRU(3, go_backwards=True), merge_mode="mul"
    ),
    "Bidirectional(state)": lambda: L.Bidirectional(L.LSTM(3, return_state=True)),
    "Bidirectional(RNN)": lambda: L.Bidirectional(L.RNN(L.LSTMCell(3))),
    "TimeDistributed(Dense)": lambda: L.TimeDistributed(L.Dense(3, activation="hard_sigmoid")),
    "TimeDistributed(BatchNormalization)": lambda: L.TimeDistributed(L.BatchNormalization()),
    "TimeDistributed(model)": lambda: L.TimeDistributed(_nested(4)),
    "TimeDistributed(LeakyReLU)": lambda: L.TimeDistributed(L.LeakyReLU(alpha=0.1)),
    "AveragePooling1D": lambda: L.AveragePooling1D(),
    "AveragePooling1D(same)": lambda: L.AveragePooling1D(3, strides=2, padding="same"),
    "AvgPool1D": lambda: L.AvgPool1D(2),
    "MaxPooling1D": lambda: L.MaxPooling1D(),
    "MaxPooling1D(same)": lambda: L.MaxPooling1D(3, strides=1, padding="same"),
    "MaxPool1D": lambda: L.MaxPool1D(2),
    "GlobalAveragePooling1D": lambda: L.GlobalAveragePooling1D(),
    "GlobalAveragePooling1D(keepdims)": lambda: L.GlobalAveragePooling1D(keepdims=True),
    "GlobalAvgPool1D": lambda: L.GlobalAvgPool1D(data_format="channels_first"),
    "GlobalMaxPooling1D": lambda: L.GlobalMaxPooling1D(),
    "GlobalMaxPool1D": lambda: L.GlobalMaxPool1D(keepdims=True),
    "Conv1D": lambda: L.Conv1D(3, 2),
    "Conv1D(causal)": lambda: L.Conv1D(4, 3, padding="causal", dilation_rate=2, groups=2, activation="hard_sigmoid"),
    "Convolution1D": lambda: L.Convolution1D(3, 2, strides=2, padding="same", use_bias=False),
    "Conv1DTranspose": lambda: L.Conv1DTranspose(3, 3, strides=2, padding="same"),
    "Convolution1DTranspose": lambda: L.Convolution1DTranspose(3, 3, strides=2, output_padding=1),
    "DepthwiseConv1D": lambda: L.DepthwiseConv1D(3, depth_multiplier=2, padding="same", activation="relu"),
    "SeparableConv1D": lambda: L.SeparableConv1D(3, 3, depth_multiplier=2),
    "SeparableConvolution1D": lambda: L.SeparableConvolution1D(3, 2, padding="same", use_bias=False),
    "Cropping1D": lambda: L.Cropping1D((1, 2)),
    "ZeroPadding1D": lambda: L.ZeroPadding1D((1, 2)),
    "UpSampling1D": lambda: L.UpSampling1D(3),
    "SpatialDropout1D": lambda: L.SpatialDropout1D(0.3),
    "Masking": lambda: L.Masking(0.5),
    "Permute": lambda: L.Permute((2, 1)),
    "Softmax(axes)": lambda: L.Softmax(axis=[1, 2]),
    "Softmax(axis)": lambda: L.Softmax(axis=1),
    "Dense(3D)": lambda: L.Dense(3),
    "EinsumDense(3D)": lambda: L.EinsumDense("abc,cd->abd", output_shape=(None, 6), bias_axes="d"),
    "LayerNormalization(axes)": lambda: L.LayerNormalization(axis=[1, 2]),
    "LayerNormalization(axis)": lambda: L.LayerNormalization(axis=1),
    "BatchNormalization(axis)": lambda: L.BatchNormalization(axis=1),
    "UnitNormalization(axes)": lambda: L.UnitNormalization(axis=[1, 2]),
    "GroupNormalization": lambda: L.GroupNormalization(2),
    "GroupNormalization(axis)": lambda: L.GroupNormalization(-1, axis=1, epsilon=0.1, center=False),
    "PReLU(shared)": lambda: L.PReLU(shared_axes=[1], alpha_initializer="random_normal"),
    "Flatten(first)": lambda: L.Flatten(data_format="channels_first"),
    "Reshape(-1)": lambda: L.Reshape((-1,)),
}
IMAGE: dict[str, Make] = {
    "Conv2D": lambda: L.Conv2D(4, 3),
    "Conv2D(all)": lambda: L.Conv2D(4, (2, 3), strides=(2, 1), padding="same", groups=2, activation="hard_sigmoid"),
    "Conv2D(dilated)": lambda: L.Conv2D(4, 3, dilation_rate=2, use_bias=False),
    "Convolution2D": lambda: L.Convolution2D(4, 3, padding="same"),
    "Conv2DTranspose": lambda: L.Conv2DTranspose(3, 3),
    "Conv2DTranspose(all)": lambda: L.Conv2DTranspose(
        3, 3, strides=2, padding="same", output_padding=1, use_bias=False
    ),
    "Conv2DTranspose(dilated)": lambda: L.Conv2DTranspose(3, 3, dilation_rate=2),
    "Convolution2DTranspose": lambda: L.Convolution2DTranspose(3, 2, strides=3),
    "DepthwiseConv2D": lambda: L.DepthwiseConv2D(3),
    "DepthwiseConv2D(all)": lambda: L.DepthwiseConv2D(3, strides=2, depth_multiplier=2, padding="same", use_bias=False),
    "DepthwiseConv2D(dilated)": lambda: L.DepthwiseConv2D(3, dilation_rate=2, activation="hard_sigmoid"),
    "SeparableConv2D": lambda: L.SeparableConv2D(4, 3),
    "SeparableConvolution2D": lambda: L.SeparableConvolution2D(4, 3, strides=2, depth_multiplier=2, padding="same"),
    "AveragePooling2D": lambda: L.AveragePooling2D(),
    "AveragePooling2D(same)": lambda: L.AveragePooling2D((3, 2), strides=2, padding="same"),
    "AvgPool2D": lambda: L.AvgPool2D(2),
    "MaxPooling2D": lambda: L.MaxPooling2D(),
    "MaxPool2D": lambda: L.MaxPool2D(3, strides=2, padding="same"),
    "GlobalAveragePooling2D": lambda: L.GlobalAveragePooling2D(),
    "GlobalAvgPool2D": lambda: L.GlobalAvgPool2D(keepdims=True),
    "GlobalMaxPooling2D": lambda: L.GlobalMaxPooling2D(data_format="channels_first"),
    "GlobalMaxPool2D": lambda: L.GlobalMaxPool2D(keepdims=True),
    "UpSampling2D": lambda: L.UpSampling2D(),
    **{
        f"UpSampling2D({how})": lambda how=how: L.UpSampling2D((2, 3), interpolation=how)
        for how in ("bilinear", "bicubic", "lanczos3", "lanczos5")
    },
    "ZeroPadding2D": lambda: L.ZeroPadding2D(((1, 2), (0, 3))),
    "Cropping2D": lambda: L.Cropping2D(((1, 2), (0, 3))),
    "SpatialDropout2D": lambda: L.SpatialDropout2D(0.3, data_format="channels_first"),
    "BatchNormalization": lambda: L.BatchNormalization(),
    "BatchNormalization(axis)": lambda: L.BatchNormalization(axis=1, epsilon=1e-5),
    "LayerNormalization": lambda: L.LayerNormalization(axis=[-2, -1]),
    "GroupNormalization": lambda: L.GroupNormalization(2),
    "PReLU(shared)": lambda: L.PReLU(shared_axes=[1, 2], alpha_initializer="random_normal"),
    "TimeDistributed(Conv1D)": lambda: L.TimeDistributed(L.Conv1D(3, 2)),
    "ConvLSTM1D": lambda: L.ConvLSTM1D(2, 3),
    "ConvLSTM1D(all)": lambda: L.ConvLSTM1D(
        2, 3, padding="same", recurrent_activation="sigmoid", return_sequences=True
    ),
    "Bidirectional(ConvLSTM1D)": lambda: L.Bidirectional(L.ConvLSTM1D(2, 3)),
    "CenterCrop": lambda: L.CenterCrop(4, 5),
    "CenterCrop(larger)": lambda: L.CenterCrop(10, 4),
    "Rescaling": lambda: L.Rescaling(0.5, 1.0),
    **{
        f"Resizing({how})": lambda how=how: L.Resizing(5, 12, interpolation=how)
        for how in ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")
    },
    "Resizing(crop)": lambda: L.Resizing(5, 4, crop_to_aspect_ratio=True),
    "RandomBrightness": lambda: L.RandomBrightness(0.2),
    "RandomContrast": lambda: L.RandomContrast(0.2),
    "RandomCrop": lambda: L.RandomCrop(4, 5),
    "RandomFlip": lambda: L.RandomFlip("horizontal", seed=1),
    "RandomHeight": lambda: L.RandomHeight(0.2),
    "RandomRotation": lambda: L.RandomRotation(0.2, fill_mode="nearest"),
    "RandomTranslation": lambda: L.RandomTranslation(0.2, (-0.1, 0.3)),
    "RandomWidth": lambda: L.RandomWidth(0.2),
    "RandomZoom": lambda: L.RandomZoom(0.2),
    "Permute": lambda: L.Permute((3, 1, 2)),
}
VOLUME: dict[str, Make] = {
    "Conv3D": lambda: L.Conv3D(3, 2),
    "Convolution3D": lambda: L.Convolution3D(4, 2, strides=2, padding="same", groups=2, activation="hard_sigmoid"),
    "Conv3DTranspose": lambda: L.Conv3DTranspose(3, 2),
    "Convolution3DTranspose": lambda: L.Convolution3DTranspose(3, 3, strides=2, padding="same", output_padding=1),
    "AveragePooling3D": lambda: L.AveragePooling3D(),
    "AvgPool3D": lambda: L.AvgPool3D(3, strides=1, padding="same"),
    "MaxPooling3D": lambda: L.MaxPooling3D(),
    "MaxPool3D": lambda: L.MaxPool3D(3, strides=2, padding="same"),
    "GlobalAveragePooling3D": lambda: L.GlobalAveragePooling3D(),
    "GlobalAvgPool3D": lambda: L.GlobalAvgPool3D(keepdims=True),
    "GlobalMaxPooling3D": lambda: L.GlobalMaxPooling3D(),
    "GlobalMaxPool3D": lambda: L.GlobalMaxPool3D(keepdims=True),
    "UpSampling3D": lambda: L.UpSampling3D((1, 2, 3)),
    "ZeroPadding3D": lambda: L.ZeroPadding3D((1, 2, 0)),
    "Cropping3D": lambda: L.Cropping3D((1, 1, 0)),
    "SpatialDropout3D": lambda: L.SpatialDropout3D(0.3),
    "ConvLSTM2D": lambda: L.ConvLSTM2D(2, 2),
    "ConvLSTM2D(all)": lambda: L.ConvLSTM2D(
        2, 2, padding="same", return_sequences=True, activation="relu", dropout=0.1, unit_forget_bias=False
    ),
    "TimeDistributed(Conv2D)": lambda: L.TimeDistributed(L.Conv2D(3, 2)),
    "TimeDistributed(pool)": lambda: L.TimeDistributed(L.GlobalAveragePooling2D()),
}
SEQUENCE_OF_IMAGES: dict[str, Make] = {"ConvLSTM3D": lambda: L.ConvLSTM3D(2, 2)}
INTEGERS: dict[str, Make] = {
    "Embedding": lambda: L.Embedding(8, 3),
    "Embedding(masked)": lambda: L.Embedding(8, 3, mask_zero=True, input_length=5, embeddings_regularizer="l2"),
    "CategoryEncoding": lambda: L.CategoryEncoding(8),
    "CategoryEncoding(count)": lambda: L.CategoryEncoding(8, output_mode="count"),
    "Hashing": lambda: L.Hashing(4),
    "Hashing(salt)": lambda: L.Hashing(4, salt=[3, 7], mask_value=0),
    "Hashing(one_hot)": lambda: L.Hashing(4, output_mode="multi_hot"),
    "IntegerLookup": lambda: L.IntegerLookup(vocabulary=[3, 1, 7]),
    "IntegerLookup(all)": lambda: L.IntegerLookup(
        vocabulary=[3, 1, 7], num_oov_indices=2, mask_token=0, output_mode="count"
    ),
    "Rescaling(int)": lambda: L.Rescaling(0.5),
}
STRINGS: dict[str, Make] = {
    "StringLookup": lambda: L.StringLookup(vocabulary=["a", "b", "c d"]),
    "StringLookup(all)": lambda: L.StringLookup(
        vocabulary=["a", "b"], num_oov_indices=2, mask_token="", oov_token="?", output_mode="multi_hot"
    ),
    "Hashing(strings)": lambda: L.Hashing(5),
    "TextVectorization": lambda: L.TextVectorization(vocabulary=["a", "b", "cd"]),
    "TextVectorization(all)": lambda: L.TextVectorization(
        vocabulary=["a", "b", "a b"], ngrams=2, output_mode="count", standardize="lower", split="whitespace"
    ),
    "TextVectorization(length)": lambda: L.TextVectorization(vocabulary=["a", "b"], output_sequence_length=4),
    "TextVectorization(characters)": lambda: L.TextVectorization(vocabulary=["a", "b"], split="character"),
}
PAIR: dict[str, Make] = {
    "Add": lambda: L.Add(),
    "Average": lambda: L.Average(),
    "Concatenate": lambda: L.Concatenate(),
    "Concatenate(axis)": lambda: L.Concatenate(axis=1),
    "Dot": lambda: L.Dot(axes=2),
    "Dot(normalized)": lambda: L.Dot(axes=(1, 1), normalize=True),
    "Maximum": lambda: L.Maximum(),
    "Minimum": lambda: L.Minimum(),
    "Multiply": lambda: L.Multiply(),
    "Subtract": lambda: L.Subtract(),
    "Attention": lambda: L.Attention(),
    "Attention(scale)": lambda: L.Attention(use_scale=True, dropout=0.1),
    "Attention(concat)": lambda: L.Attention(score_mode="concat", use_scale=True),
    "AdditiveAttention": lambda: L.AdditiveAttention(),
    "AdditiveAttention(plain)": lambda: L.AdditiveAttention(use_scale=False),
}
KINDS: Mapping[str, tuple[tuple[int, ...], str, int, dict[str, Make]]] = {
    "vector": ((6,), "float32", 1, VECTOR),
    "sequence": ((5, 4), "float32", 1, SEQUENCE),
    "image": ((7, 8, 4), "float32", 1, IMAGE),
    "volume": ((4, 5, 4, 2), "float32", 1, VOLUME),
    "frames": ((3, 3, 4, 4, 1), "float32", 1, SEQUENCE_OF_IMAGES),
    "integers": ((5,), "int64", 1, INTEGERS),
    "strings": ((1,), "string", 1, STRINGS),
    "pair": ((5, 4), "float32", 2, PAIR),
}


def _adapted(layer: Any, data: Any) -> Any:
    import numpy as np

    layer.adapt(np.array(data, "float32"))
    return layer


def _nested(size: int = 6) -> Any:
    x = tf_keras.Input((size,))
    y = L.Dense(4, activation="hard_sigmoid")(x)
    y = L.BatchNormalization()(y)
    return tf_keras.Model(x, L.Dense(2)(y))
