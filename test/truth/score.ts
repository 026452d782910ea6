/**
 * Runs recorded cases through the interpreter and compares: the scoreboard of the op and layer truth.
 */
import { isKnown } from '../../engine/src/dims/dim';
import { OpenShape } from '../../engine/src/dims/shape';
import { type ArrayNode, source } from '../../engine/src/graph/graph';
import type { Shape } from '../../engine/src/graph/op';
import { Refusal } from '../../engine/src/graph/refusal';
import { showType } from '../../engine/src/graph/show';
import { cast } from '../../engine/src/numeric/cast';
import { elementCount, type Tensor } from '../../engine/src/tensor';
import { WorkspaceHost } from '../../server/src/analysis/host';
import { Evaluator, moduleFrame, PythonRaise, type Recorder } from '../../server/src/interpreter/evaluator';
import { evaluate } from '../../server/src/interpreter/expressions';
import { block } from '../../server/src/interpreter/statements';
import { array, type InstanceValue, module, type Value } from '../../server/src/interpreter/values';
import { numpyArray } from '../../server/src/mlx/convert';
import { dtypeOf } from '../../server/src/mlx/define';
import { isModule, moduleEntries } from '../../server/src/mlx/nn/membership';
import { parse } from '../../server/src/python/parse';
import type { Case, NestedNumbers, Recorded, RecordedArray } from './records';

/**
 * - `right`: the same result
 * - `right-refusal`: refused as MLX refuses
 * - `unknown`: nothing wrong was said, but not all was
 * - `missed`: MLX refuses and we answered something
 * - `wrong`: a result that is not MLX's
 * - `false-refusal`: refused although MLX does not
 */
export type Verdict = 'right' | 'right-refusal' | 'unknown' | 'missed' | 'wrong' | 'false-refusal';

export interface Score {
  readonly case: Case;
  readonly verdict: Verdict;
  /** What was answered, for the reader of a failure. */
  readonly answer: string;
}

const SOURCES = { source: () => null, resolve: () => null };
const PREAMBLE = parse(
  'import mlx.core as mx\nimport mlx.nn as nn\nimport mlx.optimizers as optim\nimport mlx.utils as utils\nimport numpy as np\nimport math\nimport functools\nfrom mlx.utils import tree_flatten as __flatten\n',
);

/** Runs Python over the names of a case; `refusal` is what stopped it. */
class Session {
  private readonly scope = module('truth');
  private readonly refusals: Refusal[] = [];
  private readonly ev: Evaluator;
  private raised: PythonRaise | null = null;

  constructor(env: Case['env']) {
    const recorder: Recorder = {
      observe: () => {},
      refuse: refusal => this.refusals.push(refusal),
      made: () => {},
      called: () => {},
      entered: () => {},
    };
    this.ev = new Evaluator(new WorkspaceHost(SOURCES), recorder, { steps: 200_000, depth: 60 });
    const frame = moduleFrame(this.scope);
    this.ev.frames.push(frame);
    block(this.ev, PREAMBLE.body);
    for (const [name, recorded] of Object.entries(env)) this.scope.attributes.set(name, array(recordedNode(recorded)));
  }

  get facts() {
    return this.ev.facts;
  }

  /** What stopped the program, or null. */
  get refusal(): string | null {
    const [first] = this.refusals;
    if (first) return `${first.pythonType}: ${first.message}`;
    return this.raised ? `raised ${this.raised.refusal?.message ?? ''}` : null;
  }

