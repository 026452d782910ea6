/**
 * What an evaluation will do, decided before it starts: which operations in which order, with which shapes, and how
 * much memory they need. All that can be refused is refused here.
 */
import { type Dim, type DimSymbol, Poly, symbolsOf } from '../dims/dim';
import { Facts } from '../dims/facts';
import { OpenShape } from '../dims/shape';
import type { ArrayNode, OpCall } from '../graph/graph';
import { type ArrayType, type Attr, type Attrs, type ConcreteType, opNamed } from '../graph/op';
import { Refusal } from '../graph/refusal';
import { showType } from '../graph/show';
import type { Tensor } from '../tensor';
import { heldBytes } from './backend';
import { fuse } from './fuse';

export type EvaluationProblem =
  /** A length or a parameter is still a symbol. */
  | 'symbol'
  /** A source has no values, or not of its shape. */
  | 'source'
  /** MLX would raise for these shapes. */
  | 'refused'
  /** More memory would be needed than is allowed. */
  | 'memory'
  /** Nothing here can compute an operation. */
  | 'kernel'
  /** A kernel failed. */
  | 'failed';

/** Why an evaluation did not start or did not end. `node` is the array at fault, if one is. */
export class EvaluationError extends Error {
  constructor(
    readonly problem: EvaluationProblem,
    message: string,
    readonly node: ArrayNode | null = null,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'EvaluationError';
  }
}

/** One application of an operation, with everything a number. */
export interface PlannedStep {
  /** What was recorded: it makes `call.outputs`. The step may compute it by another operation and from other arrays. */
  readonly call: OpCall;
  readonly op: string;
  readonly attrs: Attrs;
  readonly nodes: readonly ArrayNode[];
  /** Types of `nodes`. */
  readonly inputs: readonly ConcreteType[];
  readonly out: readonly ConcreteType[];
}

export interface Step extends PlannedStep {
  /** Arrays that nothing after this step needs. */
  readonly frees: readonly ArrayNode[];
}

export interface Plan {
  readonly steps: readonly Step[];
  /** The values of sources, given and constant. */
  readonly sources: ReadonlyMap<ArrayNode, Tensor>;
  /** Bytes of the arrays that are held at the same time at most. */
  readonly peakBytes: number;
}

export interface PlanOptions {
  /** What is known of the symbols; nothing is learnt into it. */
  readonly facts?: Facts;
  /** Values of symbols, chosen by the user. */
  readonly symbols?: ReadonlyMap<DimSymbol, number>;
  /** Values of sources, or of any array in place of computing it. */
  readonly bind?: ReadonlyMap<ArrayNode, Tensor>;
  /** Most bytes to be held at a time; unlimited without it. */
  readonly memoryLimit?: number;
}

/**
 * @throws EvaluationError when a symbol has no number, a source no values, MLX would raise, or the memory does not do
 */
export function plan(outputs: readonly ArrayNode[], options: PlanOptions = {}): Plan {
  const facts = options.facts ?? new Facts();
  const mark = facts.mark();
  try {
    const bind = options.bind ?? new Map<ArrayNode, Tensor>();
    for (const [symbol, value] of options.symbols ?? [])
      if (!facts.define(symbol, value))
        throw new EvaluationError('symbol', `${symbol.name} cannot be ${value}: the code gives it another value`);
    const { calls, sources } = reachable(outputs, bind);
    learnFromSources(facts, sources);
    const types = new Map<ArrayNode, ConcreteType>();
    for (const [node, value] of sources) types.set(node, value);
    const steps = fuse(
      calls.map(call => concreteStep(facts, call, types)),
      outputs,
    );
    return schedule(steps, sources, outputs, options.memoryLimit ?? Infinity);
  } finally {
    facts.undo(mark);
  }
}

// ---- what is needed ---------------------------------------------------------------------------------------------------

