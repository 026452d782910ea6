from dataclasses import dataclass

import mlx.core as mx
import mlx.nn as nn


@dataclass
class ModelArgs:
    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int


class MLP(nn.Module):
    def __init__(self, args: ModelArgs):
        super().__init__()
        self.gate_proj = nn.Linear(args.hidden_size, args.intermediate_size, bias=False)
        self.up_proj = nn.Linear(args.hidden_size, args.intermediate_size, bias=False)
        self.down_proj = nn.Linear(args.intermediate_size, args.hidden_size, bias=False)

    def __call__(self, x):
        return self.down_proj(nn.silu(self.gate_proj(x)) * self.up_proj(x))


class Block(nn.Module):
    def __init__(self, args: ModelArgs):
        super().__init__()
        self.mlp = MLP(args)
        self.conv = nn.Conv1d(args.hidden_size, args.hidden_size, 3, padding=1)
        self.norm = nn.RMSNorm(args.hidden_size)

    def __call__(self, x):
        h = self.norm(x)
        return x + self.mlp(h) + self.conv(h)


class Model(nn.Module):
    def __init__(self, args: ModelArgs):
        super().__init__()
        self.embed_tokens = nn.Embedding(args.vocab_size, args.hidden_size)
        self.layers = [Block(args) for _ in range(args.num_hidden_layers)]
        self.lm_head = nn.Linear(args.hidden_size, args.vocab_size, bias=False)

    def __call__(self, inputs):
        h = self.embed_tokens(inputs)
        for layer in self.layers:
            h = layer(h)
        return self.lm_head(h)

    def sanitize(self, weights):
        fixed = {}
        for k, v in weights.items():
            if "rotary_emb" in k:
                continue
            if k.endswith("conv.weight") and v.shape[1] > v.shape[2]:
                v = v.transpose(0, 2, 1)
            fixed[k.removeprefix("model.")] = v
        return fixed
