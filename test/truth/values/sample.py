"""Records the values of a sample of the recorded cases: a few of every family and every combination of dtypes.

    pip install "mlx[cpu]==0.32.4" numpy
    python sample.py            # reads ../records/*_truth.jsonl.gz, writes sample.jsonl.gz beside this file

A line is {"family", "expr", "env", "out": [{"dtype", "shape", "data"}, ...]} with `env` as in the records and `data` the
bytes in base64 (bfloat16 by its bits, bool by bytes); `init` makes the module `m` that `expr` may name. The generator is
seeded with 0 before each. The first line names the version.
"""
import base64
import functools
import gzip
import json
import math
import os
import re
import sys

import mlx.core as mx
import mlx.nn as nn
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from record import arrays_in, make, read, run, write  # noqa: E402

mx.set_default_device(mx.cpu)
EACH = 3  # cases of a family and its dtypes
ELEMENTS = 200  # of all results of a case together
INPUTS = 4096  # of all arrays of a case together

# What holds no values of its own: memory as it was found (an index beyond the axis), other generators and processes, the
# order among equals that a partition leaves, gradients and mapped functions, which are traced for their types alone.
VALUELESS = re.compile(r"empty|np\.random|distributed|a\[7\]|partition\(|grad\(|vmap\(|vjp\(|jvp\(|checkpoint\(")
# Over other than the last axis MLX subtracts in the dtype of the ints, which wraps around.
WRAPS = re.compile(r"logsumexp\(")
# An index beyond an axis of length 1; a kernel larger than what it is slid over.
STRAY = re.compile(r"(cross_entropy|nll_loss)\(")
TOO_LARGE = re.compile(r"Conv2d\(3, 8, 3\).*Conv2d\(8, 16, 3, stride=2\)")


def name(dtype):
    return str(dtype).split(".")[-1]


def encode(a):
    bits = a.view(mx.uint16) if a.dtype == mx.bfloat16 else a
    data = np.ascontiguousarray(np.array(bits)).tobytes()
    return {"dtype": name(a.dtype), "shape": list(a.shape), "data": base64.b64encode(data).decode()}


def shapes(out):
    """The shapes of a recorded result made of arrays alone, or None."""
    if isinstance(out, dict) and set(out) == {"shape", "dtype"}:
        return [out["shape"]]
    if isinstance(out, dict) and len(out) == 1 and ("tuple" in out or "list" in out):
        inner = [shapes(item) for item in next(iter(out.values()))]
        return None if None in inner or not inner else [s for part in inner for s in part]
    return None


def is_wanted(case):
    found = None if case.get("error") or case.get("eval_error") or case.get("crash") else shapes(case["out"])
    if not found or VALUELESS.search(case["expr"]):
        return False
    dtypes = [a["dtype"] for a in case["env"].values()]
    if WRAPS.search(case["expr"]) and not all("float" in d or d == "complex64" for d in dtypes):
        return False
    if STRAY.search(case["expr"]) and any(a["shape"][-1:] == [1] for a in case["env"].values()):
        return False
    if TOO_LARGE.search(case["expr"]) and case["env"]["a"]["shape"][1] < 5:
        return False
    elements = sum(math.prod(s) for s in found)
    return 0 < elements <= ELEMENTS and sum(math.prod(a["shape"]) for a in case["env"].values()) <= INPUTS


# Vectors are known up to their sign, and the basis of a repeated value is anyone's: what they are made for is recorded.
REBUILT = {
    "mx.linalg.svd": "(lambda u, s, v: [s, (u[..., :, :s.shape[-1]] * s[..., None, :]) @ v[..., :s.shape[-1], :]])(*{})",
    "mx.linalg.eigh": "(lambda w, v: [w, (v * w[..., None, :]) @ mx.conj(v).swapaxes(-1, -2)])(*{})",
    "mx.linalg.eig": "(lambda w, v: [mx.sort(w.real), mx.round(mx.abs(a.astype(mx.complex64) @ v - v * w[..., None, :]), 3)])(*{})",
    "mx.linalg.eigvals": "mx.sort({}.real)",
}


def rebuilt(case):
    """The expression whose values are recorded."""
    template = REBUILT.get(case["op"])
    is_several = case["op"] == "mx.linalg.eigvals" or "tuple" in case["out"]
    return template.format(case["expr"]) if template and is_several else case["expr"]


def values(case):
    mx.random.seed(0)
    scope = {"mx": mx, "nn": nn, "np": np, "math": math, "functools": functools}
    scope.update({k: make(mx, spec) for k, spec in case["env"].items()})
    if case.get("init"):
        scope["m"] = eval(case["init"], scope)
        mx.random.seed(0)
    arrays = list(arrays_in(mx, run(case["expr"], scope)))
    mx.eval(arrays)
    return arrays


def main():
    taken = {}
    kept = []
    for file in ("op_truth.jsonl.gz", "layer_truth.jsonl.gz"):
        for case in read(os.path.join(HERE, "..", "records", file))[1]:
            dtypes = " ".join(a["dtype"] for a in case["env"].values()) + str(re.findall(r"mx\.(\w*int\d+|b?float\d+|bool_|complex64)", case["expr"]))
            key = (case["op"], dtypes)
            if taken.get(key, 0) >= EACH or not is_wanted(case):
                continue
            taken[key] = taken.get(key, 0) + 1
            row = {"family": case["op"], "expr": rebuilt(case), "env": case["env"]}
            if case.get("init") and case["expr"] == case.get("call"):
                row["init"] = case["init"]
            kept.append({**row, "out": [encode(a) for a in values(row)]})
    write(os.path.join(HERE, "sample.jsonl.gz"), {"kind": "mlx values", "mlx": mx.__version__, "cases": len(kept)}, kept)
    print(len(kept), "cases of", len({k for k, _ in taken}), "families")


if __name__ == "__main__":
    main()