/** The calls that the outputs rest on, each after those it rests on, and the sources with their values. */
function reachable(
  outputs: readonly ArrayNode[],
  bind: ReadonlyMap<ArrayNode, Tensor>,
): { calls: OpCall[]; sources: Map<ArrayNode, Tensor> } {
  const calls: OpCall[] = [];
  const sources = new Map<ArrayNode, Tensor>();
  const seen = new Set<OpCall>();
  // depth first without recursion: graphs of whole models are deep
  const stack: { call: OpCall; next: number }[] = [];
  const visit = (node: ArrayNode): void => {
    const value = bind.get(node) ?? node.value;
    if (value) sources.set(node, value);
    else if (!node.call) throw new EvaluationError('source', `${describe(node)} has no values: give it some`, node);
    else if (!seen.has(node.call)) {
      seen.add(node.call);
      stack.push({ call: node.call, next: 0 });
    }
  };
  for (const output of outputs) {
    visit(output);
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (top.next < top.call.inputs.length) visit(top.call.inputs[top.next++]);
      else calls.push(stack.pop()!.call);
    }
  }
  return { calls, sources };
}

/** How a message names an array. */
const describe = (node: ArrayNode): string =>
  node.label ? `${node.label}, ${showType(node)},` : `an array ${showType(node)}`;

// ---- numbers for symbols ----------------------------------------------------------------------------------------------

/** The shapes of the values given for sources say what the symbols in them are. */
function learnFromSources(facts: Facts, sources: ReadonlyMap<ArrayNode, Tensor>): void {
  for (const [node, value] of sources) {
    const differs = () =>
      new EvaluationError('source', `the values given for ${describe(node)} are ${showType(value)}`, node);
    if (node.dtype !== null && node.dtype !== value.dtype) throw differs();
    const shape = facts.shape(node.shape);
    if (shape === null) continue;
    const tail = shape instanceof OpenShape ? shape.tail : shape;
    const lead = value.shape.length - tail.length;
    if (shape instanceof OpenShape ? lead < 0 : lead !== 0) throw differs();
    if (shape instanceof OpenShape) facts.bindRow(shape.lead, value.shape.slice(0, lead));
    for (const [axis, d] of tail.entries()) if (!learnLength(facts, d, value.shape[lead + axis])) throw differs();
  }
}

function learnLength(facts: Facts, d: Dim, length: number): boolean {
  const known = facts.resolve(d);
  if (typeof known === 'number') return known === length;
  const [term] = known.terms;
  const [factor] = term.factors;
  const alone = known.terms.length === 1 && term.factors.length === 1 && term.coefficient === 1 && factor.power === 1;
  if (alone && factor.atom.form === 'symbol') return facts.define(factor.atom, length);
  if (facts.equal(known, length) === 'no') return false;
  facts.assumeEqual(known, length);
  return true;
}

/** The refusal of a symbol without a number; names those the dims are made of. */
function symbolError(dims: readonly Dim[], where: string, node: ArrayNode | null): EvaluationError {
  const names = new Set(dims.flatMap(d => [...symbolsOf(d)].filter(s => !s.anonymous).map(s => s.name)));
  if (names.size === 0) return new EvaluationError('symbol', `a length of ${where} is not known`, node);
  const list = [...names].join(', ');
  return new EvaluationError(
    'symbol',
    `${list} in ${where} ${names.size > 1 ? 'have' : 'has'} no number yet: give ${names.size > 1 ? 'them' : 'it'} one`,
    node,
  );
}

/** Attributes with numbers for symbols. */
function concreteAttrs(facts: Facts, call: OpCall): Attrs {
  const concrete = (attr: Attr): Attr => {
    if (typeof attr !== 'object' || attr === null) return attr;
    if (attr instanceof Poly) {
      const value = facts.resolve(attr);
      if (typeof value !== 'number') throw symbolError([value], `the arguments of ${call.op}`, call.outputs[0]);
      return value;
    }
    if (Array.isArray(attr)) return attr.map(concrete);
    return Object.fromEntries(Object.entries(attr).map(([name, value]) => [name, concrete(value)]));
  };
  return concrete(call.attrs as Attr) as Attrs;
}

