"""Records what real MLX computes, for the tests of engine/: random numbers, quantization, products, rules, files.

    pip install "mlx[cpu]==0.32.4" numpy
    python record.py            # writes *.json.gz beside this file

Arrays are {"dtype", "shape", "data"} with data in base64; long ones have "sha256" of it instead, with every NaN made one.
Half precision is stored by its bits, bool by bytes. Nothing here depends on the machine's libm but normal, gumbel and
laplace, whose logarithms are glibc's (2.36 when recorded).
"""
import base64
import gzip
import hashlib
import json
import os
import sys
import tempfile

import mlx.core as mx
import mlx.nn as nn
import numpy as np

mx.set_default_device(mx.cpu)
HERE = os.path.dirname(os.path.abspath(__file__))
FLOATS = {"float32": mx.float32, "float16": mx.float16, "bfloat16": mx.bfloat16}
NAN = {"float32": 0x7FC00000, "float16": 0x7E00, "bfloat16": 0x7FC0}
LONG = 2048  # bytes


def name(dtype):
    return str(dtype).split(".")[-1]


def raw(a):
    """The bytes of an array, every NaN made one."""
    kind = name(a.dtype)
    if kind not in NAN:
        return np.array(a).tobytes()
    bits = np.array(a.view(mx.uint32 if kind == "float32" else mx.uint16)).copy()
    bits[np.array(mx.isnan(a))] = NAN[kind]
    return bits.tobytes()


def array(a):
    data = raw(a)
    entry = {"dtype": name(a.dtype), "shape": list(a.shape)}
    if len(data) > LONG:
        return {**entry, "sha256": hashlib.sha256(data).hexdigest()}
    return {**entry, "data": base64.b64encode(data).decode()}


def write(section, cases):
    text = json.dumps({"mlx": mx.__version__, "cases": cases}, separators=(",", ":"))
    with open(os.path.join(HERE, section + ".json.gz"), "wb") as out:
        out.write(gzip.compress(text.encode(), 9, mtime=0))
    print(section, len(cases), "cases")


