"""What a layer costs in one form and another in ONNX Runtime: the measurements behind the choices of the ONNX lowerings.

    python -m benchmarks.onnx_forms feed_forward softmax

Each form is a small graph with random weights. All forms of a comparison run in turn, on one thread; the median of the
processor time is printed, and the speed relative to the first. The forms that lowerings use are starred. A newer runtime may
turn any of them: run this before changing one.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from statistics import median

import numpy as np
import onnx
import onnx.parser
import onnxruntime as ort

Forms = dict[str, str]
Comparison = tuple[str, Forms]
COMPARISONS: dict[str, Callable[[], Iterator[Comparison]]] = {}

IMAGE = "ax = Constant<value_ints=[1]>() u = Unsqueeze(x, ax) image = Transpose<perm=[0,3,1,2]>(u)"
SEQUENCE = "turned = Transpose<perm=[0,2,3,1]>(out) y = Squeeze(turned, ax)"
NEAREST = 'mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"'


def comparison(function: Callable[[], Iterator[Comparison]]) -> Callable[[], Iterator[Comparison]]:
    """Enter a comparison under its name."""
    COMPARISONS[function.__name__] = function
    return function


@comparison
def projection() -> Iterator[Comparison]:
    for rows, k, n in ((1, 512, 512), (128, 512, 512), (196, 192, 768)):
        head = (
            f"(float[B,{rows},{k}] x, float[{k},{n}] w, float[{n},{k},1,1] c, float[{n}] b) => (float[B,{rows},{n}] y)"
        )
        flat = f"to = Constant<value_ints=[-1,{k}]>() f = Reshape(x, to) back = Constant<value_ints=[-1,{rows},{n}]>()"
        yield (
            f"one projection, {rows} x {k} x {n}",
            {
                "* MatMul, Add": head + "{ h = MatMul(x, w) y = Add(h, b) }",
                "Reshape, Gemm, Reshape": head + f"{{ {flat} h = Gemm(f, w, b) y = Reshape(h, back) }}",
                "Conv": head + f"{{ {IMAGE} out = Conv(image, c, b) {SEQUENCE} }}",
            },
        )


@comparison
def feed_forward() -> Iterator[Comparison]:
    for rows, k, n in ((1, 512, 2048), (128, 512, 2048), (196, 192, 768)):
        weights = f"float[{k},{n}] w, float[{n}] b, float[{n},{k}] v, float[{k}] a"
        filters = f"float[{n},{k},1,1] c, float[{k},{n},1,1] d"
        head = f"(float[B,{rows},{k}] x, {weights}, {filters}) => (float[B,{rows},{k}] y)"
        forms = {}
        for name, act in (("Gelu", "j = Gelu(i)"), ("Relu", "j = Relu(i)"), ("SiLU", "s = Sigmoid(i) j = Mul(i, s)")):
            for add in ("Add", "Sum"):
                forms[f"MatMul, {add}, {name}, MatMul, Add"] = (
                    head + f"{{ h = MatMul(x, w) i = {add}(h, b) {act} q = MatMul(j, v) y = Add(q, a) }}"
                )
            forms[f"* Conv, {name}, Conv"] = (
                head + f"{{ {IMAGE} i = Conv(image, c, b) {act} out = Conv(j, d, a) {SEQUENCE} }}"
            )
        yield f"two projections, {rows} x {k} x {n}", forms


@comparison
def image_block() -> Iterator[Comparison]:
    for side, k in ((56, 96), (14, 384)):
        n, image = 4 * k, f"float[1,{k},{side},{side}]"
        kernels = f"float[{k},1,7,7] z, float[{k},{n}] w, float[{n},{k}] v, float[{n},{k},1,1] c, float[{k},{n},1,1] d"
        vectors = f"float[{n}] b, float[{k}] a, float[{k}] gamma, float[{k}] beta"
        head = f"({image} x, {kernels}, {vectors}) => ({image} y) {{ k = Conv<pads=[3,3,3,3], group={k}>(x, z)"
        norm = "t = Transpose<perm=[0,2,3,1]>(k) l = LayerNormalization(t, gamma, beta)"
        steps = "m = ReduceMean(k, ax) e = Sub(k, m) q = Mul(e, e) r = ReduceMean(q, ax) f = Sqrt(r) u = Div(e, f)"
        convolutions = "i = Conv(u, c, b) j = Gelu(i) o = Conv(j, d, a) y = Add(o, x) }"
        products = "h = MatMul(l, w) i = Sum(h, b) j = Gelu(i) p = MatMul(j, v) s = Add(p, a)"
        yield (
            f"block of ConvNeXt, {side} x {side} x {k}",
            {
                "MatMul on channels last": head
                + f"{norm} {products} o = Transpose<perm=[0,3,1,2]>(s) y = Add(o, x) }}",
                "* Transpose, Conv": head + f"{norm} u = Transpose<perm=[0,3,1,2]>(l) {convolutions}",
                "normalized in steps, Conv": head + f"ax = Constant<value_ints=[1]>() {steps} {convolutions}",
            },
        )


@comparison
def attention() -> Iterator[Comparison]:
    for steps, heads, size in ((128, 8, 64), (196, 3, 64)):
        shape = f"float[1,{steps},{heads * size}]"
        head = f"({shape} x, {shape} xk, {shape} xv) => ({shape} y)"
        to = f"to = Constant<value_ints=[0,0,{heads},{size}]>() back = Constant<value_ints=[0,0,{heads * size}]>()"
        split = " ".join(f"{n}4 = Reshape({x}, to)" for n, x in (("q", "x"), ("k", "xk"), ("v", "xv")))
        turned = "q = Transpose<perm=[0,2,1,3]>(q4) k = Transpose<perm=[0,2,3,1]>(k4) v = Transpose<perm=[0,2,1,3]>(v4)"
        scores = "c = Constant<value_float=0.125>() s = MatMul(q, k) m = Mul(s, c) p = Softmax(m) o = MatMul(p, v)"
        yield (
            f"attention, {steps} steps, {heads} heads of {size}",
            {
                "* MatMul, Softmax, MatMul": head
                + f"{{ {to} {split} {turned} {scores} w = Transpose<perm=[0,2,1,3]>(o) y = Reshape(w, back) }}",
                "Attention": head
                + f"{{ y = Attention<q_num_heads={heads}, kv_num_heads={heads}, scale=0.125>(x, xk, xv) }}",
            },
        )


@comparison
def upsampling() -> Iterator[Comparison]:
    for k, side in ((64, 32), (32, 64)):
        head = f"(float[B,{k},{side},{side}] x, float[{k},{k},3,3] w) => (float[B,{k},{2 * side},{2 * side}] y)"
        convolution = "Conv<pads=[1,1,1,1]>"
        scales, sizes = "value_floats=[1.0,1.0,2.0,2.0]", f"value_ints=[{2 * side},{2 * side}]"
        yield (
            f"nearest upsampling between convolutions, {side} x {side} x {k}",
            {
                "* scales": head
                + f"{{ h = {convolution}(x, w) s = Constant<{scales}>() u = Resize<{NEAREST}>(h, , s)"
                + f" y = {convolution}(u, w) }}",
                "sizes and axes": head
                + f"{{ h = {convolution}(x, w) s = Constant<{sizes}>() u = Resize<{NEAREST}, axes=[2,3]>(h, , , s)"
                + f" y = {convolution}(u, w) }}",
            },
        )


@comparison
def skip_connection() -> Iterator[Comparison]:
    for k, n, side in ((32, 16, 64), (128, 64, 16)):
        images = f"float[B,{k},{side},{side}] x, float[B,{n},{2 * side},{2 * side}] x2"
        square = f"float[{n},{n},3,3]"
        kernels = f"float[{k},{k},3,3] a, {square} c, float[{k},{n},2,2] t, {square} d, {square} e"
        head = f"({images}, {kernels}) => (float[B,{n},{2 * side},{2 * side}] y) {{ h = Conv<pads=[1,1,1,1]>(x, a)"
        both = "up = ConvTranspose<strides=[2,2]>(h, t) skip = Conv<pads=[1,1,1,1]>(x2, c)"
        yield (
            f"step of a U-Net, {side} x {side} x {k}",
            {
                "Concat, Conv": head
                + f" {both} j = Concat<axis=1>(up, skip) w = Concat<axis=1>(d, e) y = Conv<pads=[1,1,1,1]>(j, w) }}",
                "* Conv, Conv, Add": head
                + f" {both} p = Conv<pads=[1,1,1,1]>(up, d) q = Conv<pads=[1,1,1,1]>(skip, e) y = Add(p, q) }}",
            },
        )


@comparison
def softmax() -> Iterator[Comparison]:
    for k, side in ((2, 128), (21, 128)):
        head = f"(float[B,{k},{side},{side}] x) => (float[B,{side},{side},{k}] y)"
        yield (
            f"softmax over {k} channels, {side} x {side}",
            {
                "* Transpose, Softmax": head + "{ t = Transpose<perm=[0,2,3,1]>(x) y = Softmax(t) }",
                "Softmax of axis 1": head + "{ t = Softmax<axis=1>(x) y = Transpose<perm=[0,2,3,1]>(t) }",
                "in steps": head
                + "{ a = Constant<value_ints=[1]>() m = ReduceMax(x, a) d = Sub(x, m) e = Exp(d) s = ReduceSum(e, a)"
                + " q = Div(e, s) y = Transpose<perm=[0,2,3,1]>(q) }",
            },
        )


@comparison
def activations() -> Iterator[Comparison]:
    head = "(float[1,256,256] x) => (float[1,256,256] y)"
    one = "one = Constant<value_float=1.0>() two = Constant<value_float=2.0>()"
    inner = "e = Exp(x) a = Add(e, two) p = Mul(e, a)"
    yield (
        "Mish, 65536 elements",
        {
            "Mish": head + "{ y = Mish(x) }",
            "Softplus, Tanh, Mul": head + "{ s = Softplus(x) t = Tanh(s) y = Mul(x, t) }",
            "* x / (1 + 2 / (e (e + 2)))": head + f"{{ {one} {inner} d = Div(two, p) f = Add(d, one) y = Div(x, f) }}",
        },
    )
    yield (
        "GELU, 65536 elements",
        {
            "Erf": head
            + "{ c = Constant<value_float=0.70710677>() h = Constant<value_float=0.5>() one = Constant<value_float=1.0>()"
            + " m = Mul(x, c) e = Erf(m) a = Add(e, one) b = Mul(x, h) y0 = Mul(a, b) y = Abs(y0) }",
            "* Gelu": head + "{ g = Gelu(x) y = Abs(g) }",
        },
    )
    yield (
        "SiLU, 65536 elements",
        {
            "Swish": head + "{ y = Swish(x) }",
            "* Sigmoid, Mul": head + "{ s = Sigmoid(x) y = Mul(x, s) }",
        },
    )


@comparison
def elu() -> Iterator[Comparison]:
    numbers = "zero = Constant<value_float=0.0>() one = Constant<value_float=1.0>()"
    for elements in (2**15, 2**17, 2**21):
        head = f"(float[B,{elements}] x) => (float[B,{elements}] y)"
        below = f"{numbers} n = Min(x, zero) e = Exp(n) s = Sub(e, one)"
        yield (
            f"ELU, {elements} elements",
            {
                f"{'  ' if elements <= 2**17 else '* '}Elu": head + "{ y = Elu(x) }",
                f"{'* ' if elements <= 2**17 else '  '}Max of both branches": head + f"{{ {below} y = Max(x, s) }}",
                "Where": head + f"{{ {numbers} c = Greater(x, zero) e = Exp(x) s = Sub(e, one) y = Where(c, x, s) }}",
            },
        )


@comparison
def sequences() -> Iterator[Comparison]:
    for channels, steps, window, dilation in (
        (16, 128, 3, 1),
        (32, 128, 3, 2),
        (64, 128, 3, 1),
        (128, 64, 5, 1),
        (256, 32, 3, 1),
    ):
        head = f"(float[B,{channels},{steps}] x"
        pad = (window - 1) * dilation
        forms = {}
        for name, row, options in (
            ("  over time", "", f"pads=[{pad},0], dilations=[{dilation}]"),
            ("* over an image of one row", "1,", f"pads=[0,{pad},0,0], dilations=[1,{dilation}]"),
        ):
            weights = "".join(
                f", float[{channels},{channels},{row}{window}] w{i}, float[{channels}] b{i}" for i in range(4)
            )
            blocks = "".join(
                f" c{i} = Conv<{options}>(s{i}, w{i}, b{i}) r{i} = Relu(c{i}) s{i + 1} = Add(r{i}, s{i})"
                for i in range(4)
            )
            ends = (
                ("s0 = Unsqueeze(x, axes)", "y = Squeeze(s4, axes)")
                if row
                else ("s0 = Identity(x)", "y = Identity(s4)")
            )
            axes = "axes = Constant<value_ints=[2]>() " if row else ""
            forms[name] = f"{head}{weights}) => (float[B,{channels},{steps}] y) {{ {axes}{ends[0]}{blocks} {ends[1]} }}"
        yield f"four residual blocks of {channels} channels, {steps} steps, window {window}, dilation {dilation}", forms


@comparison
def normalizations() -> Iterator[Comparison]:
    mean = "ReduceMean<keepdims=1>"
    numbers = "last = Constant<value_ints=[-1]>() small = Constant<value_float=0.000001>()"
    root = f"m = {mean}(q, last) a = Add(m, small) r = Sqrt(a)"
    for width in (64, 512, 2048):
        head = f"(float[B,128,{width}] x, float[{width}] g, float[{width}] b) => (float[B,128,{width}] y)"
        centred = f"{numbers} mean = {mean}(x, last) c = Sub(x, mean) q = Mul(c, c) {root}"
        yield (
            f"layer normalization, 128 x {width}",
            {
                "single steps": head + f"{{ {centred} d = Div(c, r) s = Mul(d, g) y = Add(s, b) }}",
                "* LayerNormalization": head + "{ y = LayerNormalization<axis=-1>(x, g, b) }",
            },
        )
        head = f"(float[B,128,{width}] x, float[{width}] g) => (float[B,128,{width}] y)"
        yield (
            f"RMS normalization, 128 x {width}",
            {
                "single steps": head + f"{{ {numbers} q = Mul(x, x) {root} i = Div(x, r) y = Mul(i, g) }}",
                "* RMSNormalization": head + "{ y = RMSNormalization<axis=-1>(x, g) }",
            },
        )


def session(text: str) -> tuple[ort.InferenceSession, dict[str, np.ndarray]]:
    """Return a session for a graph in ONNX's text format, in which what is not named x… is a weight, and what to feed it."""
    model = onnx.parser.parse_model(f'<ir_version: 11, opset_import: ["": 24]> forms {text}')
    rng = np.random.default_rng(0)
    for value in [i for i in model.graph.input if not i.name.startswith("x")]:
        shape = [d.dim_value for d in value.type.tensor_type.shape.dim]
        weight = rng.normal(0, 1 / max(1, np.prod(shape[1:])) ** 0.5, shape).astype(np.float32)
        model.graph.initializer.append(onnx.numpy_helper.from_array(weight, value.name))
        model.graph.input.remove(value)
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    made = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    fed = {
        i.name: rng.normal(size=[d if isinstance(d, int) else 1 for d in i.shape]).astype(np.float32)
        for i in made.get_inputs()
    }
    return made, fed


def compare(title: str, forms: Forms, seconds: float) -> None:
    """Run the forms in turn and print a line for each."""
    sessions = {name: session(text) for name, text in forms.items()}
    times: dict[str, list[float]] = {name: [] for name in sessions}
    end = time.monotonic() + seconds * len(sessions)
    while time.monotonic() < end:
        for name, (made, fed) in sessions.items():
            start = time.thread_time()
            made.run(None, fed)
            times[name].append(time.thread_time() - start)
    first = next(iter(forms))
    print(title)
    for name, taken in times.items():
        print(f"  {name:36}{median(taken) * 1e6:10.0f} µs{median(times[first]) / median(taken):7.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("comparisons", nargs="*", help=f"of {', '.join(COMPARISONS)}; default: all")
    parser.add_argument("--seconds", type=float, default=1.0, help="of measuring, per form")
    arguments = parser.parse_args()
    if unknown := set(arguments.comparisons) - set(COMPARISONS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    print(f"ONNX Runtime {ort.__version__}, onnx {onnx.__version__}")
    for name in arguments.comparisons or COMPARISONS:
        for title, forms in COMPARISONS[name]():
            compare(title, forms, arguments.seconds)


if __name__ == "__main__":
    main()
