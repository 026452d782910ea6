/**
 * Dimensions: plain numbers, or integer polynomials over symbols in a normal form.
 *
 * Two dims that are equal as polynomials have equal keys, so comparison is a subtraction. `//`, `min` and `max` that
 * cannot be reduced become atoms of their own. Arithmetic here knows nothing but algebra; what the program has shown to
 * hold (`D % H == 0`) lives in `Facts`. Numbers take a short cut everywhere: they cost one type test.
 */

export type Dim = number | Poly;

/** An unknown whole number with a name a reader knows it by. */
export interface DimSymbol {
  readonly form: 'symbol';
  readonly id: number;
  readonly name: string;
  /** The least value it can have: 0 for a length that comes with data, 1 for a width that configures a layer. */
  readonly least: number;
  /** Whether it stands for an axis of an input, so that what the code requires of it may define it. */
  readonly flexible: boolean;
  /** Whether it has no name worth showing. */
  readonly anonymous: boolean;
  /** The value to decide conditions by where nothing else does: a parameter's default. Never used in shapes. */
  readonly usual: number | null;
}

export interface Quotient {
  readonly form: 'quotient';
  readonly id: number;
  readonly left: Poly;
  readonly right: Dim;
}

export interface Extremum {
  readonly form: 'min' | 'max';
  readonly id: number;
  readonly left: Dim;
  readonly right: Dim;
}

export type Atom = DimSymbol | Quotient | Extremum;

export interface Factor {
  readonly atom: Atom;
  readonly power: number;
}

/** `coefficient` times the product of `factors`, which are sorted by atom id. */
export interface Term {
  readonly coefficient: number;
  readonly factors: readonly Factor[];
  readonly key: string;
}

/** A sum of terms with different keys, sorted by key; never a constant (that is a number) and never empty. */
export class Poly {
  private text: string | null = null;
  private shown: string | null = null;
  /** `lowerBound` of it by depth. */
  bounds: number[] | null = null;
  /** What `Facts` last made of it, and in which state. */
  resolved: Dim | null = null;
  resolvedIn = 0;
  constructor(readonly terms: readonly Term[]) {}
  /** Equal for equal polynomials alone. Most polynomials are passing differences whose key nobody asks for. */
  get key(): string {
    this.text ??= this.terms.map(t => `${t.coefficient}*${t.key}`).join('+');
    return this.text;
  }
  /** As `showDim` writes it. */
  toString(): string {
    this.shown ??= write(this);
    return this.shown;
  }
}

let nextId = 1;
const atoms = new Map<string, Atom>();

export interface SymbolOptions {
  least?: number;
  flexible?: boolean;
  usual?: number | null;
}

/** A fresh symbol, different from every other even of the same name. */
export function symbol(name: string, options: SymbolOptions = {}): Poly {
  const atom: DimSymbol = {
    form: 'symbol',
    id: nextId++,
    name,
    least: options.least ?? 0,
    flexible: options.flexible ?? false,
    anonymous: false,
    usual: options.usual ?? null,
  };
  return ofAtom(atom);
}

/** A fresh symbol for a number nothing is known of. */
export function anonymous(least = 0): Poly {
  return ofAtom({ form: 'symbol', id: nextId++, name: '?', least, flexible: false, anonymous: true, usual: null });
}

export function ofAtom(atom: Atom): Poly {
  return new Poly([{ coefficient: 1, factors: [{ atom, power: 1 }], key: `${atom.id}` }]);
}

const keyOf = (factors: readonly Factor[]): string =>
  factors.map(f => (f.power === 1 ? `${f.atom.id}` : `${f.atom.id}^${f.power}`)).join('.');

export const termsOf = (d: Dim): readonly Term[] =>
  typeof d === 'number' ? (d === 0 ? [] : [{ coefficient: d, factors: [], key: '' }]) : d.terms;

