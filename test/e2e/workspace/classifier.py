"""A small classifier of 28 by 28 pictures."""

import mlx.core as mx
import mlx.nn as nn


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 256)
        self.fc2 = nn.Linear(256, 10)

    def __call__(self, x):
        h = nn.relu(self.fc1(x))
        return self.fc2(h)


mx.random.seed(0)
model = Classifier()
logits = model(mx.random.normal((32, 784)))
