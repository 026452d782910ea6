#!/usr/bin/env python3
"""Writes a small trained-looking checkpoint in PyTorch's layout, the same quantized, and what MLX computes with both.

    python test/checkpoints/small/record.py        needs mlx==0.32.4
"""
import json
import pathlib

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from model import Model, ModelArgs

HERE = pathlib.Path(__file__).parent
CONFIG = {"vocab_size": 96, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2}
IDS = [[3, 1, 4, 1, 5, 9, 2, 6]]


SETTINGS = [("affine", bits, group) for group in (32, 64) for bits in (2, 3, 4, 5, 6, 8)] + [
    ("mxfp4", 4, 32),
    ("mxfp8", 8, 32),
    ("nvfp4", 4, 16),
]


def errors(a, b):
    """The measures of b against a, in float64; percentiles by nearest rank."""
    a, b = (np.array(v).astype(np.float64).reshape(-1) for v in (a, b))
    difference = np.sort(np.abs(a - b).astype(np.float32))
    rank = lambda p: float(difference[max(1, int(np.ceil(p * len(difference)))) - 1])
    return {
        "relativeError": float(np.linalg.norm(a - b) / np.linalg.norm(a)),
        "sqnrDb": float(10 * np.log10(np.sum(a * a) / np.sum((a - b) ** 2))),
        "cosine": float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b))),
        "p50": rank(0.5),
        "p95": rank(0.95),
        "max": rank(1.0),
    }


def compared(layer, x, mode, bits, group):
    """Errors of a layer's weight and of its output for x, and the bytes that MLX keeps."""
    parts = mx.quantize(layer.weight, group, bits, mode=mode)
    packed, scales, *biases = parts
    arguments = dict(group_size=group, bits=bits, mode=mode)
    back = mx.dequantize(packed, scales, *biases, **arguments, dtype=layer.weight.dtype)
    return {
        "bytes": sum(part.nbytes for part in parts),
        "weight": errors(layer.weight, back),
        "output": errors(layer(x), x @ back.T),
    }


def numbers(x):
    return [float(v) for v in np.array(x.astype(mx.float32)).reshape(-1)]


def loaded(weights, quantization=None):
    model = Model(ModelArgs(**CONFIG))
    weights = model.sanitize(weights)
    if quantization:
        predicate = lambda path, m: quantization.get(path, hasattr(m, "to_quantized") and f"{path}.scales" in weights)
        nn.quantize(model, quantization["group_size"], quantization["bits"], class_predicate=predicate)
    model.load_weights(list(weights.items()))
    return model


def main():
    mx.set_default_device(mx.cpu)
    rng = np.random.default_rng(5)
    model = Model(ModelArgs(**CONFIG))
    weights = {}
    from mlx.utils import tree_flatten

    for name, p in tree_flatten(model.parameters()):
        # A few large columns, as trained weights have.
        value = rng.standard_normal(p.shape) * 0.08
        if p.ndim == 2:
            value[:, 7] *= 6
        value = mx.array(value.astype(np.float32))
        if name.endswith("conv.weight"):
            value = value.transpose(0, 2, 1)
        weights[f"model.{name}" if not name.startswith("lm_head") else name] = value
    weights["model.layers.0.rotary_emb.inv_freq"] = mx.ones((4,))
    (HERE / "float").mkdir(exist_ok=True)
    mx.save_safetensors(str(HERE / "float/model.safetensors"), weights, {"format": "pt"})
    (HERE / "float/config.json").write_text(json.dumps(CONFIG))

    quantization = {"group_size": 64, "bits": 4, "lm_head": {"group_size": 32, "bits": 8}}
    packed = Model(ModelArgs(**CONFIG))
    packed.load_weights(list(packed.sanitize(weights).items()))
    choice = lambda path, m: quantization.get(path, hasattr(m, "to_quantized"))
    nn.quantize(packed, 64, 4, class_predicate=choice)
    own = dict(tree_flatten(packed.parameters()))
    (HERE / "quantized").mkdir(exist_ok=True)
    mx.save_safetensors(str(HERE / "quantized/model.safetensors"), own, {"format": "mlx"})
    (HERE / "quantized/config.json").write_text(json.dumps({**CONFIG, "quantization": quantization}))

    x = mx.array(np.linspace(-1, 1, 2 * 64, dtype=np.float32).reshape(2, 64))
    mx.save(str(HERE / "x.npy"), x)
    mx.save(str(HERE / "ids.npy"), mx.array(IDS, mx.int32))
    float_model, quantized_model = loaded(weights), loaded(mx.load(str(HERE / "quantized/model.safetensors")), quantization)
    layer = float_model.layers[0].mlp.up_proj
    record = {
        "quantization": [
            {"mode": mode, "bits": bits, "groupSize": group, **compared(layer, x, mode, bits, group)}
            for mode, bits, group in SETTINGS
        ],
        "float": numbers(float_model(mx.array(IDS))),
        "quantized": numbers(quantized_model(mx.array(IDS))),
        "layer": numbers(float_model.layers[0].mlp.up_proj(x)),
        "part": numbers(float_model.layers[0].mlp(x)),
    }
    (HERE / "values.json").write_text(json.dumps(record))


if __name__ == "__main__":
    main()