/**
 * The call with numbers throughout: its rule is asked again, since with numbers it may answer what it could not when the
 * graph was recorded.
 */
function concreteStep(facts: Facts, call: OpCall, types: Map<ArrayNode, ConcreteType>): PlannedStep {
  const inputs = call.inputs.map(node => types.get(node)!);
  const attrs = concreteAttrs(facts, call);
  let inferred: ArrayType | readonly ArrayType[];
  try {
    inferred = opNamed(call.op).infer(new Facts(), inputs, attrs);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new EvaluationError('refused', error.message, call.outputs[0], { cause: error });
  }
  const results = Array.isArray(inferred) ? (inferred as readonly ArrayType[]) : [inferred as ArrayType];
  const out = call.outputs.map((node, i) => concreteType(facts, node, results[i]));
  for (const [i, node] of call.outputs.entries()) types.set(node, out[i]);
  return { call, op: call.op, attrs, nodes: call.inputs, inputs, out };
}

function concreteType(facts: Facts, node: ArrayNode, inferred: ArrayType): ConcreteType {
  const dtype = inferred.dtype ?? node.dtype;
  if (dtype === null)
    throw new EvaluationError('symbol', `the dtype of a result of ${node.call!.op} is not known`, node);
  const shape = numbers(inferred.shape) ?? numbers(facts.shape(node.shape));
  if (shape) return { shape, dtype };
  const known = facts.shape(node.shape);
  const dims = known instanceof OpenShape ? known.tail : (known ?? []);
  throw symbolError(dims, `the result of ${node.call!.op}, ${showType({ shape: known, dtype })}`, node);
}

const numbers = (shape: ArrayType['shape']): readonly number[] | null =>
  Array.isArray(shape) && shape.every(d => typeof d === 'number') ? shape : null;

// ---- memory -----------------------------------------------------------------------------------------------------------

/** Adds after which step each array is free, and sums what is held meanwhile. */
function schedule(
  steps: readonly PlannedStep[],
  sources: ReadonlyMap<ArrayNode, Tensor>,
  outputs: readonly ArrayNode[],
  limit: number,
): Plan {
  const lastUse = new Map<ArrayNode, number>();
  for (const [i, { call, nodes }] of steps.entries())
    for (const node of [...call.outputs, ...nodes]) lastUse.set(node, i);
  const kept = new Set(outputs);
  const frees: ArrayNode[][] = steps.map(() => []);
  for (const [node, i] of lastUse) if (!kept.has(node) && !sources.has(node)) frees[i].push(node);

  let held = 0;
  for (const value of sources.values()) held += heldBytes(value);
  let peak = held;
  let largest: PlannedStep | null = null;
  const sizes = new Map<ArrayNode, number>();
  for (const [i, step] of steps.entries()) {
    for (const [j, node] of step.call.outputs.entries()) {
      sizes.set(node, heldBytes(step.out[j]));
      held += sizes.get(node)!;
    }
    if (held > peak) {
      peak = held;
      largest = step;
    }
    for (const node of frees[i]) held -= sizes.get(node)!;
  }
  if (peak > limit)
    throw new EvaluationError(
      'memory',
      `this would need ${showBytes(peak)}, the limit is ${showBytes(limit)}: try fewer rows or a smaller layer`,
      largest?.call.outputs[0] ?? null,
    );
  return { steps: steps.map((step, i) => ({ ...step, frees: frees[i] })), sources, peakBytes: peak };
}

/** `3.2 GB`, in powers of 1000. */
export function showBytes(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  while (bytes >= 999.5 && unit < units.length - 1) {
    bytes /= 1000;
    unit++;
  }
  return `${unit === 0 ? bytes : Number(bytes.toPrecision(bytes < 10 ? 2 : 3))} ${units[unit]}`;
}