  /** The value of an expression, or of the name that a statement assigns to; null when it was refused. */
  run(code: string): Value | null {
    try {
      const { body } = parse(code);
      const [only] = body;
      if (body.length === 1 && only.kind === 'ExprStmt') return evaluate(this.ev, only.value);
      block(this.ev, body);
      return this.scope.attributes.get(code.split(/[[ ]/, 1)[0]) ?? null;
    } catch (e) {
      if (e instanceof Refusal) this.refusals.push(e);
      else if (e instanceof PythonRaise) this.raised = e;
      else throw e;
      return null;
    }
  }
}

// ---- arguments --------------------------------------------------------------------------------------------------------

/** The array of a case, with the contents the recording gave it. */
export function recordedNode(recorded: RecordedArray): ArrayNode {
  const { shape, dtype } = recorded;
  const data = Float64Array.from(contents(recorded));
  const value = cast({ shape, dtype: 'float64', data } satisfies Tensor, dtype);
  return source({ shape, dtype }, { value });
}

function contents({ shape, dtype, values, fill }: RecordedArray): number[] {
  const count = elementCount(shape);
  if (values !== undefined) return flatten(values);
  if (fill === 'eye') {
    const [rows, columns] = shape.slice(-2);
    return Array.from({ length: count }, (_, i) => (Math.floor(i / columns) % rows === i % columns ? 2.1 : 0.1));
  }
  const whole = dtype === 'bool' || dtype.includes('int');
  const offset = fill === 'pos' && dtype !== 'bool' ? 1 : 0;
  return Array.from({ length: count }, (_, i) => (whole ? (i % 2) + offset : (i % 7) * 0.125 + 0.125));
}

const flatten = (values: NestedNumbers): number[] =>
  Array.isArray(values) ? values.flatMap(flatten) : [Number(values)];

// ---- comparison -------------------------------------------------------------------------------------------------------

type Match = 'right' | 'unknown' | 'wrong';

/** The worst of several parts. */
const worst = (parts: readonly Match[]): Match =>
  parts.includes('wrong') ? 'wrong' : parts.includes('unknown') ? 'unknown' : 'right';

const RELATIVE_ERROR = 1e-4;

function matchNumber(expected: number | string, actual: number | null): Match {
  if (actual === null) return 'unknown';
  const wanted = typeof expected === 'string' ? Number(expected.replace('inf', 'Infinity')) : expected;
  if (Object.is(wanted, actual) || wanted === actual) return 'right';
  return Math.abs(wanted - actual) <= RELATIVE_ERROR * Math.max(Math.abs(wanted), 1e-6) ? 'right' : 'wrong';
}

class Comparison {
  constructor(private readonly session: Session) {}

  private shape(expected: readonly number[], actual: Shape): Match {
    const known = this.session.facts.shape(actual);
    if (known === null) return 'unknown';
    const dims = known instanceof OpenShape ? known.tail : known;
    if (known instanceof OpenShape ? dims.length > expected.length : dims.length !== expected.length) return 'wrong';
    const matched = dims.map((d, i): Match => {
      if (!isKnown(d)) return 'unknown';
      return d === expected.at(i - dims.length) ? 'right' : 'wrong';
    });
    return worst(known instanceof OpenShape ? [...matched, 'unknown'] : matched);
  }

  private array(expected: { shape: readonly number[]; dtype: string }, { shape, dtype }: ArrayNode): Match {
    const dtypeMatch = dtype === null ? 'unknown' : dtype === expected.dtype ? 'right' : 'wrong';
    return worst([this.shape(expected.shape, shape), dtypeMatch]);
  }

  private items(expected: readonly Recorded[], value: Value): Match {
    if (value.kind !== 'tuple' && value.kind !== 'list') return 'wrong';
    if (!value.items) return 'unknown';
    // the record keeps the first 64 items of a list
    if (value.items.length !== expected.length && !(expected.length === 64 && value.items.length > 64)) return 'wrong';
    return worst(expected.map((e, i) => this.match(e, value.items![i])));
  }