/** Terms in normal form as a dim: a constant is a number. */
function ofNormal(terms: readonly Term[]): Dim {
  if (terms.length === 0) return 0;
  return terms.length === 1 && terms[0].key === '' ? terms[0].coefficient : new Poly(terms);
}

const scaled = (t: Term, coefficient: number): Term => ({ coefficient, factors: t.factors, key: t.key });

/** The dim with these terms: like ones are collected and the order is made normal. */
export function fromTerms(terms: readonly Term[]): Dim {
  if (terms.length < 2) return ofNormal(terms.filter(t => t.coefficient !== 0));
  const sums = new Map<string, Term>();
  for (const t of terms) {
    const old = sums.get(t.key);
    sums.set(t.key, old ? scaled(t, old.coefficient + t.coefficient) : t);
  }
  const kept = [...sums.values()].filter(t => t.coefficient !== 0);
  return ofNormal(kept.sort((a, b) => (a.key < b.key ? -1 : 1)));
}

/** The sum of two lists of terms, both in normal form; the second times `sign`. */
function merge(a: readonly Term[], b: readonly Term[], sign: 1 | -1): Dim {
  const merged: Term[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    if (a[i].key === b[j].key) {
      const coefficient = a[i].coefficient + sign * b[j].coefficient;
      if (coefficient !== 0) merged.push(scaled(a[i], coefficient));
      i++;
      j++;
    } else if (a[i].key < b[j].key) merged.push(a[i++]);
    else {
      merged.push(sign === 1 ? b[j] : scaled(b[j], -b[j].coefficient));
      j++;
    }
  }
  for (; i < a.length; i++) merged.push(a[i]);
  for (; j < b.length; j++) merged.push(sign === 1 ? b[j] : scaled(b[j], -b[j].coefficient));
  return ofNormal(merged);
}

function multiplyTerms(a: Term, b: Term): Term {
  if (a.factors.length === 0) return scaled(b, a.coefficient * b.coefficient);
  if (b.factors.length === 0) return scaled(a, a.coefficient * b.coefficient);
  const powers = new Map<number, Factor>();
  for (const f of [...a.factors, ...b.factors]) {
    const old = powers.get(f.atom.id);
    powers.set(f.atom.id, old ? { atom: f.atom, power: old.power + f.power } : f);
  }
  const factors = [...powers.values()].sort((x, y) => x.atom.id - y.atom.id);
  return { coefficient: a.coefficient * b.coefficient, factors, key: keyOf(factors) };
}

/** a / b where b divides a as a monomial with a whole coefficient, else null. */
function divideTerms(a: Term, b: Term): Term | null {
  if (a.coefficient % b.coefficient !== 0) return null;
  const factors: Factor[] = [];
  const divisor = new Map(b.factors.map(f => [f.atom.id, f.power]));
  for (const f of a.factors) {
    const power = f.power - (divisor.get(f.atom.id) ?? 0);
    divisor.delete(f.atom.id);
    if (power < 0) return null;
    if (power > 0) factors.push({ atom: f.atom, power });
  }
  if (divisor.size > 0) return null;
  return { coefficient: a.coefficient / b.coefficient, factors, key: keyOf(factors) };
}

export function add(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  if (a === 0) return b;
  if (b === 0) return a;
  return merge(termsOf(a), termsOf(b), 1);
}

export const negate = (a: Dim): Dim =>
  typeof a === 'number' ? -a : new Poly(a.terms.map(t => scaled(t, -t.coefficient)));

export function sub(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return b === 0 ? a : merge(termsOf(a), termsOf(b), -1);
}

export function mul(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a * b;
  if (a === 1) return b;
  if (b === 1) return a;
  if (a === 0 || b === 0) return 0;
  const left = termsOf(a);
  const right = termsOf(b);
  // A number keeps the order of the terms it multiplies.
  if (typeof a === 'number') return new Poly(right.map(t => scaled(t, a * t.coefficient)));
  if (typeof b === 'number') return new Poly(left.map(t => scaled(t, b * t.coefficient)));
  if (left.length === 1 && right.length === 1) return ofNormal([multiplyTerms(left[0], right[0])]);
  return fromTerms(left.flatMap(x => right.map(y => multiplyTerms(x, y))));
}

