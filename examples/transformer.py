"""A small transformer block, correct as it stands: hover the arrays to see their shapes."""

from dataclasses import dataclass

import mlx.core as mx
import mlx.nn as nn


@dataclass
class Args:
    hidden_size: int
    num_heads: int
    vocab_size: int
    intermediate_size: int


class Attention(nn.Module):
    def __init__(self, args: Args):
        super().__init__()
        self.n_heads = args.num_heads
        self.scale = (args.hidden_size // args.num_heads) ** -0.5
        self.qkv = nn.Linear(args.hidden_size, 3 * args.hidden_size, bias=False)
        self.out = nn.Linear(args.hidden_size, args.hidden_size, bias=False)

    def __call__(self, x: mx.array) -> mx.array:
        B, L, D = x.shape
        q, k, v = mx.split(self.qkv(x), 3, axis=-1)
        q = q.reshape(B, L, self.n_heads, -1).transpose(0, 2, 1, 3)
        k = k.reshape(B, L, self.n_heads, -1).transpose(0, 2, 1, 3)
        v = v.reshape(B, L, self.n_heads, -1).transpose(0, 2, 1, 3)
        o = mx.fast.scaled_dot_product_attention(q, k, v, scale=self.scale)
        return self.out(o.transpose(0, 2, 1, 3).reshape(B, L, -1))


class Model(nn.Module):
    def __init__(self, args: Args):
        super().__init__()
        self.embed = nn.Embedding(args.vocab_size, args.hidden_size)
        self.attention = Attention(args)
        self.norm = nn.RMSNorm(args.hidden_size)
        self.up = nn.Linear(args.hidden_size, args.intermediate_size)
        self.down = nn.Linear(args.intermediate_size, args.hidden_size)

    def __call__(self, ids: mx.array) -> mx.array:
        h = self.embed(ids)
        h = h + self.attention(self.norm(h))
        h = h + self.down(nn.gelu(self.up(self.norm(h))))
        return self.embed.as_linear(h)
