/**
 * What the program has shown to hold so far: values of symbols, ranks of arrays, divisibility, equalities.
 *
 * A statement that succeeds makes its condition a fact: after `reshape(B, L, H, -1)` of a last axis D, `D % H == 0`
 * holds, so `H * (D // H)` is `D`. Facts are undone in step with the interpreter's forks (`mark`, `undo`).
 */
import type { Refusal } from '../graph/refusal';
import {
  add,
  anonymous,
  type Dim,
  type DimSymbol,
  dimKey,
  divideExactly,
  floorDiv,
  fromTerms,
  isNonZero,
  lowerBound,
  max,
  min,
  mod,
  mul,
  negate,
  ofAtom,
  type Poly,
  sub,
  symbol,
  symbolsOf,
  type Term,
} from './dim';
import { OpenShape, type RowVariable } from './shape';

export type Truth = 'yes' | 'no' | 'unknown';

/** One thing learnt; entries of different paths with the same key say the same. */
export interface Learnt {
  readonly key: string;
  readonly redo: () => void;
  readonly undo: () => void;
  /** The axes that an array of unknown rank was found to begin with, and whether they were named for it then. */
  readonly lead?: { readonly axes: readonly Dim[]; readonly areNew: boolean };
}

/** Numbers of states, of which no two `Facts` share one. */
let nextState = 1;

export class Facts {
  private readonly values = new Map<number, Dim>();
  private readonly rows = new Map<number, readonly Dim[] | OpenShape>();
  /** Keys `numerator/denominator` of quotients known to be exact. */
  private readonly exact = new Set<string>();
  /** Keys of polynomials known to be zero. */
  private readonly zeros = new Set<string>();
  private readonly trail: Learnt[] = [];
  /** The state that the trail has led to. What `undo` goes back to is the state that was, by its number. */
  private state = nextState++;
  private readonly states: number[] = [];

  /** A position to `undo` to. */
  mark(): number {
    return this.trail.length;
  }

  /** Forgets what was learnt since `mark`, and answers it. */
  undo(mark: number): readonly Learnt[] {
    const undone = this.trail.slice(mark);
    while (this.trail.length > mark) {
      this.trail.pop()!.undo();
      this.state = this.states.pop()!;
    }
    return undone;
  }

  /** Learns again what `undo` answered. */
  redo(learnt: readonly Learnt[]): void {
    for (const entry of learnt) this.learn(entry);
  }

  /**
   * Learns what every one of several paths learnt. Axes that each of them found an array to have are the same axes: where
   * one path named them and another knew them as others, the name is what both mean.
   */
  redoCommon(paths: readonly (readonly Learnt[])[]): void {
    const [first, ...others] = paths;
    const tables = others.map(path => new Map(path.map(entry => [entry.key, entry])));
    for (const entry of first) {
      const all = [entry, ...tables.flatMap(table => table.get(entry.key) ?? [])];
      if (all.length < paths.length) continue;
      const named = entry.lead ? all.find(e => e.lead?.areNew) : entry;
      if (named) this.learn(named);
      else if (all.every(e => e.lead!.axes.every((d, i) => dimKey(d) === dimKey(entry.lead!.axes[i]))))
        this.learn(entry);
      for (const { lead } of named?.lead ? all : [])
        if (lead !== named!.lead && lead!.areNew)
          for (const [i, axis] of lead!.axes.entries()) this.rename(axis, named!.lead!.axes[i]);
    }
  }

  /** An axis that one path named is the one that another path named. */
  private rename(axis: Dim, as: Dim): void {
    const lone = typeof axis === 'number' ? null : loneSymbol(axis.terms[0]);
    if (!lone || this.values.has(lone.id)) return;
    const known = this.resolve(as);
    if (!symbolsOf(known).has(lone)) this.assign(lone.id, known);
  }

  private assign(id: number, value: Dim): void {
    this.learn({
      key: `${id}=${dimKey(value)}`,
      redo: () => this.values.set(id, value),
      undo: () => this.values.delete(id),
    });
  }

  private learn(entry: Learnt): void {
    entry.redo();
    this.trail.push(entry);
    this.states.push(this.state);
    this.state = nextState++;
  }

  // ---- reading --------------------------------------------------------------------------------------------------------

  /** The dim with everything known put in. */
  resolve(d: Dim): Dim {
    if (typeof d === 'number') return d;
    if (this.values.size === 0 && this.exact.size === 0) return d;
    if (d.resolvedIn !== this.state) {
      d.resolved = this.simplify(this.substitute(d));
      d.resolvedIn = this.state;
    }
    return d.resolved!;
  }