# ---- random -----------------------------------------------------------------------------------------------------------
def random_cases():
    """op and attrs as the engine names them, with inputs; the key is that of `seed`, or the draw-th implicit one."""
    r = mx.random
    for seed in (0, 42, 2**32 + 5, 2**63 + 11):
        key = r.key(seed)

        def case(op, attrs, out, inputs=(), given=()):
            return {
                "op": "random." + op, "seed": str(seed), "attrs": attrs, "out": array(out),
                "inputs": [array(mx.array(i)) for i in inputs], "given": list(given),
            }

        yield {"op": "random.key", "attrs": {"seed": str(seed)}, "out": array(key)}
        for num in (2, 3, 0):
            yield {"op": "random.split", "seed": str(seed), "attrs": {"num": num}, "out": array(r.split(key, num))}
        for shape in ([1], [2], [7], [3, 0], [], [1000]):
            yield case("uniform", {"shape": shape, "dtype": "float32"}, r.uniform(shape=shape, key=key), (0, 1))
        n = [2001]
        for dn, dt in FLOATS.items():
            sized = {"shape": n, "dtype": dn}
            yield case("uniform", sized, r.uniform(-0.37, 2.1, n, dt, key), (-0.37, 2.1))
            yield case("normal", sized, r.normal(n, dt, key=key))
            yield case("normal", sized, r.normal(n, dt, 0.3, 1.7, key), (0.3, 1.7), ("loc", "scale"))
            yield case("truncated_normal", sized, r.truncated_normal(-0.5, 1.3, n, dt, key), (-0.5, 1.3))
            yield case("gumbel", sized, r.gumbel(n, dt, key))
            yield case("laplace", {**sized, "loc": 0, "scale": 1}, r.laplace(n, dt, key=key))
            yield case("laplace", {**sized, "loc": 0.7, "scale": 2.5}, r.laplace(n, dt, 0.7, 2.5, key))
            p = mx.array([0.1, 0.5, 1.0], dtype=dt)
            yield case("bernoulli", {"shape": [500, 3]}, r.bernoulli(p, (500, 3), key), (p,))
        low, high = mx.array([[0.0], [10.0]]), mx.array([1.0, 2.0, 30.0])
        yield case("uniform", {"shape": [4, 2, 3], "dtype": "float32"}, r.uniform(low, high, (4, 2, 3), key=key), (low, high))
        yield case("normal", {"shape": [3], "dtype": "float32"}, r.normal((3,), loc=low, scale=high, key=key), (low, high), ("loc", "scale"))
        yield case("normal", {"shape": [2, 3], "dtype": "complex64"}, r.normal((2, 3), mx.complex64, key=key))
        yield case("normal", {"shape": [3], "dtype": "complex64"}, r.normal((3,), mx.complex64, low, high, key), (low, high), ("loc", "scale"))
        yield case("normal", {"shape": [9], "dtype": "float64"}, r.normal((9,), mx.float64, 0.25, 3.0, key), (0.25, 3.0), ("loc", "scale"))
        yield case("laplace", {"shape": [9], "dtype": "float64", "loc": 0, "scale": 1}, r.laplace((9,), mx.float64, key=key))
        for dn, lo, hi in (("int32", -7, 1000), ("uint8", 0, 5), ("int64", 0, 3), ("bool", 0, 2), ("int32", 0.5, 5.5), ("int16", -3, -2)):
            dt = getattr(mx, dn if dn != "bool" else "bool_")
            yield case("randint", {"shape": [301], "dtype": dn}, r.randint(lo, hi, (301,), dt, key), (lo, hi))
        for p in (0.5, 0.1, 1.0, 0.0):
            yield case("bernoulli", {"shape": [2001]}, r.bernoulli(p, (2001,), key), (p,))
        yield case("permutation", {"n": 2001}, r.permutation(2001, key=key))
        x = mx.arange(60).reshape(3, 4, 5)
        for axis in (0, 1, -1):
            yield case("permutation", {"axis": axis}, r.permutation(x, axis, key), (x,), ("x",))
        logits = r.normal((6, 37), key=r.key(9))
        yield case("categorical", {"axis": -1}, r.categorical(logits, key=key), (logits,))
        yield case("categorical", {"axis": 0}, r.categorical(logits, axis=0, key=key), (logits,))
        yield case("categorical", {"axis": 1, "num_samples": 11}, r.categorical(logits, num_samples=11, key=key), (logits,))
        yield case("categorical", {"axis": 0, "num_samples": 5}, r.categorical(logits, axis=0, num_samples=5, key=key), (logits,))
        yield case("categorical", {"axis": -1, "shape": [3, 6]}, r.categorical(logits, shape=(3, 6), key=key), (logits,))
        row = logits[:1]
        for one in (row, row.astype(mx.float16), row.astype(mx.bfloat16)):
            yield case("categorical", {"axis": -1}, r.categorical(one, key=key), (one,))
        vector = logits[2]
        yield case("categorical", {"axis": -1}, r.categorical(vector, key=key), (vector,))
        yield case("categorical", {"axis": -1, "num_samples": 501}, r.categorical(vector, num_samples=501, key=key), (vector,))
        yield case("categorical", {"axis": -1, "shape": [7, 30]}, r.categorical(vector, shape=(7, 30), key=key), (vector,))
        masked = mx.where(mx.arange(37) % 3 == 0, -mx.inf, vector)
        yield case("categorical", {"axis": -1, "num_samples": 301}, r.categorical(masked, num_samples=301, key=key), (masked,))
        yield case("categorical", {"axis": -1}, r.categorical(mx.stack([masked, vector]), key=key), (mx.stack([masked, vector]),))
        mean, cov = mx.array([1.0, -2.0, 0.5]), mx.array([[2.0, 0.3, 0.1], [0.3, 1.0, -0.4], [0.1, -0.4, 3.0]])
        yield case("multivariate_normal", {"shape": [5], "dtype": "float32"}, r.multivariate_normal(mean, cov, (5,), key=key), (mean, cov))
        r.seed(seed)
        draws = [r.uniform(shape=(5,)) for _ in range(40)]
        for draw in (0, 1, 39):
            yield {**case("uniform", {"shape": [5], "dtype": "float32"}, draws[draw], (0, 1)), "draw": draw}


def layer_cases():
    """nn.Linear after mx.random.seed: its weight is implicit draw 0, its bias draw 1."""
    for seed, inputs, outputs in ((0, 8, 4), (7, 96, 64), (0, 512, 512)):
        mx.random.seed(seed)
        layer = nn.Linear(inputs, outputs)
        yield {"seed": seed, "in": inputs, "out": outputs, "weight": array(layer.weight), "bias": array(layer.bias)}


