"""Records what CPython makes of random programs over ints, floats, strings, lists, tuples, dicts and sets.

    python record.py            # writes programs.json.gz beside this file; needs no more than Python

A case is {"code", "out": {name: value}}. Values are JSON, but for {"t": [...]} (tuple), {"s": [...]} (set, sorted),
{"d": [[key, value], ...]} and {"f": "1.5"} (float). Programs are straight lines of statements, with loops, functions and
comprehensions among them; what CPython refuses is left out.
"""
import gzip
import json
import os
import random

HERE = os.path.dirname(os.path.abspath(__file__))
SEED, CASES, LINES = 20261125, 1500, 9


class Program:
    """Grows one program; `names` holds the type of every variable."""

    def __init__(self, rng):
        self.rng = rng
        self.lines = []
        self.names = {}
        self.space = {}

    def pick(self, *choices):
        return self.rng.choice(choices)

    def known(self, kind):
        return [n for n, k in self.names.items() if k == kind]

    # ---- expressions by type; `depth` bounds their size ------------------------------------------------------------

    def int(self, depth):
        known = self.known("int")
        if depth == 0:
            return self.pick(*known, str(self.rng.randint(-9, 12)), str(self.rng.randint(0, 4)))
        a = lambda: self.int(depth - 1)
        return self.pick(
            lambda: f"({a()} {self.pick('+', '-', '*', '//', '%', '&', '|', '^')} {a()})",
            lambda: f"({a()} {self.pick('<<', '>>', '**')} {self.rng.randint(0, 3)})",
            lambda: f"{self.pick('-', '~', '+')}{a()}",
            lambda: f"len({self.any_of(('str', 'list', 'tuple', 'dict', 'set'), depth - 1)})",
            lambda: f"{self.list(depth - 1)}[{self.rng.randint(-2, 2)}]",
            lambda: f"{self.tuple(depth - 1)}[{self.rng.randint(-2, 1)}]",
            lambda: f"{self.pick('min', 'max')}({a()}, {a()})",
            lambda: f"{self.pick('min', 'max', 'sum')}({self.list(depth - 1)})",
            lambda: f"min({self.list(depth - 1)}, default={a()})",
            lambda: f"abs({a()})",
            lambda: f"({a()} if {self.bool(depth - 1)} else {a()})",
            lambda: f"int({self.pick(self.bool, self.float)(depth - 1)})",
            lambda: f"{self.pick('round', 'int')}({self.float(depth - 1)})",
            lambda: f"divmod({a()}, {a()})[{self.pick(0, 1)}]",
            lambda: f"{self.str(depth - 1)}.{self.pick('find', 'count')}({self.pick('chr(97)', repr('b'), repr('a'))})",
            lambda: f"{self.list(depth - 1)}.{self.pick('count', 'index')}({a()})",
            lambda: f"{self.dict(depth - 1)}.get({self.str(0)}, {a()})",
            lambda: f"{self.dict(depth - 1)}[{self.str(0)}]",
            lambda: f"sum({a()} for q in range({self.rng.randint(0, 4)}))",
            lambda: f"({a()} {self.pick('and', 'or')} {a()})",
            lambda: f"(lambda u, v=3: u - v)({a()})",
            lambda: f"pow({a()}, {self.rng.randint(0, 3)})",
            lambda: f"next(iter({self.list(depth - 1)}))",
            lambda: f"int(str({a()}))",
            lambda: f"ord({self.pick(repr('a'), repr('Z'))})",
        )()

    def float(self, depth):
        known = self.known("float")
        if depth == 0:
            return self.pick(*known, "0.5", "2.0", "-1.25", "3.75")
        return self.pick(
            lambda: f"({self.float(depth - 1)} {self.pick('+', '-', '*')} {self.pick(self.float, self.int)(depth - 1)})",
            lambda: f"({self.int(depth - 1)} / {self.pick('2', '4', '8')})",
            lambda: f"float({self.int(depth - 1)})",
            lambda: f"({self.float(depth - 1)} // {self.pick('2', '0.5')})",
            lambda: f"({self.float(depth - 1)} % {self.pick('2', '1.5', '-2')})",
            lambda: f"max({self.float(depth - 1)}, {self.float(depth - 1)})",
            lambda: f"(-{self.float(depth - 1)})",
        )()

    def bool(self, depth):
        known = self.known("bool")
        if depth == 0:
            return self.pick(*known, "True", "False")
        i = lambda: self.int(depth - 1)
        kind = lambda: self.pick(self.int, self.str, self.list, self.tuple, self.float)
        def same():
            k = kind()
            return f"({k(depth - 1)} {self.pick('==', '!=', '<', '<=', '>', '>=')} {k(depth - 1)})"
        return self.pick(
            same,
            lambda: f"({kind()(depth - 1)} {self.pick('==', '!=')} {kind()(depth - 1)})",
            lambda: f"(not {self.any_of(('bool', 'int', 'str', 'list', 'dict', 'float'), depth - 1)})",
            lambda: f"({self.bool(depth - 1)} {self.pick('and', 'or')} {self.bool(depth - 1)})",
            lambda: f"({i()} {self.pick('<', '<=', '!=')} {i()} {self.pick('<', '>', '==')} {i()})",
            lambda: f"({i()} {self.pick('in', 'not in')} {self.any_of(('list', 'tuple', 'set'), depth - 1)})",
            lambda: f"({self.str(0)} {self.pick('in', 'not in')} {self.any_of(('str', 'dict'), depth - 1)})",
            lambda: f"({i()} in range({i()}, {i()}))",
            lambda: f"{self.pick('any', 'all')}({self.list(depth - 1)})",
            lambda: f"bool({self.any_of(('int', 'str', 'list', 'tuple', 'set'), depth - 1)})",
            lambda: f"isinstance({self.any_of(('int', 'bool', 'str', 'list', 'float'), depth - 1)}, {self.pick('int', 'str', '(int, float)', 'list', 'bool')})",
            lambda: f"{self.str(depth - 1)}.{self.pick('startswith', 'endswith')}({self.str(0)})",
            lambda: f"{self.str(depth - 1)}.{self.pick('isdigit', 'isalpha', 'isupper')}()",
            lambda: f"({self.pick('None', self.str(0))} is {self.pick('', 'not ')}None)",
        )()

    def str(self, depth):
        known = self.known("str")
        if depth == 0:
            return self.pick(*known, "'a'", "'b'", "'ab'", "''", "'Abc'", "'x.y'", "'  c '")
        s = lambda: self.str(depth - 1)
        i = lambda: self.int(depth - 1)
        return self.pick(
            lambda: f"({s()} + {s()})",
            lambda: f"({s()} * {self.rng.randint(0, 3)})",
            lambda: f"{s()}[{self.slice()}]",
            lambda: f"{s()}.{self.pick('upper', 'lower', 'strip', 'title', 'capitalize', 'lstrip', 'rstrip', 'swapcase')}()",
            lambda: f"{s()}.replace({self.str(0)}, {self.str(0)})",
            lambda: f"{self.pick(repr('-'), repr(''), repr(', '))}.join({self.strings(depth - 1)})",
            lambda: f"str({self.any_of(('int', 'bool', 'list', 'tuple', 'float', 'str'), depth - 1)})",
            lambda: f"f'{{{i()}}}/{{{self.name('str', repr('k'))}!r}}'".replace("'k'", '"k"'),
            lambda: f"f'{{{self.name('int', '7')}:{self.pick('03d', '>5', '<4', '^7', 'd', 'x', ',', '+d', '5')}}}|'",
            lambda: f"f'{{{self.name('float', '2.5')}:{self.pick('.2f', '6.1f', '.0f', 'g', '.3e', '.1%')}}}'",
            lambda: f"'{{}}-{{}}'.format({i()}, {s()})",
            lambda: f"'%d:%s' % ({i()}, {s()})",
            lambda: f"({s()} if {self.bool(depth - 1)} else {s()})",
            lambda: f"({s()} or {s()})",
            lambda: f"repr({self.any_of(('str', 'int', 'list'), depth - 1)})",
            lambda: f"{s()}.{self.pick('ljust', 'rjust', 'center', 'zfill')}({self.rng.randint(0, 6)})",
            lambda: f"{s()}.{self.pick('removeprefix', 'removesuffix')}({self.str(0)})",
            lambda: f"{s()}.{self.pick('split', 'rsplit', 'partition')}({self.pick(repr('.'), repr('a'))})[{self.pick(0, -1)}]",
            lambda: f"chr({self.rng.randint(97, 110)})",
        )()

    def slice(self):
        part = lambda: self.pick("", str(self.rng.randint(-4, 5)))
        return self.pick(f"{part()}:{part()}", f"{part()}:{part()}:{self.pick('-1', '2', '-2', '1')}")

    def list(self, depth):
        known = self.known("list")
        if depth == 0:
            return self.pick(*known, "[]", "[1]", "[3, 1, 2]", f"[{self.int(0)}, {self.int(0)}]")
        xs = lambda: self.list(depth - 1)
        i = lambda: self.int(depth - 1)
        return self.pick(
            lambda: f"[{i()}, {i()}, {i()}]",
            lambda: f"[*{self.any_of(('list', 'tuple'), depth - 1)}, {i()}]",
            lambda: f"({xs()} + {xs()})",
            lambda: f"({xs()} * {self.rng.randint(0, 3)})",
            lambda: f"{xs()}[{self.slice()}]",
            lambda: f"list({self.any_of(('tuple', 'list'), depth - 1)})",
            lambda: f"list(range({self.rng.randint(-3, 3)}, {self.rng.randint(-2, 8)}, {self.pick('1', '2', '-1', '-2')}))",
            lambda: f"[q {self.pick('+', '*', '-', '//')} {self.rng.randint(1, 3)} for q in {xs()}]",
            lambda: f"[q for q in {xs()} if q {self.pick('>', '%', '==')} {self.rng.randint(1, 3)}]",
            lambda: f"[p * q for p in {self.list(0)} for q in {self.tuple(0)} if p != q]",
            lambda: f"sorted({self.any_of(('list', 'tuple', 'set'), depth - 1)}{self.pick('', ', reverse=True', ', key=lambda q: -q', ', key=abs')})",
            lambda: f"list(reversed({xs()}))",
            lambda: f"list(map(lambda q: q {self.pick('+ 1', '* q', '% 2')}, {xs()}))",
            lambda: f"list(filter({self.pick('None', 'lambda q: q > 1')}, {xs()}))",
            lambda: f"[p - q for p, q in zip({xs()}, {self.tuple(depth - 1)})]",
            lambda: f"[n * q for n, q in enumerate({xs()}{self.pick('', ', 1', ', start=2')})]",
            lambda: f"list({self.dict(depth - 1)}.values())",
            lambda: f"[len(q) for q in {self.strings(depth - 1)}]",
            lambda: f"({xs()} if {self.bool(depth - 1)} else {xs()})",
            lambda: f"list(divmod({i()}, {self.rng.randint(1, 4)}))",
        )()

    def strings(self, depth):
        if depth <= 0:
            return self.pick("['a', 'bc']", "[]", "('x', 'y', '')", f"[{self.str(0)}]")
        return self.pick(
            lambda: f"[str(q) for q in {self.list(depth - 1)}]",
            lambda: f"{self.str(depth - 1)}.split({self.pick('', repr('.'), repr('a'))})",
            lambda: f"sorted({self.dict(depth - 1)})",
            lambda: f"[c + 'z' for c in {self.str(depth - 1)}]",
            lambda: f"list({self.str(depth - 1)})",
            lambda: f"list({self.dict(depth - 1)})",
        )()

    def tuple(self, depth):
        known = self.known("tuple")
        if depth == 0:
            return self.pick(*known, "(1, 2)", "(0,)", "()", f"({self.int(0)}, {self.int(0)})")
        return self.pick(
            lambda: f"({self.int(depth - 1)}, {self.int(depth - 1)})",
            lambda: f"tuple({self.list(depth - 1)})",
            lambda: f"({self.tuple(depth - 1)} + {self.tuple(depth - 1)})",
            lambda: f"{self.tuple(depth - 1)}[{self.slice()}]",
            lambda: f"({self.tuple(depth - 1)} * {self.rng.randint(0, 2)})",
            lambda: f"(*{self.list(depth - 1)}, {self.int(depth - 1)})",
            lambda: f"tuple(q + 1 for q in {self.tuple(depth - 1)})",
            lambda: f"divmod({self.int(depth - 1)}, {self.rng.randint(1, 5)})",
        )()

    def dict(self, depth):
        known = self.known("dict")
        if depth == 0:
            return self.pick(*known, "{}", "{'a': 1}", "{'b': 2, 'a': 3}")
        return self.pick(
            lambda: f"{{{self.str(0)}: {self.int(depth - 1)}, {self.str(0)}: {self.int(depth - 1)}}}",
            lambda: f"{{**{self.dict(depth - 1)}, {self.str(0)}: {self.int(depth - 1)}}}",
            lambda: f"({self.dict(depth - 1)} | {self.dict(depth - 1)})",
            lambda: f"{{c: n for n, c in enumerate({self.str(depth - 1)})}}",
            lambda: f"{{k: v + 1 for k, v in {self.dict(depth - 1)}.items() if v != {self.int(0)}}}",
            lambda: f"dict(a={self.int(depth - 1)}, c={self.int(depth - 1)})",
            lambda: f"dict(zip({self.str(depth - 1)}, {self.list(depth - 1)}))",
            lambda: f"dict.fromkeys({self.str(depth - 1)}, {self.int(0)})",
        )()

    def set(self, depth):
        known = self.known("set")
        if depth == 0:
            return self.pick(*known, "{1, 2}", "set()", "{3}")
        return self.pick(
            lambda: f"set({self.any_of(('list', 'tuple'), depth - 1)})",
            lambda: f"({self.set(depth - 1)} {self.pick('|', '&', '-', '^')} {self.set(depth - 1)})",
            lambda: f"{{q % 3 for q in {self.list(depth - 1)}}}",
            lambda: f"{{{self.int(depth - 1)}, {self.int(depth - 1)}}}",
        )()

    def any_of(self, kinds, depth):
        return getattr(self, self.pick(*kinds))(depth)

    def name(self, kind, otherwise):
        return self.pick(*(self.known(kind) or [otherwise]))

    # ---- statements ------------------------------------------------------------------------------------------------

    KINDS = ("int", "int", "str", "list", "tuple", "bool", "dict", "float", "set")

    def fresh(self):
        return f"v{len(self.names)}"

    def statement(self):
        kind = self.pick(*self.KINDS)
        old = self.pick(*(self.known(kind) or [None]))
        i = self.int
        many = [
            lambda: self.assign(self.fresh(), kind, getattr(self, kind)(3)),
            lambda: self.assign(self.fresh(), kind, getattr(self, kind)(2)),
            lambda: self.assign(old or self.fresh(), kind, getattr(self, kind)(2)),
            self.unpack,
            self.loop,
            self.function,
            self.branch,
            self.caught,
            self.walrus,
        ]
        if self.known("int"):
            n = self.name("int", None)
            many.append(lambda: ([f"{n} {self.pick('+', '-', '*', '//', '%', '|')}= {i(1)}"], {}))
        if self.known("list"):
            xs = self.name("list", None)
            many += [
                lambda: ([f"{xs}.{self.pick(f'append({i(1)})', f'extend({self.tuple(1)})', f'insert({self.rng.randint(-2, 3)}, {i(1)})', 'reverse()', 'sort()', 'sort(reverse=True)', 'clear()')}"], {}),
                lambda: ([f"{xs}[{self.rng.randint(-2, 2)}] = {i(1)}"], {}),
                lambda: ([f"{xs}[{self.slice().rpartition(':')[0] or ':'}] = {self.list(1)}"], {}),
                lambda: ([f"{xs} += {self.any_of(('list', 'tuple'), 1)}"], {}),
                lambda: ([f"del {xs}[{self.pick(self.slice(), '0', '-1')}]"], {}),
                lambda: self.assign(self.fresh(), "int", f"{xs}.pop({self.pick('', '0', '-1')})"),
                lambda: self.assign(self.fresh(), "list", xs),
                lambda: self.assign(self.fresh(), "list", f"{xs}{self.pick('.copy()', '[:]')}"),
                lambda: ([f"{xs}.remove({i(1)})"], {}),
            ]
        if self.known("dict"):
            d = self.name("dict", None)
            many += [
                lambda: ([f"{d}[{self.str(1)}] = {i(1)}"], {}),
                lambda: ([f"{d}.update({self.dict(1)})"], {}),
                lambda: ([f"del {d}[{self.str(0)}]"], {}),
                lambda: self.assign(self.fresh(), "int", f"{d}.{self.pick('pop', 'setdefault')}({self.str(0)}, {i(1)})"),
                lambda: ([f"{d} |= {self.dict(1)}"], {}),
            ]
        if self.known("set"):
            s = self.name("set", None)
            many.append(lambda: ([f"{s}.{self.pick('add', 'discard')}({i(1)})"], {}))
            many.append(lambda: ([f"{s}.update({self.list(1)})"], {}))
        return self.rng.choice(many)()

    def assign(self, name, kind, value):
        return [f"{name} = {value}"], {name: kind}

    def unpack(self):
        a, b, c = (f"u{len(self.names) + n}" for n in range(3))
        form = self.pick("swap", "pair", "star", "nested")
        if form == "swap":
            return [f"{a}, {b} = {self.int(1)}, {self.int(1)}", f"{a}, {b} = {b}, {a}"], {a: "int", b: "int"}
        if form == "pair":
            return [f"{a}, {b} = {self.any_of(('tuple', 'list'), 2)}"], {a: "int", b: "int"}
        if form == "star":
            return [f"{a}, *{b}, {c} = {self.any_of(('tuple', 'list'), 2)}"], {a: "int", b: "list", c: "int"}
        return [f"{a}, ({b}, {c}) = {self.int(1)}, ({self.int(1)}, {self.str(1)})"], {a: "int", b: "int", c: "str"}

    def loop(self):
        t = self.fresh()
        start = f"{t} = {self.int(1)}"
        over = self.pick(f"range({self.rng.randint(0, 6)})", self.list(1), self.tuple(1))
        form = self.pick("sum", "break", "else", "while")
        if form == "sum":
            lines = [start, f"for q in {over}:", f"    {t} {self.pick('+', '-', '*')}= q"]
        elif form == "break":
            lines = [start, f"for q in {over}:", f"    if q {self.pick('>', '==')} {self.rng.randint(0, 3)}:", f"        {self.pick('break', 'continue')}", f"    {t} += q"]
        elif form == "else":
            lines = [start, f"for n, q in enumerate({over}):", f"    if q == {self.int(1)}:", f"        {t} = n", "        break", "else:", f"    {t} = -1"]
        else:
            lines = [start, f"while abs({t}) > {self.rng.randint(1, 3)}:", f"    {t} = {t} // 2 if {t} > 0 else -{t} - 1"]
        return lines, {t: "int"}

    def function(self):
        f, r = f"f{len(self.names)}", self.fresh()
        form = self.pick("default", "star", "closure", "recursive", "generator", "keyword")
        if form == "default":
            lines = [f"def {f}(p, q={self.int(1)}, *, r={self.int(1)}):", "    return p * 2 - q + r", f"{r} = {f}({self.int(1)}{self.pick('', ', 5', ', r=4', ', q=1, r=2')})"]
        elif form == "star":
            lines = [f"def {f}(*p, **q):", "    return len(p) * 10 + len(q) + sum(p) + sum(q.values())", f"{r} = {f}(*{self.any_of(('list', 'tuple'), 1)}, {self.int(1)}, **{self.pick('{}', repr({'a': 2}))}, z=1)"]
        elif form == "closure":
            lines = [f"def {f}(n):", "    total = n", "    def add(k=1):", "        nonlocal total", "        total += k", "        return total", "    add()", "    return add", f"{r} = {f}({self.int(1)})({self.int(0)})"]
        elif form == "recursive":
            lines = [f"def {f}(n):", f"    return {self.rng.randint(0, 3)} if n <= 0 else n + {f}(n - 2)", f"{r} = {f}({self.rng.randint(0, 9)})"]
        elif form == "generator":
            lines = [f"def {f}(n):", "    for k in range(n):", "        if k % 2:", "            yield k", f"    yield from {self.tuple(1)}", f"{r} = sum({f}({self.rng.randint(0, 6)}))"]
        else:
            lines = [f"def {f}(a, /, b, *, c=0):", "    return a - b - c", f"{r} = {f}({self.int(1)}, b={self.int(1)}, c={self.int(1)})"]
        return lines, {r: "int"}

    def branch(self):
        r, kind = self.fresh(), self.pick("int", "str", "list")
        value = getattr(self, kind)
        lines = [f"if {self.bool(2)}:", f"    {r} = {value(1)}", f"elif {self.bool(1)}:", f"    {r} = {value(1)}", "else:", f"    {r} = {value(1)}"]
        if self.pick(True, False):
            case = self.pick(f"{self.rng.randint(0, 3)} | {self.rng.randint(0, 3)}", "[_, q]", "(q, *_)", "str(q)", "q if q", "{'a': q}", "None", "int() as q")
            subject = self.any_of(("int", "str", "list", "tuple", "dict"), 1)
            lines = [f"match {subject}:", f"    case {case}:", f"        {r} = {value(1)}", "    case _:", f"        {r} = {value(1)}"]
        return lines, {r: kind}

    def caught(self):
        r = self.fresh()
        error = self.pick("ZeroDivisionError", "(KeyError, IndexError)", "Exception", "ValueError", "LookupError")
        return [
            "try:",
            f"    {r} = {self.pick(f'{self.int(1)} // {self.pick(0, 2)}', f'{self.dict(0)}[{self.str(0)}]', f'{self.list(0)}[{self.rng.randint(0, 2)}]', f'int({self.str(0)})')}",
            f"except {error}:",
            f"    {r} = {self.int(1)}",
            self.pick("finally:\n    pass", f"else:\n    {r} += 1"),
        ], {r: "int"}

    def walrus(self):
        r, s = self.fresh(), f"w{len(self.names)}"
        return [f"{r} = ({s} := {self.int(1)}) * {s}"], {r: "int", s: "int"}

    # ---- growing ---------------------------------------------------------------------------------------------------

    def grow(self, lines):
        while len(self.lines) < lines:
            code, names = self.statement()
            trial = "\n".join([*self.lines, *code])
            space = {}
            try:
                exec(trial, space)
                out = {n: encode(space[n]) for n in {**self.names, **names}}
                if any(too_large(space[n]) for n in out):
                    continue
            except Exception:
                continue
            self.lines += code
            self.names.update(names)
            self.space = out
        return {"code": "\n".join(self.lines) + "\n", "out": self.space}


def too_large(value):
    if isinstance(value, (list, tuple, set)):
        return len(value) > 40 or any(too_large(v) for v in value)
    if isinstance(value, dict):
        return len(value) > 40 or any(too_large(v) for v in value.values())
    if isinstance(value, str):
        return len(value) > 200
    return abs(value) > 2**40


def encode(value):
    if isinstance(value, float):
        return {"f": repr(value)}
    if isinstance(value, tuple):
        return {"t": [encode(v) for v in value]}
    if isinstance(value, set):
        return {"s": [encode(v) for v in sorted(value)]}
    if isinstance(value, dict):
        return {"d": [[encode(k), encode(v)] for k, v in value.items()]}
    if isinstance(value, list):
        return [encode(v) for v in value]
    return value


def main():
    cases = []
    for n in range(CASES):
        rng = random.Random(SEED + n)
        cases.append(Program(rng).grow(rng.randint(3, LINES)))
    text = json.dumps(cases, separators=(",", ":"))
    with open(os.path.join(HERE, "programs.json.gz"), "wb") as out:
        out.write(gzip.compress(text.encode(), 9, mtime=0))
    print(len(cases), "programs,", sum(len(c["out"]) for c in cases), "names")


if __name__ == "__main__":
    main()