  match(expected: Recorded, value: Value): Match {
    if (value.kind === 'unknown' || value.kind === 'parameter') return 'unknown';
    if (value.kind === 'union')
      return value.options.some(o => this.match(expected, o) !== 'wrong') ? 'unknown' : 'wrong';
    const is = (condition: boolean): Match => (condition ? 'right' : 'wrong');
    if (expected === null) return is(value.kind === 'none');
    if (typeof expected === 'boolean') {
      if (value.kind !== 'bool') return 'wrong';
      return value.value === null ? 'unknown' : is(value.value === expected);
    }
    if (typeof expected === 'number') {
      if (value.kind !== 'int') return 'wrong';
      const known = this.session.facts.resolve(value.value);
      return isKnown(known) ? is(known === expected) : 'unknown';
    }
    if (typeof expected === 'string') {
      if (value.kind !== 'str') return 'wrong';
      return value.value === null ? 'unknown' : is(value.value === expected);
    }
    if ('shape' in expected && 'dtype' in expected)
      return value.kind === 'array'
        ? this.array(expected as { shape: readonly number[]; dtype: string }, value.node)
        : 'wrong';
    if ('dtype' in expected) return is(dtypeOf(value) === expected.dtype);
    if ('float' in expected) return value.kind === 'float' ? matchNumber(expected.float, value.value) : 'wrong';
    if ('complex' in expected) {
      if (value.kind !== 'complex') return 'wrong';
      return worst([matchNumber(expected.complex[0], value.real), matchNumber(expected.complex[1], value.imaginary)]);
    }
    if ('tuple' in expected) return value.kind === 'tuple' ? this.items(expected.tuple, value) : 'wrong';
    if ('list' in expected) return value.kind === 'list' ? this.items(expected.list, value) : 'wrong';
    if ('dict' in expected) {
      if (isModule(value)) return this.members(expected.dict, value);
      if (value.kind !== 'dict') return 'wrong';
      const names = Object.keys(expected.dict);
      if (value.rest) return 'unknown';
      if (value.entries.size !== names.length) return 'wrong';
      return worst([...value.entries.values()].map((e, i) => this.match(expected.dict[names[i]], e.value)));
    }
    if ('numpy' in expected) return this.numpy(expected, value);
    return is(objectName(value) === expected.object);
  }

  /** A module is a dict. */
  private members(expected: { readonly [key: string]: Recorded }, module: InstanceValue): Match {
    const { entries, open } = moduleEntries(module);
    if (open) return 'unknown';
    if (entries.length !== Object.keys(expected).length) return 'wrong';
    return worst(entries.map(([name, v]) => (name in expected ? this.match(expected[name], v) : 'wrong')));
  }

