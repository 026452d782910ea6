"""MLX's CPU build on one thread: `python mlx_cpu.py SIZES`. Prints a line of JSON: GF/s of products, milliseconds of the rest."""
import json
import sys
import time

import mlx.core as mx

mx.set_default_device(mx.cpu)


def best(act, runs):
    least = float("inf")
    for _ in range(runs):
        begun = time.perf_counter()
        mx.eval(act())
        least = min(least, time.perf_counter() - begun)
    return least


figures = {}
for m, k, n in json.loads(sys.argv[1]):
    x, w = mx.random.normal((m, k)), mx.random.normal((n, k))
    mx.eval(x, w)
    figures[f"{m}×{k}×{n}"] = 2e-9 * m * k * n / best(lambda: x @ w.T, 10 if m == 1 else 3)
w = mx.random.normal((4096, 4096))
q = mx.quantize(w, 64, 4)
x = mx.random.normal((1, 4096))
mx.eval(q, x)
matvec = lambda: mx.quantized_matmul(x, *q, transpose=True, group_size=64, bits=4)
figures["matvec 4096², 4 bits"] = 1e3 * best(matvec, 12)
w = mx.random.normal((2048, 2048))
mx.eval(w)
for mode, group_size, bits in (("affine", 64, 4), ("mxfp4", 32, 4), ("mxfp8", 32, 8), ("nvfp4", 16, 4)):
    figures[f"quantize 2048², {mode}"] = 1e3 * best(lambda: mx.quantize(w, group_size, bits, mode=mode), 4)
print(json.dumps(figures))