# ---- quantization -----------------------------------------------------------------------------------------------------
def matrices():
    """Named inputs of two rows, the awkward ones among them."""
    rng = np.random.default_rng(7)
    rows, columns = 2, 128
    sign = lambda: rng.choice([-1, 1], (rows, columns))
    yield "zeros", np.zeros((rows, columns))
    for c in (0.1, -1.0, 1e-8, 6e4):
        yield f"constant {c:g}", np.full((rows, columns), c)
    for s in (1, 0.02, 1e-6, 1e-38, 1e30):
        yield f"normal {s:g}", rng.standard_normal((rows, columns)) * s
    yield "positive", rng.uniform(0, 0.05, (rows, columns))
    yield "negative", rng.uniform(-0.05, 0, (rows, columns))
    yield "far from zero", rng.uniform(5, 5.1, (rows, columns)) * rng.choice([-1, 1], (rows, 1))
    yield "integers", rng.integers(-8, 8, (rows, columns)).astype(float)
    yield "fp4 ties", rng.choice([0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 5, 6], (rows, columns)) * sign()
    yield "log uniform", np.exp2(rng.uniform(-30, 14, (rows, columns))) * sign()
    a = rng.standard_normal((rows, columns))
    a[:, ::32] *= 1000
    yield "outliers", a
    a = np.zeros((rows, columns))
    a[:, 5] = -1
    yield "one hot", a
    a = rng.standard_normal((rows, columns))
    a[0, 3], a[0, 40], a[1, 7] = np.inf, -np.inf, np.nan
    yield "not finite", a


def quantize_cases():
    for label, values in matrices():
        with np.errstate(all="ignore"):
            whole = mx.array(values.astype(np.float32))
        for dn, dt in FLOATS.items():
            w = whole.astype(dt)
            results = []

            def result(mode, bits, group, arrays, back, scale=None):
                results.append({
                    "mode": mode, "bits": bits, "group_size": group, "globalScale": scale,
                    "arrays": [array(a) for a in arrays], "values": array(back),
                })

            for bits in (1, 2, 3, 4, 5, 6, 8):
                for group in (32, 64, 128):
                    q = mx.quantize(w, group_size=group, bits=bits)
                    result("affine", bits, group, q, mx.dequantize(*q, group_size=group, bits=bits))
            for mode, bits, group in (("mxfp4", 4, 32), ("mxfp8", 8, 32), ("nvfp4", 4, 16)):
                # the sign of a NaN's code is the processor's choice
                if mode == "mxfp8" and dn == "float16" and label == "not finite":
                    continue
                q = mx.quantize(w, mode=mode)
                result(mode, bits, group, q, mx.dequantize(*q, mode=mode, dtype=dt))
            largest = mx.max(mx.abs(w)).astype(mx.float32)
            if 0 < float(largest) < float("inf"):
                q = mx.quantize(w, mode="nvfp4", global_scale=largest)
                result("nvfp4", 4, 16, q, mx.dequantize(*q, mode="nvfp4", dtype=dt, global_scale=largest), float(largest))
            yield {"name": label, "w": array(w), "results": results}
    mx.random.seed(0)
    w = nn.Linear(512, 512).weight
    arrays = mx.quantize(w, group_size=64, bits=4)
    back = array(mx.dequantize(*arrays, group_size=64, bits=4))
    yield {
        "name": "nn.Linear(512, 512), seed 0", "seed": 0, "w": array(w),
        "results": [{"mode": "affine", "bits": 4, "group_size": 64, "globalScale": None, "arrays": [array(a) for a in arrays], "values": back}],
    }


# ---- products ---------------------------------------------------------------------------------------------------------
def drawn(seed, shape, dtype=mx.float32):
    """What the tests draw too: inputs need not be stored."""
    return mx.random.normal(shape, key=mx.random.key(seed)).astype(dtype)


