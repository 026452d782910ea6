"""A small classifier with one mistake: `mlx-scope check examples` finds it."""

import mlx.core as mx
import mlx.nn as nn


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 256)
        self.fc2 = nn.Linear(128, 10)

    def __call__(self, x: mx.array) -> mx.array:
        x = nn.relu(self.fc1(x))
        return self.fc2(x)


model = MLP()
logits = model(mx.zeros((32, 784)))
print(logits.shape)