export const product = (dims: readonly Dim[]): Dim => dims.reduce(mul, 1);
export const sum = (dims: readonly Dim[]): Dim => dims.reduce(add, 0);

/** The quotient where b divides a as polynomials, else null. Zero divisors are the caller's business. */
export function divideExactly(a: Dim, b: Dim): Dim | null {
  if (b === 0) return null;
  if (typeof a === 'number' && typeof b === 'number') return a % b === 0 ? a / b : null;
  if (b === 1) return a;
  const divisor = leading(b);
  const quotient: Term[] = [];
  // Multivariate long division: each step removes the leading term, so it ends; the bound is for safety only.
  let rest: Dim = a;
  for (let step = 0; step < 64 && rest !== 0; step++) {
    const q = divideTerms(leading(rest), divisor);
    if (!q) return null;
    quotient.push(q);
    rest = sub(rest, mul(fromTerms([q]), b));
  }
  return rest === 0 ? fromTerms(quotient) : null;
}

/** The greatest term in a monomial order (total degree, then powers by atom id), which long division needs. */
function leading(d: Dim): Term {
  return termsOf(d).reduce((best, t) => (precedes(best, t) ? t : best));
}

function precedes(a: Term, b: Term): boolean {
  const degree = (t: Term) => t.factors.reduce((n, f) => n + f.power, 0);
  if (degree(a) !== degree(b)) return degree(a) < degree(b);
  const ids = [...new Set([...a.factors, ...b.factors].map(f => f.atom.id))].sort((x, y) => x - y);
  for (const id of ids) {
    const power = (t: Term) => t.factors.find(f => f.atom.id === id)?.power ?? 0;
    if (power(a) !== power(b)) return power(a) < power(b);
  }
  return false;
}

function internAtom<A extends Atom>(key: string, make: (id: number) => A): A {
  let atom = atoms.get(key);
  if (!atom) {
    if (atoms.size > 100_000) atoms.clear(); // keys only save space: a cleared table costs duplicates, not correctness
    atom = make(nextId++);
    atoms.set(key, atom);
  }
  return atom as A;
}

export const dimKey = (d: Dim): string => (typeof d === 'number' ? `${d}` : d.key);

/** Python's `a // b` (rounds down). `b` must not be 0; a symbol is taken not to be. */
export function floorDiv(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return Math.floor(a / b);
  const exact = divideExactly(a, b);
  if (exact !== null) return exact;
  // (q·b + r) // b = q + r // b: take out the terms that divide
  const whole: Term[] = [];
  const rest: Term[] = [];
  const divisors = termsOf(b);
  for (const t of termsOf(a)) {
    const q = divisors.length === 1 ? divideTerms(t, divisors[0]) : null;
    if (q) whole.push(q);
    else rest.push(t);
  }
  if (whole.length > 0 && rest.length > 0) return add(fromTerms(whole), floorDiv(fromTerms(rest), b));
  if (typeof a === 'number') {
    // 0 <= a < b never happens to be known here without bounds; keep the quotient as an atom over a constant poly
    const atom = internAtom(
      `q:${a}/${dimKey(b)}`,
      id => ({ form: 'quotient', id, left: constant(a), right: b }) as Quotient,
    );
    return ofAtom(atom);
  }
  const nested = nestedQuotient(a);
  if (nested && typeof b === 'number' && typeof nested.right === 'number' && b > 0 && nested.right > 0)
    return floorDiv(nested.left, nested.right * b); // (a // m) // n = a // (m·n)
  return ofAtom(internAtom(`q:${a.key}/${dimKey(b)}`, id => ({ form: 'quotient', id, left: a, right: b }) as Quotient));
}