  /** Whether the dim is made of a symbol whose value is known. */
  private mentions(d: Dim): boolean {
    if (typeof d === 'number') return false;
    for (const t of d.terms)
      for (const { atom } of t.factors)
        if (atom.form === 'symbol' ? this.values.has(atom.id) : this.mentions(atom.left) || this.mentions(atom.right))
          return true;
    return false;
  }

  private substitute(d: Dim): Dim {
    if (typeof d === 'number' || !this.mentions(d)) return d;
    let total: Dim = 0;
    for (const t of d.terms) {
      let value: Dim = t.coefficient;
      for (const { atom, power } of t.factors) {
        let factor: Dim;
        if (atom.form === 'symbol') {
          const known = this.values.get(atom.id);
          factor = known === undefined ? ofAtom(atom) : this.substitute(known);
        } else {
          const left = this.substitute(atom.left);
          const right = this.substitute(atom.right);
          if (left !== atom.left || right !== atom.right) {
            factor =
              atom.form === 'quotient'
                ? right === 0
                  ? anonymous()
                  : floorDiv(left, right)
                : atom.form === 'min'
                  ? min(left, right)
                  : max(left, right);
          } else factor = ofAtom(atom);
        }
        for (let i = 0; i < power; i++) value = mul(value, factor);
      }
      total = add(total, value);
    }
    return total;
  }

  /** Uses exact quotients: m · (n // m) is n. */
  private simplify(d: Dim): Dim {
    if (typeof d === 'number' || this.exact.size === 0) return d;
    for (const t of d.terms)
      for (const { atom } of t.factors) {
        if (atom.form !== 'quotient' || !this.exact.has(`${atom.left.key}/${dimKey(atom.right)}`)) continue;
        const rest = divideExactly(fromTerms([t]), mul(ofAtom(atom), atom.right));
        if (rest === null) continue;
        return this.simplify(add(sub(d, fromTerms([t])), mul(rest, atom.left)));
      }
    return d;
  }

  equal(a: Dim, b: Dim): Truth {
    if (typeof a === 'number' && typeof b === 'number') return a === b ? 'yes' : 'no';
    if (a === b) return 'yes';
    const difference = this.difference(a, b);
    if (difference === 0 || this.isZero(difference)) return 'yes';
    return isNonZero(difference) ? 'no' : 'unknown';
  }

  /** Whether `equal` is certain. Where they are not the same, whether they may be is much harder to say. */
  same(a: Dim, b: Dim): boolean {
    if (a === b) return true;
    if (typeof a === 'number' && typeof b === 'number') return false;
    const difference = this.difference(a, b);
    return difference === 0 || this.isZero(difference);
  }

  private difference(a: Dim, b: Dim): Dim {
    return this.resolve(sub(this.resolve(a), this.resolve(b)));
  }

  private isZero(d: Dim): boolean {
    return this.zeros.size > 0 && (this.zeros.has(dimKey(d)) || this.zeros.has(dimKey(negate(d))));
  }

  /** Whether a < b. */
  less(a: Dim, b: Dim): Truth {
    if (typeof a === 'number' && typeof b === 'number') return a < b ? 'yes' : 'no';
    const difference = this.resolve(sub(b, a));
    if (lowerBound(difference) > 0) return 'yes';
    return lowerBound(negate(difference)) >= 0 ? 'no' : 'unknown';
  }

  /** Whether d divides n without rest. */
  divides(d: Dim, n: Dim): Truth {
    if (d === 0) return 'no';
    return this.equal(mod(this.resolve(n), this.resolve(d)), 0);
  }

  /** The shape with everything known put in: ranked where the rank has become known. */
  shape(s: readonly Dim[] | OpenShape | null): readonly Dim[] | OpenShape | null {
    if (s === null) return null;
    if (s instanceof OpenShape) {
      const lead = this.rows.get(s.lead.id);
      const tail = s.tail.map(d => this.resolve(d));
      if (lead === undefined) return new OpenShape(s.lead, tail);
      return this.shape(
        lead instanceof OpenShape ? new OpenShape(lead.lead, [...lead.tail, ...tail]) : [...lead, ...tail],
      );
    }
    return s.every(d => typeof d === 'number') ? s : s.map(d => this.resolve(d));
  }

  // ---- learning -------------------------------------------------------------------------------------------------------

  /**
   * a must equal b for the program to go on: throws `refuse()` where it cannot, learns it where it is open.
   */
  require(a: Dim, b: Dim, refuse: () => Refusal): void {
    const answer = this.equal(a, b);
    if (answer === 'no') throw refuse();
    if (answer === 'unknown') this.assumeEqual(a, b);
  }