def product_cases():
    """Inputs are normal(key(i)) of the given shapes and dtypes."""
    def case(op, inputs, out, attrs=None, exact=True):
        return {"op": op, "inputs": [[name(i.dtype), list(i.shape)] for i in inputs], "attrs": attrs or {}, "out": array(out), "exact": exact}

    for dn, dt in FLOATS.items():
        for a, b in (([5, 96], [96, 7]), ([96], [96, 7]), ([5, 96], [96]), ([96], [96]), ([2, 1, 5, 96], [3, 96, 7]), ([4, 5, 96], [96, 7]), ([3, 0], [0, 2])):
            x, y = drawn(0, a, dt), drawn(1, b, dt)
            yield case("matmul", [x, y], x @ y)
        x, w, bias = drawn(1, [5, 96], dt), drawn(2, [96, 7], dt), drawn(0, [7], dt)
        transposed = mx.contiguous(w.T).T  # as layers pass it, laid out [7, 96]
        yield case("addmm", [bias, x, w], mx.addmm(bias, x, transposed))
        yield case("addmm", [bias, x, w], mx.addmm(bias, x, transposed, alpha=0.7, beta=-1.5), {"alpha": 0.7, "beta": -1.5})
    x, y = drawn(0, [3, 4, 5]), drawn(1, [4, 5, 6])
    yield case("tensordot", [x, y], mx.tensordot(x, y, 2), {"axes": 2})
    yield case("tensordot", [x, y], mx.tensordot(x, y, [[1], [0]]), {"axes": [[1], [0]]})
    yield case("tensordot", [x, y], mx.tensordot(x, y, [[-1, 1], [1, 0]]), {"axes": [[-1, 1], [1, 0]]})
    x, y = drawn(0, [3, 5]), drawn(1, [2, 5])
    yield case("inner", [x, y], mx.inner(x, y))
    yield case("outer", [x, y], mx.outer(x, y))
    c, d = drawn(0, [4, 3], mx.complex64), drawn(1, [3, 2])
    yield case("matmul", [c, d], c @ d, exact=False)
    for subscripts, *shapes in (
        ("ij,jk->ik", [4, 5], [5, 6]), ("bij,bjk->bik", [2, 4, 5], [2, 5, 6]), ("bhqd,bhkd->bhqk", [2, 3, 4, 5], [2, 3, 6, 5]),
        ("ij,kj", [4, 5], [6, 5]), ("i,j->ij", [4], [5]), ("ij->ji", [4, 5]), ("ii->i", [4, 4]), ("ii", [4, 4]), ("ij->", [4, 5]),
        ("...ij,...jk->...ik", [2, 3, 4, 5], [3, 5, 6]), ("bld,dk->blk", [2, 3, 4], [4, 5]), ("ij,ij->i", [4, 5], [4, 5]),
        ("ij,jk->ik", [4, 1], [5, 6]), ("ij,ik->i", [4, 5], [4, 6]), ("b i d, b j d -> b i j", [2, 3, 4], [2, 5, 4]),
        ("ij,jk,kl->il", [3, 4], [4, 5], [5, 6]), ("bn,bnd->bd", [2, 3], [2, 3, 4]), ("...d,de->...e", [2, 3, 4], [4, 5]),
        ("nkctv,kvw->nctw", [2, 3, 4, 2, 5], [3, 5, 5]), ("abc,cd->dab", [2, 3, 4], [4, 5]), ("...i", [2, 3]), ("b...a", [2, 3, 4]),
        ("iij,j->i", [3, 3, 4], [4]), ("Ab->bA", [2, 3]), ("i...->...", [4, 2, 3]),
    ):
        operands = [drawn(i, s) for i, s in enumerate(shapes)]
        yield case("einsum", operands, mx.einsum(subscripts, *operands), {"subscripts": subscripts}, exact=len(shapes) == 2)
    a, b = drawn(0, [4, 2, 8]), drawn(1, [3, 8, 5])
    for lhs, rhs in (([0, 3, 1], [2, 2, 0]), (None, [2, 1, 0, 0]), ([[0], [1]], [0, 1, 2])):
        picks = {k: v for k, v in (("lhs_indices", lhs), ("rhs_indices", rhs)) if v is not None}
        out = mx.gather_mm(a, b, **{k: mx.array(v) for k, v in picks.items()})
        yield {**case("gather_mm", [a, b], out), "picks": picks}


def quantized_product_cases():
    """x is normal(key(0)), w normal(key(1)) before quantization."""
    settings = [("affine", bits, group) for bits in (1, 2, 3, 4, 5, 6, 8) for group in (32, 64, 128)]
    settings += [("mxfp4", 4, 32), ("mxfp8", 8, 32), ("nvfp4", 4, 16)]
    for mode, bits, group in settings:
        for dn, dt in FLOATS.items():
            for transpose in (True, False):
                x = drawn(0, [3, 128], dt)
                w = drawn(1, [16, 128] if transpose else [128, 128], dt)
                q = mx.quantize(w, group_size=group, bits=bits, mode=mode)
                options = {"mode": mode, "bits": bits, "group_size": group, "transpose": transpose}
                yield {"op": "quantized_matmul", "x": [dn, [3, 128]], "w": [dn, list(w.shape)], "attrs": options, "picks": {}, "out": array(mx.quantized_matmul(x, *q, **options))}
    for x_shape, w_shape in (([2, 3, 64], [2, 5, 64]), ([4, 1, 3, 64], [2, 5, 64]), ([2, 3, 64], [5, 64]), ([64], [5, 64]), ([64], [2, 5, 64]), ([3, 64], [2, 5, 64])):
        x, w = drawn(0, x_shape), drawn(1, w_shape)
        options = {"mode": "affine", "bits": 4, "group_size": 32, "transpose": True}
        q = mx.quantize(w, group_size=32, bits=4)
        yield {"op": "quantized_matmul", "x": ["float32", x_shape], "w": ["float32", w_shape], "attrs": options, "picks": {}, "out": array(mx.quantized_matmul(x, *q, **options))}
    for mode, bits, group in (("affine", 4, 32), ("mxfp4", 4, 32)):
        for lhs, rhs in ((None, [2, 0, 1, 1]), ([0, 3], [2, 1]), ([[0], [1]], None)):
            x, w = drawn(0, [4, 2, 64]), drawn(1, [3, 5, 64])
            q = mx.quantize(w, group_size=group, bits=bits, mode=mode)
            options = {"mode": mode, "bits": bits, "group_size": group, "transpose": True}
            picks = {k: v for k, v in (("lhs_indices", lhs), ("rhs_indices", rhs)) if v is not None}
            out = mx.gather_qmm(x, *q, **options, **{k: mx.array(v) for k, v in picks.items()})
            yield {"op": "gather_qmm", "x": ["float32", [4, 2, 64]], "w": ["float32", [3, 5, 64]], "attrs": options, "picks": picks, "out": array(out)}


