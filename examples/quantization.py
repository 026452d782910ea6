"""Quantizing a model: the lens "Quantize & compare" above a class or layer shows what each choice costs.

    mlx-scope quantize examples/quantization.py --entry FeedForward --bits 2,3,4,6,8 --group-size 64
"""

import mlx.core as mx
import mlx.nn as nn


class FeedForward(nn.Module):
    def __init__(self, dims: int = 512, hidden_dims: int = 2048):
        super().__init__()
        self.gate = nn.Linear(dims, hidden_dims, bias=False)
        self.up = nn.Linear(dims, hidden_dims, bias=False)
        self.down = nn.Linear(hidden_dims, dims, bias=False)

    def __call__(self, x: mx.array) -> mx.array:
        return self.down(nn.silu(self.gate(x)) * self.up(x))


def more_bits_for_down(path: str, module: nn.Module) -> bool | dict:
    """The last projection of a block is the most sensitive one."""
    if not hasattr(module, "to_quantized"):
        return False
    return {"group_size": 64, "bits": 8 if path.endswith("down") else 4}


model = FeedForward()
x = mx.random.normal((4, 512))
exact = model(x)

nn.quantize(model, group_size=64, bits=4, class_predicate=more_bits_for_down)
packed = model.up.weight
error = mx.abs(model(x) - exact).max()
print(packed.shape, error)
