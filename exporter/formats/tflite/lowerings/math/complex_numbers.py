"""Complex numbers as pairs of real tensors, for the builtin ops know real numbers only.

In the rewritten graph the image of a complex tensor is a `Pair`. Ops that move numbers about apply to both parts
(`STRUCTURAL`); ops that compute have a lowering that takes and gives pairs. A pair that reaches anything else is joined
again, which the converter then refuses by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from exporter.formats.tflite.lowerings.math.matrices import balanced
from exporter.formats.tflite.registry import lowers_op

# Ops that move numbers about, then ops that compute and are linear: in both the parts do not mix.
MOVING = (
    "BroadcastTo ConcatV2 ExpandDims GatherNd GatherV2 Identity MirrorPad Pack Pad PadV2 Reshape ReverseV2 Select SelectV2 "
    "Slice Snapshot Split SplitV Squeeze StopGradient StridedSlice Tile Transpose Unpack ZerosLike"
)
LINEAR = "Add AddN AddV2 Cumsum Mean Neg Sub Sum"
STRUCTURAL = frozenset(f"{MOVING} {LINEAR}".split())


@dataclass(frozen=True)
class Pair:
    """A complex tensor: its real and its imaginary part, float32 of equal shape."""

    real: Any
    imag: Any

    def set_shape(self, shape: Any) -> None:
        """Tell both parts their static shape."""
        self.real.set_shape(shape)
        self.imag.set_shape(shape)

    @property
    def op(self) -> Any:
        """The op that makes the real part."""
        return self.real.op

    def joined(self) -> Any:
        """Return the complex tensor."""
        return tf.complex(self.real, self.imag)


def split(x: Any) -> Pair:
    """Return any tensor as a pair: a constant by its parts, a real one with 0."""
    if isinstance(x, Pair):
        return x
    if x.dtype.is_complex:
        value = tf.get_static_value(x)
        if value is not None:
            return Pair(tf.constant(value.real), tf.constant(value.imag))
        return Pair(tf.math.real(x), tf.math.imag(x))
    return Pair(x, tf.zeros_like(x))


def structural(op: Any, inputs: list[Any]) -> list[Pair]:
    """Apply an op of `STRUCTURAL` to the real and to the imaginary parts of its complex inputs."""
    attributes = {name: _real(value) for name, value in op.node_def.attr.items() if not name.startswith("_")}
    complex_places = [t.dtype.is_complex for t in op.inputs]
    parts = []
    for part in ("real", "imag"):
        chosen = [getattr(split(x), part) if c else x for x, c in zip(inputs, complex_places, strict=True)]
        graph = tf.compat.v1.get_default_graph()
        parts.append(graph.create_op(op.type, chosen, name=f"{op.name}_{part}", attrs=attributes).outputs)
    return [Pair(real, imag) for real, imag in zip(*parts, strict=True)]


def _real(value: Any) -> Any:
    """Return a copy of an attribute with complex64 replaced by float32."""
    copy = type(value)()
    copy.CopyFrom(value)
    if copy.type == tf.complex64.as_datatype_enum:
        copy.type = tf.float32.as_datatype_enum
    return copy


@lowers_op("Complex")
def from_parts(op: Any, real: Any, imag: Any) -> Pair:
    """Return real + i imag."""
    return (
        Pair(real + tf.zeros_like(imag), imag + tf.zeros_like(real)) if real.shape != imag.shape else Pair(real, imag)
    )


@lowers_op("Real")
def real_part(op: Any, z: Any) -> Any:
    """Return the real part."""
    return split(z).real


@lowers_op("Imag")
def imaginary_part(op: Any, z: Any) -> Any:
    """Return the imaginary part."""
    return split(z).imag


@lowers_op("Conj")
def conjugate(op: Any, z: Any) -> Any:
    """Return the complex conjugate."""
    z = split(z)
    return Pair(z.real, -z.imag)


@lowers_op("ComplexAbs")
def magnitude(op: Any, z: Any) -> Any:
    """Return |z|, the larger part times sqrt(1 + (smaller / larger)²)."""
    z = split(z)
    a, b = tf.abs(z.real), tf.abs(z.imag)
    large, small = tf.maximum(a, b), tf.minimum(a, b)
    ratio = small / tf.where(large > 0.0, large, 1.0)
    return large * tf.sqrt(1.0 + ratio * ratio)


@lowers_op("Angle")
def angle(op: Any, z: Any) -> Any:
    """Return the argument of z, between -pi and pi."""
    z = split(z)
    return tf.atan2(z.imag, z.real)


@lowers_op("Mul", priority=1)
def multiply(op: Any, a: Any, b: Any) -> Any:
    """Return the product of complex numbers; real ones keep the builtin op."""
    if not op.outputs[0].dtype.is_complex:
        return NotImplemented
    a, b = split(a), split(b)
    return Pair(a.real * b.real - a.imag * b.imag, a.real * b.imag + a.imag * b.real)


@lowers_op("RealDiv", "Div")
def divide(op: Any, a: Any, b: Any) -> Any:
    """Return the quotient of complex numbers; real ones keep the builtin op."""
    if not op.outputs[0].dtype.is_complex:
        return NotImplemented
    (a, of_a), (b, of_b) = _balanced(split(a)), _balanced(split(b))
    square = b.real * b.real + b.imag * b.imag
    real = (a.real * b.real + a.imag * b.imag) / square
    imag = (a.imag * b.real - a.real * b.imag) / square
    return Pair(real * of_b / of_a, imag * of_b / of_a)


def _balanced(z: Pair) -> tuple[Pair, Any]:
    """Return z times a power of two, and the power: the squares of its parts are finite, and not both 0."""
    _, power = balanced(tf.maximum(tf.abs(z.real), tf.abs(z.imag)), axes=())
    return Pair(z.real * power, z.imag * power), power


@lowers_op("Exp")
def exponential(op: Any, z: Any) -> Any:
    """Return e^z of complex numbers; real ones keep the builtin op."""
    if not op.outputs[0].dtype.is_complex:
        return NotImplemented
    z = split(z)
    size = tf.exp(z.real)
    return Pair(size * tf.cos(z.imag), size * tf.sin(z.imag))


@lowers_op("Cast")
def cast(op: Any, x: Any) -> Any:
    """Return a real tensor as a complex one, or the real part of a complex one; others keep the builtin op."""
    source, target = op.inputs[0].dtype, op.outputs[0].dtype
    if not (source.is_complex or target.is_complex):
        return NotImplemented
    if target.is_complex:
        return split(x if source.is_complex else tf.cast(x, tf.float32))
    return tf.cast(split(x).real, target)
