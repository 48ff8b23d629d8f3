"""The methods of tflite::MicroMutableOpResolver, by TFLite's op: what a program registers so that only these are linked."""

from __future__ import annotations

from exporter.errors import UnsupportedError

# Where the method's name is not the op's in camel case.
_NAMED = {
    "AVERAGE_POOL_2D": "AddAveragePool2D",
    "BATCH_MATMUL": "AddBatchMatMul",
    "CONV_2D": "AddConv2D",
    "CUMSUM": "AddCumSum",
    "DEPTHWISE_CONV_2D": "AddDepthwiseConv2D",
    "L2_POOL_2D": "AddL2Pool2D",
    "MAX_POOL_2D": "AddMaxPool2D",
    "PADV2": "AddPadV2",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "AddUnidirectionalSequenceLSTM",
}
_IN_CAMEL_CASE = """
    ABS ADD ADD_N ARG_MAX ARG_MIN ASSIGN_VARIABLE BATCH_TO_SPACE_ND BROADCAST_ARGS BROADCAST_TO CALL_ONCE CAST CEIL
    CONCATENATION COS DEPTH_TO_SPACE DEQUANTIZE DIV DYNAMIC_UPDATE_SLICE ELU EMBEDDING_LOOKUP EQUAL EXP EXPAND_DIMS FILL
    FLOOR FLOOR_DIV FLOOR_MOD FULLY_CONNECTED GATHER GATHER_ND GREATER GREATER_EQUAL HARD_SWISH IF L2_NORMALIZATION
    LEAKY_RELU LESS LESS_EQUAL LOG LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC LOG_SOFTMAX MAXIMUM MEAN MINIMUM MIRROR_PAD
    MUL NEG NOT_EQUAL PACK PAD PRELU QUANTIZE READ_VARIABLE REDUCE_ALL REDUCE_MAX REDUCE_MIN RELU RELU6 RESHAPE
    RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR REVERSE_V2 ROUND RSQRT SELECT_V2 SHAPE SIN SLICE SOFTMAX SPACE_TO_BATCH_ND
    SPACE_TO_DEPTH SPLIT SPLIT_V SQRT SQUARE SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUB SUM SVDF TANH TRANSPOSE
    TRANSPOSE_CONV UNPACK VAR_HANDLE WHILE ZEROS_LIKE
"""
METHODS = {**_NAMED, **{op: "Add" + op.title().replace("_", "") for op in _IN_CAMEL_CASE.split()}}


def method_of(op: str) -> str:
    """Return the method that registers an op ("AddConv2D" for "CONV_2D").

    Raises:
        UnsupportedError: if microcontrollers have no kernel for it.
    """
    if op not in METHODS:
        raise UnsupportedError(
            "TensorFlow Lite Micro has no kernel for a part of the model",
            where=op,
            reason="its interpreter knows fewer ops than LiteRT",
            remedy="use other layers, such as relu for gelu; `kx inspect` lists the ops of the TFLite file",
        )
    return METHODS[op]