  private numpy(expected: Extract<Recorded, { numpy: string }>, value: Value): Match {
    if (value.kind === 'int' || value.kind === 'float' || value.kind === 'bool')
      return matchNumber(Number(expected.value), typeof value.value === 'object' ? null : Number(value.value));
    const numpy = numpyArray(value);
    if (numpy?.number) return this.numpy(expected, numpy.number);
    return value.kind === 'native' ? 'unknown' : 'wrong';
  }
}

/** The Python type's name. */
function objectName(value: Value): string {
  switch (value.kind) {
    case 'native':
      return value.type.name;
    case 'instance':
      return value.cls.name;
    case 'class':
      return 'type';
    case 'range':
    case 'set':
    case 'slice':
    case 'bytes':
    case 'module':
    case 'ellipsis':
      return value.kind;
    default:
      return value.kind;
  }
}

/** What was answered, in short. */
function show(value: Value | null): string {
  if (value === null) return 'nothing';
  switch (value.kind) {
    case 'array':
      return showType(value.node);
    case 'tuple':
    case 'list':
      return `${value.kind}(${value.items ? value.items.map(show).join(', ') : '…'})`;
    case 'dict':
      return `dict(${[...value.entries.values()].map(e => `${show(e.key)}: ${show(e.value)}`).join(', ')})`;
    case 'int':
    case 'float':
    case 'bool':
    case 'str':
      return `${value.kind} ${value.value}`;
    case 'unknown':
      return `unknown: ${value.reason}`;
    case 'native':
      return `${value.type.name} ${typeof value.data === 'string' ? value.data : ''}`;
    case 'union':
      return value.options.map(show).join(' | ');
    default:
      return value.kind;
  }
}

// ---- verdicts ---------------------------------------------------------------------------------------------------------

/** Runs one case. */
export function scoreCase(c: Case): Score {
  const session = new Session(c.env);
  let value: Value | null;
  try {
    if (c.init && c.call === c.expr) session.run(`m = ${c.init}`);
    value = session.run(c.expr);
  } catch (e) {
    return {
      case: c,
      verdict: 'wrong',
      answer: `threw ${e instanceof Error ? e.stack?.split('\n').slice(0, 4).join(' ') : e}`,
    };
  }
  const { refusal } = session;
  if (c.error || c.crash) {
    if (refusal !== null) return { case: c, verdict: 'right-refusal', answer: refusal };
    const isUnknown = value === null || value.kind === 'unknown';
    return { case: c, verdict: isUnknown ? 'unknown' : 'missed', answer: show(value) };
  }
  if (refusal !== null) return { case: c, verdict: c.eval_error ? 'right-refusal' : 'false-refusal', answer: refusal };
  if (value === null) return { case: c, verdict: 'wrong', answer: 'nothing' };
  // a module alone has no result to compare, only its parameters
  const result = c.init && !c.call ? 'right' : new Comparison(session).match(c.out, value);
  const matched = worst([result, ...(c.params ? [matchParameters(c)] : []), ...(c.repr ? [matchRepr(c)] : [])]);
  return { case: c, verdict: matched, answer: show(value) };
}

/** What a case answers here; null where it is refused. */
export function recordedResult(c: Case): Value | null {
  const session = new Session(c.env);
  if (c.init && c.call === c.expr) session.run(`m = ${c.init}`);
  return session.run(c.expr);
}

/** Whether the module prints as MLX prints it; the record keeps the first 2000 characters. */
function matchRepr(c: Case): Match {
  const value = new Session(c.env).run(`repr(${c.init})`);
  if (value?.kind !== 'str') return 'wrong';
  // where an address stands nothing can be known
  if (value.value === null) return c.repr!.includes('0x...') ? 'right' : 'unknown';
  return value.value.slice(0, 2000) === c.repr ? 'right' : 'wrong';
}

/** Whether the module that `init` makes has the recorded parameters, and the recorded ones among them are trainable. */
function matchParameters(c: Case): Match {
  const session = new Session(c.env);
  const comparison = new Comparison(session);
  const check = (method: string, expected: { readonly [path: string]: Recorded }): Match => {
    const value = session.run(`dict(__flatten((${c.init}).${method}()))`);
    if (value === null) return 'wrong';
    if (value.kind !== 'dict') return 'unknown';
    if (value.rest) return 'unknown';
    const names = new Set(Object.keys(expected));
    const parts: Match[] = [...value.entries.values()].map(entry => {
      const name = entry.key.kind === 'str' ? entry.key.value! : '';
      return names.delete(name) ? comparison.match(expected[name], entry.value) : 'wrong';
    });
    return names.size > 0 ? 'wrong' : worst(parts);
  };
  const all = check('parameters', c.params!);
  const trainable = Object.fromEntries((c.trainable ?? []).map(name => [name, c.params![name]]));
  return worst([all, c.trainable ? check('trainable_parameters', trainable) : 'right']);
}

// ---- the scoreboard ---------------------------------------------------------------------------------------------------

export const VERDICTS: readonly Verdict[] = ['right', 'right-refusal', 'unknown', 'missed', 'wrong', 'false-refusal'];

/** Whether a case is answered as MLX answers it. */
export const isRight = (verdict: Verdict): boolean => verdict === 'right' || verdict === 'right-refusal';

/** How many cases of a family, or of all, got each verdict. */
export interface Tally {
  readonly family: string;
  readonly cases: number;
  readonly counts: Readonly<Record<Verdict, number>>;
  /** The share that is answered as MLX answers, from 0 to 1. */
  readonly right: number;
}

export function tally(family: string, scores: readonly Score[]): Tally {
  const counts = Object.fromEntries(VERDICTS.map(v => [v, 0])) as Record<Verdict, number>;
  for (const { verdict } of scores) counts[verdict]++;
  const right = (counts.right + counts['right-refusal']) / Math.max(scores.length, 1);
  return { family, cases: scores.length, counts, right };
}

/** A tally of each family, the worst first. */
export function tallyFamilies(scores: readonly Score[]): Tally[] {
  const families = new Map<string, Score[]>();
  for (const score of scores) {
    const own = families.get(score.case.op);
    if (own) own.push(score);
    else families.set(score.case.op, [score]);
  }
  return [...families]
    .map(([family, own]) => tally(family, own))
    .sort((a, b) => a.right - b.right || (a.family < b.family ? -1 : 1));
}
