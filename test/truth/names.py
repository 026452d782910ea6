"""Records the public names of an installed MLX: its modules, its classes' members, the parameters of Python's own functions.

    pip install "mlx[cpu]"
    python names.py && npx biome format --write records/names.json
"""
import importlib
import inspect
import json
import os

import mlx.core as mx
import mlx.nn as nn

MODULES = [
    *["mlx.core" + part for part in ("", ".fast", ".random", ".linalg", ".fft", ".distributed", ".metal", ".cuda")],
    "mlx.nn", "mlx.nn.losses", "mlx.nn.init", "mlx.nn.utils", "mlx.optimizers", "mlx.utils",
]
# Python's own, which the modules import
FOREIGN = ("typing", "math", "functools", "_functools", "collections", "itertools", "textwrap", "__future__")


def module(path):
    """An object by its dotted name: some parts of `mlx.core` are no importable modules."""
    if path.startswith("mlx.core."):
        return getattr(mx, path.split(".")[-1])
    return importlib.import_module(path)


def is_own(value):
    if inspect.ismodule(value):
        return value.__name__.startswith("mlx") and value is not mx
    return not any((getattr(value, "__module__", None) or "").startswith(name) for name in FOREIGN)


def public(path):
    owner = module(path)
    everything = path.startswith("mlx.core")  # written in C++, which imports nothing
    return [name for name in sorted(dir(owner)) if not name.startswith("_") and (everything or is_own(getattr(owner, name)))]


def members(cls):
    return [name for name in sorted(dir(cls)) if name not in dir(object) or name in ("__repr__", "__eq__", "__init__")]


def parameters(path):
    """Name → its parameters as Python shows them, for what is written in Python."""
    found = {}
    owner = module(path)
    for name in public(path):
        value = getattr(owner, name)
        if not (inspect.isfunction(value) or inspect.isclass(value)):
            continue
        if (getattr(value, "__module__", "") or "").startswith("mlx.core"):
            continue
        try:
            signature = inspect.signature(value)
        except (TypeError, ValueError):
            continue
        found[name] = [f"{p.kind.name.lower()} {p.name}{'' if p.default is p.empty else '='}" for p in signature.parameters.values()]
    return found


def main():
    python = ("mlx.nn", "mlx.nn.losses", "mlx.nn.init", "mlx.nn.utils", "mlx.optimizers", "mlx.utils")
    names = {
        "version": mx.__version__,
        "modules": {path: public(path) for path in MODULES},
        "array": members(mx.array),
        "Module": [name for name in dir(nn.Module) if name in vars(nn.Module) and name not in ("__dict__", "__doc__", "__module__", "__weakref__")],
        "parameters": {path: parameters(path) for path in python},
    }
    file = os.path.join(os.path.dirname(os.path.abspath(__file__)), "records", "names.json")
    with open(file, "w") as out:
        out.write(json.dumps(names, indent=1) + "\n")
    print({path: len(found) for path, found in names["modules"].items()})


if __name__ == "__main__":
    main()