# ---- casts ------------------------------------------------------------------------------------------------------------
def cast_cases():
    """astype between all pairs of real dtypes; what does not fit an integer is as x86 has it (but
    for negative numbers to uint32, where vectorised loops and single conversions differ)."""
    dtypes = ["bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32"]
    of = lambda n: mx.bool_ if n == "bool" else getattr(mx, n)
    floats = mx.array([0, -0.0, 0.5, 1.5, 2.5, -1.5, 300.7, 65519, 65520, 70000, 3e9, 1e20, 1e-8, 6e-8, 3.1e-5, float("inf"), float("-inf"), float("nan")])
    whole = mx.array([0, 1, 2, 127, 128, 255, 256, 2**15, 2**16 - 1, 2**24 + 1, 2**31 - 1, 2**31, 2**32 - 1, 2**40 + 5, 2**53 + 1, 2**62 + 2**38 + 1], dtype=mx.int64)
    for source in dtypes:
        x = (floats if source.startswith(("float", "bfloat")) else whole).astype(of(source))
        for target in dtypes:
            yield {"x": array(x), "out": array(x.astype(of(target)))}


def function_cases():
    """log, log1p, exp, erf, erfinv of float32, over ranges where their last bits are hard."""
    rng = np.random.default_rng(3)
    wide = (rng.standard_normal(3000) * np.exp2(rng.uniform(-40, 40, 3000))).astype(np.float32)
    edge = np.array([0, -0.0, 1, -1, 2, 0.5, -0.5, 1e-40, np.inf, -np.inf, np.nan, 88, 88.1, -88, -88.1, 0.41421, 0.41422, -0.2929, -0.29288], np.float32)
    unit = np.concatenate([rng.uniform(-1, 1, 3000), 1 - np.exp2(rng.uniform(-24, -1, 500))]).astype(np.float32)
    for f, x in (("log", np.abs(wide)), ("log1p", wide), ("log1p", unit), ("exp", np.clip(wide, -100, 100)), ("erf", np.clip(wide, -6, 6)), ("erfinv", unit)):
        for part in (x, edge if f in ("log", "log1p", "exp") else unit[:20]):
            a = mx.array(part)
            yield {"f": f, "x": base64.b64encode(part.tobytes()).decode(), "out": array(getattr(mx, f)(a))}