/** A constant as a Poly: only inside atoms, where a Dim of numbers would be reduced away. */
function constant(value: number): Poly {
  return new Poly([{ coefficient: value, factors: [], key: '' }]);
}

function nestedQuotient(d: Poly): Quotient | null {
  const [t] = d.terms;
  if (d.terms.length !== 1 || t.coefficient !== 1 || t.factors.length !== 1 || t.factors[0].power !== 1) return null;
  const { atom } = t.factors[0];
  return atom.form === 'quotient' ? atom : null;
}

/** Python's `a % b`. */
export function mod(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a - b * Math.floor(a / b);
  return sub(a, mul(b, floorDiv(a, b)));
}

/** -(-a // b). */
export const ceilDiv = (a: Dim, b: Dim): Dim => negate(floorDiv(negate(a), b));

function extremum(form: 'min' | 'max', a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return form === 'min' ? Math.min(a, b) : Math.max(a, b);
  const difference = sub(a, b);
  const sign = signOf(difference);
  if (sign !== null) return (form === 'min') === sign <= 0 ? a : b;
  const [left, right] = dimKey(a) < dimKey(b) ? [a, b] : [b, a];
  return ofAtom(internAtom(`${form}:${dimKey(left)},${dimKey(right)}`, id => ({ form, id, left, right }) as Extremum));
}
export const min = (a: Dim, b: Dim): Dim => extremum('min', a, b);
export const max = (a: Dim, b: Dim): Dim => extremum('max', a, b);

/** A value that a dim is never below: from its symbols' bounds, and from what `//`, `min` and `max` mean. */
export function lowerBound(d: Dim, depth = 3): number {
  if (typeof d === 'number') return d;
  d.bounds ??= [];
  d.bounds[depth] ??= boundOf(d, depth);
  return d.bounds[depth];
}

function boundOf(d: Poly, depth: number): number {
  const bound = termwiseBound(d);
  return bound > -Infinity || depth === 0 ? bound : relationalBound(d, depth);
}

function termwiseBound(d: Poly): number {
  let total = 0;
  for (const t of d.terms) {
    if (t.factors.length === 0) {
      total += t.coefficient;
      continue;
    }
    const least = leastProduct(t.factors);
    if (t.coefficient < 0 || least === null) return -Infinity;
    total += t.coefficient * least;
  }
  return total;
}

/** The least value of a product of factors that are not negative; null where one may be. */
function leastProduct(factors: readonly Factor[]): number | null {
  let least = 1;
  for (const f of factors) {
    const bound = leastOf(f.atom);
    if (bound < 0) return null;
    least *= bound ** f.power;
  }
  return least;
}

/**
 * The bound that follows from one atom and what it is made of: r * (l // r) lies between l - r + 1 and l, a minimum
 * below both its sides, a maximum above. So `D - D // 2` and `256 * ((L + 255) // 256) - L` are not negative.
 */
function relationalBound(d: Poly, depth: number): number {
  let best = -Infinity;
  for (const t of d.terms)
    for (const f of t.factors) {
      const { atom } = f;
      if (atom.form === 'symbol' || f.power !== 1) continue;
      const others = t.factors.filter(o => o !== f);
      if (leastProduct(others) === null) continue;
      const rest = fromTerms([{ coefficient: t.coefficient, factors: others, key: keyOf(others) }]);
      const without = sub(d, fromTerms([t]));
      if (atom.form === 'quotient') {
        if (lowerBound(atom.right, depth - 1) < 1) continue;
        const side = t.coefficient < 0 ? atom.left : add(sub(atom.left, atom.right), 1);
        const bound = lowerBound(add(mul(without, atom.right), mul(rest, side)), depth - 1);
        if (typeof atom.right === 'number') best = Math.max(best, Math.ceil(bound / atom.right));
        else best = Math.max(best, Math.min(bound, 1));
      } else if ((atom.form === 'min') === t.coefficient < 0)
        for (const side of [atom.left, atom.right])
          best = Math.max(best, lowerBound(add(without, mul(rest, side)), depth - 1));
    }
  return best;
}

