#!/usr/bin/env python3
"""Records what MLX makes of checkpoints that fit models of mlx-lm, and of the same checkpoints broken.

    python test/checkpoints/record.py --sources FOLDER_WITH_MLX_LM --out test/checkpoints/cases.json.gz
    needs mlx==0.32.4 and the sources of mlx-lm==0.32.2

For every configuration: the arrays of a checkpoint that loads (names, dtypes, shapes), and for every way of breaking it
what changes and which parameters MLX then finds missing, unexpected or of another shape, after the model's own `sanitize`
and the quantization that mlx-lm's loader does. No array is ever evaluated. Files that are cut off, damaged or missing
concern no model and are made by the test itself.
"""
import argparse
import gzip
import importlib
import importlib.abc
import importlib.machinery
import json
import re
import sys
import types

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten

CONFIGS = "test/checkpoints/configs.json"


class Absent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Stands in for packages that models import and do not need for loading."""

    NAMES = {"transformers", "huggingface_hub", "regex", "sentencepiece", "einops"}

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.NAMES:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        module = types.ModuleType(spec.name)
        module.__getattr__ = lambda attr: type(attr, (), {})
        return module

    def exec_module(self, module):
        pass


def import_models(sources):
    sys.meta_path.append(Absent())
    package = types.ModuleType("mlx_lm")
    package.__path__ = [f"{sources}/mlx_lm"]
    sys.modules["mlx_lm"] = package


def make(entry, config):
    module = importlib.import_module(f"mlx_lm.models.{entry['module']}")
    return module.Model(module.ModelArgs.from_dict(config))


def load(entry, config, weights):
    """What mlx-lm's `load_model` does between reading the files and `load_weights`; then what a strict one would refuse."""
    model = make(entry, config)
    weights = dict(weights)
    if hasattr(model, "sanitize"):
        weights = model.sanitize(weights)
    quantization = config.get("quantization")
    if quantization:

        def predicate(path, module):
            if path in quantization:
                return quantization[path]
            if not hasattr(module, "to_quantized") or f"{path}.scales" not in weights:
                return False
            columns = module.weight.shape[-1]
            scales = weights[f"{path}.scales"]
            return {
                "group_size": columns // scales.shape[-1],
                "bits": weights[f"{path}.weight"].shape[-1] * 32 // columns,
                "mode": "affine",
            }

        nn.quantize(model, quantization["group_size"], quantization["bits"], class_predicate=predicate)
    own = dict(tree_flatten(model.parameters()))
    verdict = {
        "missing": sorted(own.keys() - weights.keys()),
        "unexpected": sorted(weights.keys() - own.keys()),
        "shape": sorted(name for name in own.keys() & weights.keys() if own[name].shape != weights[name].shape),
    }
    try:
        model.load_weights(list(weights.items()))
        refused = False
    except ValueError:
        refused = True
    assert refused == any(verdict.values()), (entry["id"], verdict)
    return verdict


def unstacked(weights, pattern):
    """Experts one by one, as models of other frameworks have them."""
    match = re.compile(pattern[0])
    result = {}
    for name, value in weights.items():
        found = match.fullmatch(name)
        if not found:
            result[name] = value
            continue
        for expert in range(value.shape[0]):
            result[found.expand(pattern[1]).replace("EXPERT", str(expert))] = value[expert]
    return result


def quantized(entry, config):
    """Every layer that can be packed is, with 4 bits in groups of 64 where its width allows them."""
    model = make(entry, config)
    fits = lambda path, m: hasattr(m, "to_quantized") and m.weight.shape[-1] % 64 == 0
    nn.quantize(model, 64, 4, class_predicate=fits)
    return dict(tree_flatten(model.parameters()))