  /** d must divide n: throws or learns, as `require`. */
  requireDivides(d: Dim, n: Dim, refuse: () => Refusal): void {
    const answer = this.divides(d, n);
    if (answer === 'no') throw refuse();
    if (answer === 'unknown') this.assumeDivides(d, n);
  }

  assumeEqual(a: Dim, b: Dim): void {
    const difference = this.difference(a, b);
    if (typeof difference === 'number') return;
    const free = this.solvable(difference);
    if (free) {
      // coefficient is ±1: symbol = symbol ∓ difference
      const value = sub(ofAtom(free.symbol), free.coefficient === 1 ? difference : negate(difference));
      const { id } = free.symbol;
      this.assign(id, value);
      return;
    }
    const key = dimKey(difference);
    if (this.zeros.has(key)) return;
    this.learn({ key: `${key}=0`, redo: () => this.zeros.add(key), undo: () => this.zeros.delete(key) });
  }

  /**
   * Gives a symbol the value that someone chose for it, where `assumeEqual` only defines axes of inputs. Answers whether
   * that agrees with what is known of it.
   */
  define(symbol: DimSymbol, value: number): boolean {
    const { id } = symbol;
    const known = this.values.get(id);
    if (known !== undefined) {
      if (this.equal(known, value) === 'no') return false;
      this.assumeEqual(known, value);
    } else this.assign(id, value);
    return true;
  }

  /** A symbol that the equation `d == 0` may define: nameless ones first, then axes of inputs. */
  private solvable(d: Poly): { symbol: DimSymbol; coefficient: number } | null {
    let best: { symbol: DimSymbol; coefficient: number } | null = null;
    for (const t of d.terms) {
      const symbol = loneSymbol(t);
      if (!symbol || !(symbol.flexible || symbol.anonymous) || occursElsewhere(symbol, d, t)) continue;
      if (!best || (symbol.anonymous && !best.symbol.anonymous)) best = { symbol, coefficient: t.coefficient };
    }
    return best;
  }

  assumeDivides(d: Dim, n: Dim): void {
    const [left, right] = [this.resolve(n), this.resolve(d)];
    if (typeof left === 'number') return;
    const key = `${left.key}/${dimKey(right)}`;
    if (this.exact.has(key)) return;
    this.learn({ key, redo: () => this.exact.add(key), undo: () => this.exact.delete(key) });
  }

  /** Fixes the leading axes of an open shape. */
  bindRow(row: RowVariable, to: readonly Dim[] | OpenShape, areNew = false): void {
    const rank = to instanceof OpenShape ? `open${to.lead.id}` : to.length;
    this.learn({
      key: `row${row.id}:${rank}`,
      redo: () => this.rows.set(row.id, to),
      undo: () => this.rows.delete(row.id),
      lead: to instanceof OpenShape ? undefined : { axes: to, areNew },
    });
  }

  /**
   * Learns that an array has `rank` axes and answers them; the new ones are flexible symbols called `names[i]`, or
   * after the parameter. Null when the known tail is longer than that.
   */
  refineRank(s: OpenShape, rank: number, names: readonly (string | null)[] = []): readonly Dim[] | null {
    const open = this.shape(s);
    if (!(open instanceof OpenShape)) return open !== null && open.length === rank ? open : null;
    const missing = rank - open.tail.length;
    if (missing < 0) return null;
    const lead = Array.from({ length: missing }, (_, i) =>
      symbol(names[i] ?? `${open.lead.name}${i}`, { flexible: true }),
    );
    this.bindRow(open.lead, lead, true);
    return [...lead, ...open.tail];
  }
}

function loneSymbol(t: Term): DimSymbol | null {
  if (Math.abs(t.coefficient) !== 1 || t.factors.length !== 1 || t.factors[0].power !== 1) return null;
  const { atom } = t.factors[0];
  return atom.form === 'symbol' ? atom : null;
}

/** Whether a symbol occurs in `d` beside the term that it is alone in; a term may be shared with what an atom holds. */
function occursElsewhere(symbol: DimSymbol, d: Poly, own: Term): boolean {
  const inDim = (x: Dim): boolean => typeof x !== 'number' && x.terms.some(inTerm);
  const inTerm = (t: Term): boolean =>
    t.factors.some(f =>
      f.atom.form === 'symbol' ? f.atom.id === symbol.id : inDim(f.atom.left) || inDim(f.atom.right),
    );
  return d.terms.some(t => t !== own && inTerm(t));
}
