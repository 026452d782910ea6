"""Records the logits that real MLX computes for mlx-lm models with seeded weights, to hold `mlx-scope run` to.

    pip install "mlx[cpu]==0.32.4" numpy && pip install --no-deps mlx-lm==0.32.2
    python record.py --configs CONFIGS.json ... --out logits.jsonl.gz [--models ID,ID]

A model is built right after mx.random.seed(0), and called with the tokens [2, 7] of `tokens`. A line of the record is
{"id", "module", "config", "args", "tokens", "shape", "dtype", "values", "largest"} or has "error" instead of the
last four: `values` are the logits, base64 of little-endian float32, at `SAMPLES` positions spread evenly over the
flattened array (all of them where there are no more), and `largest` is the greatest absolute logit. `args` says how the
arguments are made: by `from_dict`, which drops unknown keys, or by the class itself.
"""
import argparse
import base64
import gc
import gzip
import importlib
import importlib.metadata
import json
import os
import sys
import types

import mlx.core as mx
import numpy as np

SAMPLES = 512
SEED = 0
# Weights and intermediates of a model that would need more than this are not computed.
MOST_PARAMETERS = 600_000_000


def without_package_imports():
    """Makes mlx_lm a bare package: its own __init__ imports what models never use."""
    spec = importlib.metadata.distribution("mlx-lm")
    package = types.ModuleType("mlx_lm")
    package.__path__ = [str(spec.locate_file("mlx_lm"))]
    sys.modules["mlx_lm"] = package


def int_keys(d):
    return {int(k) if isinstance(k, str) and k.lstrip("-").isdigit() else k: v for k, v in d.items()}


def vocabulary(config):
    if isinstance(config, dict):
        if isinstance(config.get("vocab_size"), int):
            return config["vocab_size"]
        for value in config.values():
            found = vocabulary(value)
            if found:
                return found
    return None


def tokens(entry):
    limit = min(entry.get("vocab") or vocabulary(entry["config"]) or 64, 97)
    return [[(i * 31 + j * 7 + 3) % limit for j in range(7)] for i in range(2)]


def count(tree):
    if isinstance(tree, dict):
        return sum(map(count, tree.values()))
    if isinstance(tree, (list, tuple)):
        return sum(map(count, tree))
    return tree.size if isinstance(tree, mx.array) else 0


def logits(entry, ids):
    for name in entry.get("stub_modules", ()):
        sys.modules.setdefault(name, types.ModuleType(name))
    module = importlib.import_module("mlx_lm.models." + entry["module"])
    cls = getattr(module, entry.get("args_class", "ModelArgs"))
    config = json.loads(json.dumps(entry["config"]), object_hook=int_keys)
    args = cls(**config) if entry["ctor"] == "ModelArgs" else cls.from_dict(config)
    mx.random.seed(SEED)
    model = getattr(module, entry.get("model_class", "Model"))(args)
    size = count(model.parameters())
    if size > MOST_PARAMETERS:
        raise MemoryError(f"{size} parameters")
    out = model(mx.array(ids, dtype=mx.int32))
    mx.eval(out)
    return out


def line(entry):
    ids = tokens(entry)
    record = {"id": entry["id"], "module": entry["module"], "config": json.dumps(entry["config"]), "args": entry["ctor"], "tokens": ids}
    try:
        out = logits(entry, ids)
    except (Exception, SystemExit) as e:
        return record | {"error": f"{type(e).__name__}: {e}"[:300]}
    flat = np.array(out.astype(mx.float32)).reshape(-1)
    at = range(flat.size) if flat.size <= SAMPLES else [i * flat.size // SAMPLES for i in range(SAMPLES)]
    finite = np.abs(flat[np.isfinite(flat)])
    return record | {
        "shape": list(out.shape),
        "dtype": str(out.dtype).split(".")[-1],
        "values": base64.b64encode(flat[list(at)].astype("<f4").tobytes()).decode(),
        "largest": float(finite.max()) if finite.size else 0.0,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--configs", nargs="+", required=True)
    parser.add_argument("--models", help="ids, comma separated; all without it")
    parser.add_argument("--out", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "logits.jsonl.gz"))
    options = parser.parse_args()
    mx.set_default_device(mx.cpu)
    without_package_imports()
    entries = [entry for path in options.configs for entry in json.load(open(path))]
    if options.models:
        wanted = set(options.models.split(","))
        entries = [entry for entry in entries if entry["id"] in wanted]
    versions = {name: importlib.metadata.version(name) for name in ("mlx", "mlx-lm")}
    with gzip.GzipFile(options.out, "wb", mtime=0) as file:
        file.write((json.dumps({"kind": "logits", "versions": versions, "seed": SEED, "samples": SAMPLES}) + "\n").encode())
        for entry in entries:
            result = line(entry)
            print(result["id"], result.get("error") or result["shape"], flush=True)
            file.write((json.dumps(result) + "\n").encode())
            gc.collect()
            mx.clear_cache()


if __name__ == "__main__":
    main()