# ---- rules ------------------------------------------------------------------------------------------------------------
def rule_cases():
    """Results or refusals of calls written as Python over z(shape…, dtype): what the engine must answer alike."""
    short = {"f32": mx.float32, "f16": mx.float16, "bf16": mx.bfloat16, "f64": mx.float64, "c64": mx.complex64, "i32": mx.int32, "u32": mx.uint32, "u8": mx.uint8, "b": mx.bool_}

    def z(text):
        dtype, _, dims = text.partition("[")
        return mx.zeros([int(d) for d in dims[:-1].split(",") if d], dtype=short[dtype])

    def case(op, inputs, given=(), **attrs):
        required = len(inputs) - len(given)
        arrays = [z(i) for i in inputs]
        named = dict(zip(given, arrays[required:]))
        f = getattr(mx.random if op.startswith("random.") else mx, op.removeprefix("random."))
        positional = arrays[:required]
        kwargs = {k: getattr(mx, v) if k == "dtype" else v for k, v in attrs.items()}
        if op == "einsum":
            positional = [kwargs.pop("subscripts"), *positional]
        if op == "tensordot":
            kwargs["axes"] = attrs["axes"]
        entry = {"op": op, "inputs": [[name(a.dtype), list(a.shape)] for a in arrays], "given": list(given), "attrs": attrs}
        try:
            out = f(*positional, **named, **kwargs)
            out = out if isinstance(out, (tuple, list)) else [out]
            return {**entry, "out": [[name(a.dtype), list(a.shape)] for a in out]}
        except (ValueError, IndexError, RuntimeError, TypeError) as error:
            return {**entry, "error": type(error).__name__}

    # quantize
    for w in ("f32[2,64]", "f16[2,64]", "f64[2,64]", "i32[2,64]", "c64[2,64]", "f32[64]", "f32[]", "f32[2,60]", "f32[0,64]", "f32[2,3,64]", "f32[2,32]", "f32[4,48]"):
        for options in ({}, {"bits": 7}, {"bits": 0}, {"bits": 1}, {"bits": 3}, {"group_size": 16}, {"group_size": 32}, {"group_size": 128}, {"mode": "bogus"}, {"mode": "mxfp4"}, {"mode": "mxfp8"}, {"mode": "nvfp4"}, {"mode": "mxfp4", "bits": 3}, {"mode": "mxfp4", "group_size": 64}, {"mode": "nvfp4", "bits": 3, "group_size": 64}):
            yield case("quantize", [w], **options)
    for scale in ("f32[]", "f32[1]", "f32[2]", "i32[]"):
        for mode in ("nvfp4", "mxfp4", "affine"):
            yield case("quantize", ["f32[2,64]", scale], ["global_scale"], mode=mode)
    # dequantize
    for arrays in (
        ["u32[2,8]", "f32[2,1]", "f32[2,1]"], ["u32[2,8]", "f32[2,1]", "f16[2,1]"], ["u32[2,8]", "i32[2,1]", "i32[2,1]"], ["u32[2,8]", "f64[2,1]", "f64[2,1]"],
        ["i32[2,8]", "f32[2,1]", "f32[2,1]"], ["u32[8]", "f32[1]", "f32[1]"], ["u32[2,8]", "f32[1,1]", "f32[2,1]"], ["u32[2,8]", "f32[2,1]", "f32[1,1]"],
        ["u32[2,8]", "f32[1,2,1]", "f32[1,2,1]"], ["u32[2,8]", "f32[2,2]", "f32[2,2]"], ["u32[3,2,8]", "f32[3,2,1]", "f32[3,2,1]"],
    ):
        for options in ({}, {"bits": 0}, {"bits": 7}, {"bits": 2, "group_size": 128}, {"bits": 2, "group_size": 64}, {"group_size": 0}, {"group_size": 32}, {"dtype": "float16"}, {"dtype": "int32"}, {"mode": "mxfp4"}, {"mode": "bogus"}):
            yield case("dequantize", arrays, ["biases"], **options)
    for arrays in (["u32[2,8]", "u8[2,2]"], ["u32[2,8]", "u8[2,4]"], ["u32[2,16]", "u8[2,2]"], ["u32[2,8]", "f32[2,2]"], ["u32[2,8]", "u8[2,3]"]):
        for options in ({"mode": "mxfp4"}, {"mode": "mxfp8"}, {"mode": "nvfp4"}, {"mode": "affine"}, {"mode": "mxfp4", "dtype": "float32"}, {"mode": "mxfp4", "bits": 8}, {"mode": "mxfp4", "group_size": 64}):
            yield case("dequantize", arrays, **options)
        yield case("dequantize", [*arrays, "f32[]"], ["global_scale"], mode="nvfp4")
        yield case("dequantize", [*arrays, "f32[]"], ["global_scale"], mode="nvfp4", dtype="float16")
    # quantized products
    affine = ["u32[2,8]", "f32[2,1]", "f32[2,1]"]
    for x in ("f32[3,64]", "f16[3,64]", "bf16[3,64]", "i32[3,64]", "f64[3,64]", "f32[64]", "f32[]", "f32[4,3,64]", "f32[5,1,3,64]", "f32[3,63]", "f32[3,2]", "c64[3,64]"):
        for w in (affine, ["u32[4,2,8]", "f32[4,2,1]", "f32[4,2,1]"], ["u32[1,2,8]", "f32[1,2,1]", "f32[1,2,1]"], ["u32[2,8]", "f16[2,1]", "f16[2,1]"], ["i32[2,8]", "f32[2,1]", "f32[2,1]"], ["u32[2,8]", "f32[2,2]", "f32[2,2]"], ["u32[2,8]", "f32[2,1]", "f32[2,2]"], ["u32[4,2,8]", "f32[1,2,1]", "f32[1,2,1]"], ["u32[2,8]", "i32[2,1]", "i32[2,1]"]):
            for transpose in (True, False):
                yield case("quantized_matmul", [x, *w], ["biases"], transpose=transpose)
        for mode in ("mxfp4", "nvfp4", "affine", "bogus"):
            yield case("quantized_matmul", [x, "u32[2,8]", "u8[2,2]"], mode=mode)
    yield case("quantized_matmul", ["f32[3,64]", "u32[2,8]", "u8[2,2]", "f32[2,2]"], ["biases"], mode="mxfp4")
    for x in ("f32[3,64]", "f32[64]", "f32[4,3,64]", "f32[4,1,3,64]"):
        for w in (affine, ["u32[5,2,8]", "f32[5,2,1]", "f32[5,2,1]"]):
            yield case("gather_qmm", [x, *w], ["biases"])
            for index in ("i32[1]", "i32[]", "u32[4]", "f32[4]", "b[4]", "i32[4,2]", "i32[5]"):
                yield case("gather_qmm", [x, *w, index], ["biases", "rhs_indices"])
                yield case("gather_qmm", [x, *w, index], ["biases", "lhs_indices"])
                yield case("gather_qmm", [x, *w, index, "i32[1,2]"], ["biases", "lhs_indices", "rhs_indices"])
    # products
    operands = ("f32[]", "f32[3]", "f32[4]", "f32[2,3]", "f32[3,2]", "f32[5,2,3]", "f32[5,3,2]", "f32[1,3,4]", "f32[4,2,3]", "i32[2,3]", "i32[3,2]", "c64[3,2]", "f16[3,2]", "f32[0,3]", "b[3]")
    for a in operands:
        for b in operands:
            yield case("matmul", [a, b])
            yield case("inner", [a, b])
            yield case("outer", [a, b])
            for axes in (0, 1, 2, -1, [[0], [0]], [[-1], [0]], [[0, 1], [1, 0]], [[0, 0], [0, 1]], [[3], [0]], [[0], [0, 1]]):
                yield case("tensordot", [a, b], axes=axes)
            for c in ("f32[]", "f32[1]", "f32[2]", "f32[2,1]", "f32[5,1,1]", "f32[5,2]", "i32[2]", "c64[2]", "f32[7,5,2,2]"):
                yield case("addmm", [c, a, b])
            for index in ("i32[2]", "f32[2]", "i32[5,1]"):
                yield case("gather_mm", [a, b, index], ["rhs_indices"])
                yield case("gather_mm", [a, b, index], ["lhs_indices"])
                yield case("gather_mm", [a, b, index, "i32[2]"], ["lhs_indices", "rhs_indices"])
    for subscripts in ("ij,jk->ik", "ij,jk", "ij,jk->ijx", "ij,ij->ij", "i,j->ij", "...j,jk->...k", "...,...", "ij->i", "ij->", "ii->i", "ii", "i1->i", "i..->i", "i->i->i", "......", "ij->iji", "ij, jk -> ik", "ij,j->i", "i,i->", "->", "", ",->", "ijk...->i", "i...->i", "...i", "ba", "ij->...", "i->...i", "ij,jk,kl->il"):
        for arrays in (["f32[2,3]"], ["f32[3,3]"], ["f32[3]"], ["f32[]"], ["i32[2,3]"], ["b[3,3]"], ["f32[2,3]", "f32[3,2]"], ["f32[2,1]", "f32[3,2]"], ["f32[2,3]", "f32[4,2]"], ["i32[2,3]", "i32[3,2]"], ["f32[2,3]", "f32[3]"], ["f32[3]", "f32[3]"], ["f32[]", "f32[]"], ["f32[5,2,3]", "f16[3,2]"], ["f32[2,3]", "f32[3,2]", "f32[2,4]"]):
            yield case("einsum", arrays, subscripts=subscripts)
    # random
    for shape in ([], [3], [2, 3], [4, 2, 3], [0, 3], [-1]):
        for low, high in (("f32[]", "f32[]"), ("i32[3]", "f32[2,1]"), ("f32[2,3]", "f32[]"), ("c64[3]", "f32[]")):
            for dtype in ("float32", "float16", "float64", "int32", "complex64"):
                yield case("random.uniform", [low, high], shape=shape, dtype=dtype)
                yield case("random.truncated_normal", [low, high], shape=shape, dtype=dtype)
                yield case("random.normal", [low, high], ["loc", "scale"], shape=shape, dtype=dtype)
            for dtype in ("int32", "uint8", "bool_", "float32"):
                yield case("random.randint", [low, high], shape=shape, dtype=dtype)
        for p in ("f32[]", "f16[3]", "f32[2,3]", "i32[]", "b[3]"):
            yield case("random.bernoulli", [p], shape=shape)
        for dtype in ("float32", "float64", "int32", "complex64"):
            yield case("random.gumbel", [], shape=shape, dtype=dtype)
            yield case("random.laplace", [], shape=shape, dtype=dtype)
            yield case("random.normal", [], shape=shape, dtype=dtype)
        for logits in ("f32[10]", "f32[2,10]", "f32[4,3,10]", "f32[]", "i32[3,10]", "f32[2,0]"):
            for axis in (-1, 0, 1, 3):
                yield case("random.categorical", [logits], axis=axis, shape=shape)
    for logits in ("f32[10]", "f32[2,10]", "f32[]", "f32[0]", "f32[2,0]"):
        for axis in (-1, 0, 1):
            yield case("random.categorical", [logits], axis=axis)
            for n in (0, 5, -1):
                yield case("random.categorical", [logits], axis=axis, num_samples=n)
    for low, high in (("f32[]", "f32[]"), ("i32[3]", "f32[2,1]"), ("f32[2,3]", "f32[4]")):
        yield case("random.truncated_normal", [low, high])
    for key in ("u32[2]", "f32[2]", "u32[3]", "u32[2,2]", "u32[]"):
        yield case("random.uniform", ["f32[]", "f32[]", key], ["key"], shape=[2])
        yield case("random.normal", [key], ["key"], shape=[2])
        yield case("random.permutation", ["f32[4]", key], ["key"])
        for num in (2, 0, -1):
            yield case("random.split", [key], num=num)
    for x in ("f32[4]", "f32[2,3]", "f32[]"):
        for axis in (0, 1, -1, 2):
            yield case("random.permutation", [x], axis=axis)
    for mean in ("f32[3]", "f32[5,3]", "f32[4]", "f32[]", "f32[2,1,3]"):
        for cov in ("f32[3,3]", "f32[5,3,3]", "f32[3,4]", "f32[3]"):
            for shape in ([], [5], [4]):
                yield case("random.multivariate_normal", [mean, cov], shape=shape)


