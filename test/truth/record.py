"""Asks an installed MLX again for what a file of recorded cases says, so that a new version is a difference of facts.

    pip install "mlx[cpu]" numpy
    python record.py records/op_truth.jsonl.gz --diff            # prints what this MLX answers otherwise
    python record.py records/op_truth.jsonl.gz --out new.jsonl.gz
    python record.py my_cases.jsonl --out my_cases.jsonl         # {"op", "expr", "env"} a line is enough

A case is a line of JSON: `expr` is Python (an expression, or statements whose first name is the result) over `mx`, `nn`,
`optim`, `utils` (mlx's), `np`, `math`, `functools` and the arrays of `env`. An array is {"shape", "dtype"}, with `values` or `fill` where its
contents matter. A case with `init` is about the module that it makes: its parameters and `repr` are recorded too, and
with `call` so is the result of `expr`, which may name the module `m`. The first line may be metadata (no `expr`).

Cases run in a child process, since some of them kill it.
"""
import argparse
import functools
import gzip
import json
import math
import multiprocessing
import re
import sys

import numpy as np

ADDRESS = re.compile(r"0x[0-9a-f]{6,}")
SECONDS = 30
ITEMS = 64  # of a list that are kept
CHARACTERS = 2000  # of a repr
FACTS = ("out", "error", "eval_error", "crash", "params", "trainable", "repr", "stage")


# ---- arrays -----------------------------------------------------------------------------------------------------------
def make(mx, spec):
    """The array that a case describes. Without `values`: 0.125, 0.25, … 0.875, and 0, 1, 0, 1 for ints and bools."""
    shape, name = spec["shape"], spec["dtype"]
    dtype = mx.bool_ if name == "bool" else getattr(mx, name)
    if "values" in spec:
        x = mx.array(spec["values"], dtype)
        return x if list(x.shape) == shape else x.reshape(shape)
    fill = spec.get("fill")
    if fill == "eye":
        return mx.broadcast_to(mx.eye(*shape[-2:]) * 2 + 0.1, shape).astype(dtype)
    steps = mx.arange(math.prod(shape))
    if name == "bool" or "int" in name:
        x = (steps % 2 + (1 if fill == "pos" and name != "bool" else 0)).astype(dtype)
    else:
        x = (steps % 7 * 0.125 + 0.125).astype(dtype)
    return x.reshape(shape)