function leastOf(atom: Atom): number {
  if (atom.form === 'symbol') return atom.least;
  if (atom.form === 'quotient') return lowerBound(atom.left) >= 0 && lowerBound(atom.right) >= 1 ? 0 : -Infinity;
  const [l, r] = [lowerBound(atom.left), lowerBound(atom.right)];
  return atom.form === 'min' ? Math.min(l, r) : Math.max(l, r);
}

/** -1, 0 or 1 where the sign is certain (0 also stands for "not negative, maybe zero" never: that is null). */
function signOf(d: Dim): -1 | 0 | 1 | null {
  if (d === 0) return 0;
  if (lowerBound(d) >= 0) return 1; // for min and max it is enough to know that it is not negative
  if (lowerBound(negate(d)) >= 0) return -1;
  return null;
}

/** Whether `d` is certainly not zero: bounds, or coefficients with a common divisor that the constant lacks. */
export function isNonZero(d: Dim): boolean {
  if (typeof d === 'number') return d !== 0;
  if (lowerBound(d) > 0 || lowerBound(negate(d)) > 0) return true;
  let divisor = 0;
  let rest = 0;
  for (const t of d.terms) {
    if (t.factors.length === 0) rest = t.coefficient;
    else divisor = gcd(divisor, Math.abs(t.coefficient));
  }
  return divisor > 1 && rest % divisor !== 0;
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/** The symbols a dim is made of, those inside quotients included. */
export function symbolsOf(d: Dim, into = new Set<DimSymbol>()): Set<DimSymbol> {
  if (typeof d !== 'number')
    for (const t of d.terms)
      for (const { atom } of t.factors) {
        if (atom.form === 'symbol') into.add(atom);
        else {
          symbolsOf(atom.left, into);
          symbolsOf(atom.right, into);
        }
      }
  return into;
}

export const isKnown = (d: Dim): d is number => typeof d === 'number';

// ---- showing ----------------------------------------------------------------------------------------------------------

/** The dim as a Python expression a reader would write: `n_heads * head_dim`, `L // 4 + 1`; `?` when nameless. */
export const showDim = (d: Dim): string => `${d}`;

function write(d: Poly): string {
  for (const s of symbolsOf(d)) if (s.anonymous) return '?';
  // positive terms first, constants last: `D - 1`, not `-1 + D`
  const terms = [...d.terms].sort(
    (a, b) =>
      Number(a.factors.length === 0) - Number(b.factors.length === 0) ||
      Number(a.coefficient < 0) - Number(b.coefficient < 0),
  );
  return terms
    .map((t, i) => {
      const size = Math.abs(t.coefficient);
      const parts = t.factors.flatMap(f =>
        Array<string>(f.power).fill(showAtom(f.atom, t.factors.length > 1 || f.power > 1 || size !== 1)),
      );
      if (size !== 1 || parts.length === 0) parts.unshift(`${size}`);
      const sign = t.coefficient < 0 ? (i === 0 ? '-' : ' - ') : i === 0 ? '' : ' + ';
      return sign + parts.join(' * ');
    })
    .join('');
}

function showAtom(atom: Atom, inProduct: boolean): string {
  if (atom.form === 'symbol') return atom.name;
  if (atom.form !== 'quotient') return `${atom.form}(${showDim(atom.left)}, ${showDim(atom.right)})`;
  const wrap = (d: Dim) =>
    typeof d !== 'number' &&
    (d.terms.length > 1 || d.terms[0].factors.length + Number(d.terms[0].coefficient !== 1) > 1)
      ? `(${showDim(d)})`
      : showDim(d);
  const text = `${wrap(atom.left)} // ${wrap(atom.right)}`;
  return inProduct ? `(${text})` : text;
}