def breaks(entry, config, weights):
    """(how, config, changed weights) for each way that this model can be broken in."""
    names = [n for n in weights if n.endswith(".weight") and weights[n].ndim == 2]
    middle = names[len(names) // 2]
    without = lambda name: {k: v for k, v in weights.items() if k != name}
    head, last = middle.rsplit(".", 2)[0], middle.split(".")[-2]
    yield "renamed", config, {**without(middle), f"{head}.{last}_renamed.weight": weights[middle]}
    yield "missing", config, without(middle)
    yield "extra", config, {**weights, "model.extra.weight": mx.zeros((8, 8))}
    convs = [n for n in weights if re.search(r"conv[^.]*\.weight$", n) and weights[n].ndim == 3]
    if convs:
        yield "conv layout", config, {**weights, convs[0]: weights[convs[0]].transpose(0, 2, 1)}
    else:
        uneven = next(n for n in names if weights[n].shape[0] != weights[n].shape[1])
        yield "transposed", config, {**weights, uneven: weights[uneven].T}
    heads = [n for n in names if re.search(r"(k_proj|kv_proj|q_proj|query_key_value|qkv_proj|c_attn|Wqkv|wqkv|kv_b_proj)\.weight$", n)]
    if heads:
        halved = weights[heads[0]][: weights[heads[0]].shape[0] // 2]
        yield "heads", config, {**weights, heads[0]: halved}
    packed = quantized(entry, config)
    layers = [n[: -len(".scales")] for n in packed if n.endswith(".scales") and packed[n].ndim == 2]
    if layers:
        scheme = {"group_size": 64, "bits": 4}
        yield "quantized", {**config, "quantization": scheme}, packed
        yield "quantized into floats", config, packed
        layer = layers[len(layers) // 2]
        columns = packed[f"{layer}.scales"].shape[-1] * 64
        rows = packed[f"{layer}.weight"].shape[0]
        eight = {
            f"{layer}.weight": mx.zeros((rows, columns // 4), mx.uint32),
            f"{layer}.scales": mx.zeros((rows, columns // 32)),
            f"{layer}.biases": mx.zeros((rows, columns // 32)),
        }
        named = {**scheme, layer: dict(scheme)}
        yield "other bits", {**config, "quantization": named}, {**packed, **eight}
    head_name = "model.lm_head.weight" if "model.lm_head.weight" in weights else "lm_head.weight"
    embeddings = [n for n in weights if n.endswith("embed_tokens.weight")]
    if embeddings:
        tied = {**config, "tie_word_embeddings": True}
        yield "tied head", tied, {**weights, head_name: weights[embeddings[0]]}


def encode(weights):
    return {name: [str(v.dtype).removeprefix("mlx.core."), list(v.shape)] for name, v in weights.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sources", required=True)
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    import_models(options.sources)
    mx.set_default_device(mx.cpu)
    rows = []
    for entry in json.load(open(CONFIGS)):
        config = entry["config"]
        weights = dict(tree_flatten(make(entry, config).parameters()))
        if "experts" in entry:
            for pattern in entry["experts"]:
                weights = unstacked(weights, pattern)
        intact = load(entry, config, weights)
        assert not any(intact.values()), (entry["id"], intact)
        cases = []
        for how, changed_config, changed in breaks(entry, config, weights):
            before, after = encode(weights), encode(changed)
            cases.append(
                {
                    "how": how,
                    "config": {k: v for k, v in changed_config.items() if config.get(k) != v},
                    "removed": sorted(before.keys() - after.keys()),
                    "added": {k: v for k, v in after.items() if before.get(k) != v},
                    "verdict": load(entry, changed_config, changed),
                }
            )
        rows.append({"id": entry["id"], "arrays": encode(weights), "cases": cases})
        print(entry["id"], len(weights), [(c["how"], {k: len(v) for k, v in c["verdict"].items() if v}) for c in cases])
    with open(options.out, "wb") as file:
        # No time of writing, so that equal records are equal files.
        file.write(gzip.compress(json.dumps(rows, separators=(",", ":")).encode(), mtime=0))


if __name__ == "__main__":
    main()