def arrays_in(mx, value):
    if isinstance(value, mx.array):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from arrays_in(mx, item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from arrays_in(mx, item)


# ---- results ----------------------------------------------------------------------------------------------------------
def encode(mx, v):
    if isinstance(v, mx.array):
        return {"shape": list(v.shape), "dtype": str(v.dtype).split(".")[-1]}
    if isinstance(v, mx.Dtype):
        return {"dtype": str(v).split(".")[-1]}
    if isinstance(v, np.generic):
        item = v.item()
        return {"numpy": type(v).__name__, "value": str(v) if isinstance(item, (complex, float)) else item}
    if isinstance(v, np.ndarray):
        return {"numpy": "ndarray", "shape": list(v.shape), "dtype": v.dtype.name}
    if v is None or isinstance(v, (bool, int, str)):
        return v
    if isinstance(v, float):
        return {"float": "nan" if math.isnan(v) else str(v) if math.isinf(v) else v}
    if isinstance(v, complex):
        return {"complex": [v.real, v.imag]}
    if isinstance(v, tuple):
        return {"tuple": [encode(mx, x) for x in v]}
    if isinstance(v, list):
        return {"list": [encode(mx, x) for x in v[:ITEMS]]}
    if isinstance(v, dict):
        return {"dict": {str(k): encode(mx, x) for k, x in v.items()}}
    return {"object": type(v).__name__}


def describe(error):
    """The error's text; the overloads that argument errors list are cut."""
    text = str(error)
    cut = text.find("The following argument types are supported")
    if cut > 0:
        invoked = text.find("Invoked with types:")
        text = text[:cut].rstrip() + (" " + text[invoked:] if invoked > 0 else "")
    return f"{type(error).__name__}: {ADDRESS.sub('0x...', text)}"[:600]


def run(code, scope):
    """The value of an expression, or of the name that statements begin with."""
    try:
        compiled = compile(code, "<case>", "eval")
    except SyntaxError:
        exec(code, scope)
        return scope[re.split(r"[\[ ]", code, maxsplit=1)[0]]
    return eval(compiled, scope)


def evaluated(mx, result, value):
    try:
        mx.eval(list(arrays_in(mx, value)))
    except Exception as e:
        result["eval_error"] = describe(e)
    return result


def module_facts(mx, case, scope):
    from mlx.utils import tree_flatten

    facts = {"params": None, "trainable": None, "repr": None, "out": None, "error": None, "stage": None}
    try:
        m = scope["m"] = eval(case["init"], scope)
    except Exception as e:
        return {**facts, "error": describe(e), "stage": "init"}
    facts["params"] = {k: encode(mx, v) for k, v in tree_flatten(m.parameters())}
    facts["trainable"] = [k for k, _ in tree_flatten(m.trainable_parameters())]
    facts["repr"] = ADDRESS.sub("0x...", repr(m))[:CHARACTERS]
    if not case.get("call"):
        return facts
    try:
        out = eval(case["expr"], scope)
    except Exception as e:
        return {**facts, "error": describe(e), "stage": "call"}
    return evaluated(mx, {**facts, "out": encode(mx, out)}, out)


def record(mx, nn, case):
    """The facts of one case."""
    import mlx.optimizers as optim
    import mlx.utils as utils

    scope = {"mx": mx, "nn": nn, "optim": optim, "utils": utils, "np": np, "math": math, "functools": functools}
    try:
        scope.update({name: make(mx, spec) for name, spec in case["env"].items()})
    except Exception as e:
        return {"out": None, "error": "(setup) " + describe(e)}
    if case.get("init"):
        return module_facts(mx, case, scope)
    try:
        out = run(case["expr"], scope)
    except Exception as e:
        return {"out": None, "error": describe(e)}
    return evaluated(mx, {"out": encode(mx, out), "error": None}, out)


# ---- processes --------------------------------------------------------------------------------------------------------
def child(cases, start, pipe):
    import mlx.core as mx
    import mlx.nn as nn

    mx.set_default_device(mx.cpu)
    for i in range(start, len(cases)):
        mx.random.seed(0)
        pipe.send((i, record(mx, nn, cases[i])))
    pipe.send((len(cases), None))


def record_all(cases):
    """The facts of every case, in order. The child is started again after a case that kills it."""
    context = multiprocessing.get_context("spawn")
    facts = []
    while len(facts) < len(cases):
        ours, theirs = context.Pipe(False)
        process = context.Process(target=child, args=(cases, len(facts), theirs))
        process.start()
        theirs.close()
        why = None
        try:
            while len(facts) < len(cases):
                if not ours.poll(SECONDS):
                    process.kill()
                    why = "hang"
                    break
                i, found = ours.recv()
                if i == len(facts) and found is not None:
                    facts.append(found)
        except EOFError:
            why = "crash"
        process.join()
        if why:
            died = why if why == "hang" else f"crash (signal {-process.exitcode})"
            facts.append({"out": None, "error": None, "crash": died})
    return facts


# ---- files ------------------------------------------------------------------------------------------------------------
def read(path):
    with (gzip.open(path, "rt") if path.endswith(".gz") else open(path)) as lines:
        rows = [json.loads(line) for line in lines if line.strip()]
    head = rows.pop(0) if rows and "expr" not in rows[0] else {"kind": "mlx truth"}
    return head, rows


def write(path, head, cases):
    text = "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in [head, *cases])
    with open(path, "wb") as out:
        out.write(gzip.compress(text.encode(), 9, mtime=0) if path.endswith(".gz") else text.encode())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases")
    parser.add_argument("--out", help="where the cases go with what this MLX answers")
    parser.add_argument("--diff", action="store_true", help="print the cases that this MLX answers otherwise; status 1 if any")
    options = parser.parse_args()
    if not options.out and not options.diff:
        parser.error("--out or --diff is needed")

    import mlx.core as mx

    head, cases = read(options.cases)
    for case in cases:
        case.setdefault("env", {})
    changed = 0
    recorded = []
    for n, (case, facts) in enumerate(zip(cases, record_all(cases))):
        old = {k: case.get(k) for k in FACTS if case.get(k) is not None}
        new = {k: v for k, v in facts.items() if v is not None}
        if old != new:
            changed += 1
            if options.diff:
                print(f"#{case.get('id', n)} {case['expr']}\n  - {json.dumps(old)}\n  + {json.dumps(new)}")
        kept = {k: v for k, v in case.items() if k not in FACTS}
        recorded.append({"id": n, **kept, **facts})
    print(f"{len(cases)} cases, {changed} answered otherwise by mlx {mx.__version__}", file=sys.stderr)
    if options.out:
        head = {**head, "versions": {**head.get("versions", {}), "mlx": mx.__version__}, "device": "cpu", "cases": len(cases)}
        write(options.out, head, recorded)
    return 1 if options.diff and changed else 0


if __name__ == "__main__":
    sys.exit(main())