# ---- files ------------------------------------------------------------------------------------------------------------
def file_cases():
    arrays = {
        "f32": mx.array([[1.5, -2.25, 3e30], [0.0, -0.0, float("inf")]]), "f16": mx.array([1.5, -65504, 6e-8], dtype=mx.float16),
        "bf16": mx.array([[1.5], [-3e38], [1e-40]], dtype=mx.bfloat16), "scalar": mx.array(7), "empty": mx.zeros((0, 3)),
        "bool": mx.array([True, False, True]), "c64": mx.array([1 + 2j, -3.5j]),
        **{n: mx.array([0, 1, 100], dtype=getattr(mx, n)) for n in ("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64")},
    }
    content = lambda path: base64.b64encode(open(path, "rb").read()).decode()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x")
        for label, a in arrays.items():
            mx.save(path + ".npy", a)
            yield {"form": "npy", "name": label, "file": content(path + ".npy"), "arrays": {label: array(a)}}
        fortran = np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3))
        np.save(path + ".npy", fortran)
        yield {"form": "npy", "name": "column major", "file": content(path + ".npy"), "arrays": {"column major": array(mx.array(fortran))}}
        big = np.arange(4, dtype=">i4")
        np.save(path + ".npy", big)
        yield {"form": "npy", "name": "big endian", "file": content(path + ".npy"), "arrays": {"big endian": array(mx.array(big.astype(np.int32)))}}
        mx.savez(path + ".npz", **arrays)
        yield {"form": "npz", "name": "npz", "file": content(path + ".npz"), "arrays": {k: array(v) for k, v in arrays.items()}}
        mx.savez_compressed(path + ".npz", **arrays)
        yield {"form": "npz", "name": "compressed npz", "file": content(path + ".npz"), "arrays": {k: array(v) for k, v in arrays.items()}}
        mx.save_safetensors(path + ".safetensors", arrays, {"format": "mlx"})
        yield {"form": "safetensors", "name": "safetensors", "file": content(path + ".safetensors"), "arrays": {k: array(v) for k, v in arrays.items()}}


if __name__ == "__main__":
    sections = {
        "random": random_cases, "layers": layer_cases, "quantize": quantize_cases, "products": product_cases,
        "quantized_products": quantized_product_cases, "casts": cast_cases, "functions": function_cases, "rules": rule_cases, "files": file_cases,
    }
    for section in sys.argv[1:] or sections:
        write(section, list(sections[section]()))
