/**
 * How MLX's functions and layers are written down: a signature as users know it, and what a call does.
 *
 *     define('mx.reshape(a, /, shape, *, stream=None)', c =>
 *       c.interpreter.record('reshape', [c.array('a')], { shape: c.dims('shape') }))
 *
 * `define` binds arguments as Python does and reports wrong ones with the signature. A value that is not known enough
 * makes the accessor throw `Unknowable`, and the call is worth an unknown value; a value of the wrong type is refused.
 */
import { anonymous, type Dim, isKnown } from '../../../engine/src/dims/dim';
import { DTYPES, type DType } from '../../../engine/src/dtype';
import type { ArrayNode } from '../../../engine/src/graph/graph';
import { Refusal } from '../../../engine/src/graph/refusal';
import { isGuess } from '../interpreter/guess';
import { type Interpreter, Unknowable } from '../interpreter/interpreter';
import type { Arguments, BuiltinValue, NativeValue, Value } from '../interpreter/values';
import { bool, builtin, float, int, NONE, openTuple, str, tuple, unknown } from '../interpreter/values';
import { numpyArray, scalarKind, toArray } from './convert';
import { knownValues } from './known';

export interface Parameter {
  readonly name: string;
  readonly form: 'positional' | 'standard' | 'vararg' | 'keyword' | 'kwarg';
  readonly required: boolean;
  /** The default as written. */
  readonly default: string | null;
}

export interface Signature {
  /** The name callers use: `mx.reshape`, `array.reshape`, `nn.Linear`. */
  readonly name: string;
  readonly parameters: readonly Parameter[];
  readonly text: string;
}

/** Reads a signature: Python's syntax without annotations; defaults are literals. */
export function parseSignature(text: string): Signature {
  const open = text.indexOf('(');
  const parameters: Parameter[] = [];
  let form: Parameter['form'] = 'standard';
  for (const part of splitTopLevel(text.slice(open + 1, text.lastIndexOf(')')))) {
    if (part === '/') {
      for (const [i, p] of parameters.entries()) parameters[i] = { ...p, form: 'positional' };
    } else if (part === '*') form = 'keyword';
    else if (part.startsWith('**'))
      parameters.push({ name: part.slice(2), form: 'kwarg', required: false, default: null });
    else if (part.startsWith('*')) {
      parameters.push({ name: part.slice(1), form: 'vararg', required: false, default: null });
      form = 'keyword';
    } else {
      const [name, value] = part.split(/\s*=\s*/, 2);
      parameters.push({ name, form, required: value === undefined, default: value ?? null });
    }
  }
  return { name: text.slice(0, open), parameters, text };
}

function splitTopLevel(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i <= text.length; i++) {
    const ch = text[i];
    if (ch === '(' || ch === '[') depth++;
    else if (ch === ')' || ch === ']') depth--;
    else if ((ch === ',' && depth === 0) || i === text.length) {
      const part = text.slice(start, i).trim();
      if (part) parts.push(part);
      start = i + 1;
    }
  }
  return parts;
}

/** The value a default literal in a signature stands for. */
function literal(text: string): Value {
  if (text === 'None') return NONE;
  if (text === 'True' || text === 'False') return bool(text === 'True');
  if (/^['"].*['"]$/.test(text)) return str(text.slice(1, -1));
  if (/^\(.*\)$/.test(text)) return tuple(splitTopLevel(text.slice(1, -1)).map(literal));
  if (/^-?\d+$/.test(text)) return int(Number(text));
  if (text === 'inf' || text === '-inf') return float(text === 'inf' ? Infinity : -Infinity);
  if (/^-?[\d.]+(e-?\d+)?$/.test(text)) return float(Number(text));
  throw new Error(`a signature's default is not a literal: ${text}`);
}

/** Arguments bound to a signature, with accessors that say what type is wanted. */
export class Call {
  constructor(
    readonly interpreter: Interpreter,
    readonly signature: Signature,
    /** Parameter name → argument as passed; absent where the default holds. */
    readonly given: ReadonlyMap<string, Value>,
  ) {}

  /** The argument, or the default as a value. */
  value(name: string): Value {
    const given = this.given.get(name);
    if (given !== undefined) return this.interpreter.settled(given);
    const parameter = this.signature.parameters.find(p => p.name === name);
    if (!parameter) throw new Error(`${this.signature.text} has no parameter ${name}`);
    if (parameter.form === 'vararg') return tuple([]);
    if (parameter.default === null) throw new Unknowable(`${name} of ${this.signature.name} is not known`);
    return literal(parameter.default);
  }

  /** Whether the argument was passed and is not None. @throws Unknowable when it may be either. */
  has(name: string): boolean {
    const v = this.value(name);
    if (v.kind === 'union' && v.options.some(o => o.kind === 'none')) throw new Unknowable(`${name} may be None`);
    return v.kind !== 'none';
  }

  /** The argument as an array; scalars and nested lists become arrays as `mx.array` makes them. */
  array(name: string): ArrayNode {
    return toArray(this.interpreter, this.value(name), () => this.wrong(name, 'an array'));
  }

  /** The argument where MLX takes arrays alone: numbers, sequences and NumPy arrays are refused as it refuses them. */
  arrayOnly(name: string): ArrayNode {
    const v = this.value(name);
    if (v.kind === 'list' || v.kind === 'tuple' || v.kind === 'native' || scalarKind(v))
      throw this.wrong(name, 'an array');
    return this.array(name);
  }

  arrayOrNull(name: string): ArrayNode | null {
    return this.has(name) ? this.array(name) : null;
  }

  /** An integer, possibly a symbol. */
  dim(name: string): Dim {
    const v = this.interpreter.settleAs(this.value(name), 'int');
    return this.asDim(v, name);
  }

  /** A value as an int for the argument `name`. */
  asDim(v: Value, name: string): Dim {
    if (v.kind === 'int') return v.value;
    if (v.kind === 'bool' && v.value !== null) return Number(v.value);
    const numpy = numpyArray(v);
    if (numpy?.number) return this.asDim(numpy.number, name);
    const node = v.kind === 'array' ? v.node : numpy?.node;
    if (node) {
      const constant = knownValues(this.interpreter, node);
      if (constant?.data.length === 1) return Number(constant.data[0]);
      const shape = this.interpreter.facts.shape(node.shape);
      if (Array.isArray(shape) && shape.some(d => isKnown(d) && d !== 1)) throw this.wrong(name, 'an int');
    }
    if (isOpaque(v) || node || v.kind === 'instance')
      throw new Unknowable(`${name} of ${this.signature.name} is not known`);
    throw this.wrong(name, 'an int');
  }

  /** An integer that must be a number here. @throws Unknowable for a symbol. */
  int(name: string): number {
    const d = this.interpreter.facts.resolve(this.dim(name));
    if (!isKnown(d)) throw new Unknowable(`${name} of ${this.signature.name} is not a known number`);
    return d;
  }

  /** A sequence of ints (an array of them is one too), or one int as a sequence of it. */
  dims(name: string): Dim[] {
    const v = this.value(name);
    if (v.kind === 'tuple' || v.kind === 'list') {
      if (!v.items) throw new Unknowable(`${name} of ${this.signature.name} has an unknown length`);
      return v.items.map(i => this.asDim(this.interpreter.settleAs(i, 'int'), name));
    }
    if (v.kind === 'range') {
      const { items } = this.interpreter.iterate(v);
      if (!items) throw new Unknowable(`${name} of ${this.signature.name} has an unknown length`);
      return items.map(i => this.asDim(i, name));
    }
    if (v.kind === 'array') {
      const shape = this.interpreter.facts.shape(v.node.shape);
      if (Array.isArray(shape) && shape.length === 1) return this.elements(v.node, shape[0], name);
    }
    if (numpyArray(v)) throw numpyAlone(this.signature.name, name);
    return [this.asDim(this.interpreter.settleAs(v, 'int'), name)];
  }

  /** The elements of an array that stands for a sequence of ints; those that are not known are nameless. */
  private elements(node: ArrayNode, length: Dim, name: string): Dim[] {
    const constant = knownValues(this.interpreter, node);
    if (constant) return Array.from(constant.data as ArrayLike<number | bigint>, Number);
    if (!isKnown(length)) throw new Unknowable(`${name} of ${this.signature.name} has an unknown length`);
    return Array.from({ length }, () => anonymous());
  }

  ints(name: string): number[] {
    return this.dims(name).map(d => {
      const known = this.interpreter.facts.resolve(d);
      if (!isKnown(known)) throw new Unknowable(`${name} of ${this.signature.name} is not known`);
      return known;
    });
  }

  /** `axis`: None → null, an int or a sequence of ints. */
  axes(name: string): number[] | null {
    return this.has(name) ? this.ints(name) : null;
  }

  /** Whether an argument was given as one int and not as a sequence. */
  isInt(name: string): boolean {
    const v = this.value(name);
    return v.kind === 'int' || v.kind === 'bool';
  }

  /** A float or int; null when its value is not known. */
  float(name: string): number | null {
    const v = this.interpreter.settleAs(this.value(name), 'float');
    if (v.kind === 'float') return v.value;
    if (v.kind === 'int') return isKnown(v.value) ? v.value : null;
    if (v.kind === 'bool') return v.value === null ? null : Number(v.value);
    if (isOpaque(v) || v.kind === 'array') return null;
    throw this.wrong(name, 'a float');
  }

  /** A flag: MLX's core takes True and False alone, layers whatever Python does. @throws Unknowable when it may be either */
  flag(name: string): boolean {
    const v = this.value(name);
    const isCore = /^(mx|array)\./.test(this.signature.name);
    if (isCore && v.kind !== 'bool' && !isOpaque(v)) throw this.wrong(name, 'True or False');
    const answer = this.interpreter.truth(v);
    if (answer === null) throw new Unknowable(`${name} of ${this.signature.name} is not known`);
    return answer;
  }

  text(name: string): string {
    const v = this.interpreter.settleAs(this.value(name), 'str');
    if (v.kind === 'str' && v.value !== null) return v.value;
    if (isOpaque(v) || v.kind === 'str') throw new Unknowable(`${name} of ${this.signature.name} is not known`);
    throw this.wrong(name, 'a string');
  }

  /** A dtype argument: null when not given or not known. */
  dtype(name: string): DType | null {
    const v = this.value(name);
    const named = dtypeOf(v);
    if (named) return named;
    if (v.kind === 'none' || isOpaque(v) || isUnknownDType(v)) return null;
    throw this.wrong(name, 'a dtype');
  }

  /** Whether a dtype argument was passed but is not known. */
  dtypeIsUnknown(name: string): boolean {
    const v = this.value(name);
    return isOpaque(v) || isUnknownDType(v);
  }

  /** The items of a tuple or list argument. @throws Unknowable when their number is not known. */
  items(name: string): readonly Value[] {
    const v = this.value(name);
    if (v.kind === 'tuple' || v.kind === 'list') {
      if (v.items) return v.items;
      throw new Unknowable(`${name} of ${this.signature.name} has an unknown length`);
    }
    if (isOpaque(v) || v.kind === 'iterator' || v.kind === 'array')
      throw new Unknowable(`${name} of ${this.signature.name} is not known`);
    throw this.wrong(name, 'a sequence');
  }

  /** The refusal for an argument of a wrong type. @throws Unknowable where its type was only guessed */
  wrong(name: string, wanted: string): Refusal {
    if (isGuess(this.value(name))) throw new Unknowable(`${name} of ${this.signature.name} is not known`);
    return new Refusal(
      'signature',
      `${this.signature.name}: ${name} must be ${wanted}, not ${typeName(this.value(name))}`,
      { name },
      'TypeError',
    );
  }
}

/** Whether nothing is known of a value's type. */
export const isOpaque = (v: Value): boolean => v.kind === 'unknown' || v.kind === 'parameter' || v.kind === 'union';

/** The dtype that a value of MLX's type `Dtype` stands for. */
export function dtypeOf(v: Value): DType | null {
  return v.kind === 'native' && v.type.name === 'Dtype' ? ((v as NativeValue).data as DType) : null;
}
/** A dtype of which no more is known than that. */
const isUnknownDType = (v: Value): boolean => v.kind === 'native' && v.type.name === 'Dtype' && v.data === null;
export const isDType = (name: string): name is DType => (DTYPES as readonly string[]).includes(name);

/** The type's name as a Python message would give it. */
export function typeName(v: Value): string {
  if (v.kind === 'instance') return v.cls.name;
  if (v.kind === 'native') return v.type.name;
  if (v.kind === 'none') return 'None';
  return v.kind;
}

/** What MLX raises for a NumPy number, or array, in the place of a sequence of ints. */
export const numpyAlone = (functionName: string, name: string): Refusal =>
  new Refusal('value', `${functionName}: ${name} is NumPy's; write int(…) around it`, { name }, 'RuntimeError');

export interface DefineOptions {
  /** Alternatives of a union argument are tried one by one (default); false hands the union over. */
  spread?: boolean;
}

/** A function of MLX with its signature. */
export function define(signature: string, run: (call: Call) => Value, options: DefineOptions = {}): BuiltinValue {
  const parsed = parseSignature(signature);
  return builtin(parsed.name, (interpreter, passed) => apply(interpreter, parsed, passed, run, options), signature);
}

/**
 * A method. `self` is bound apart, so that the signature reads as callers write it: `nn.Module.update(parameters, strict=True)`.
 */
export function defineMethod(
  signature: string,
  run: (call: Call, self: Value) => Value,
  options: DefineOptions = {},
): BuiltinValue {
  const parsed = parseSignature(signature);
  const call = (interpreter: Interpreter, passed: Arguments): Value => {
    const [self, ...positional] = passed.positional;
    if (self !== undefined) return apply(interpreter, parsed, { ...passed, positional }, c => run(c, self), options);
    if (passed.open) return unknown(`${parsed.name} is called on something unknown`);
    throw new Refusal('signature', `${parsed.name} is called without an instance`, {}, 'TypeError');
  };
  return builtin(parsed.name, call, signature);
}

const MOST_COMBINATIONS = 8;

function apply(
  interpreter: Interpreter,
  signature: Signature,
  passed: Arguments,
  run: (call: Call) => Value,
  options: DefineOptions,
): Value {
  const given = bind(signature, passed);
  const unions = [...given].filter(([, v]) => interpreter.settled(v).kind === 'union');
  const attempt = (bound: ReadonlyMap<string, Value>): Value => {
    try {
      return run(new Call(interpreter, signature, bound));
    } catch (e) {
      if (e instanceof Unknowable) return unknown(e.reason);
      throw e;
    }
  };
  if (options.spread === false || unions.length === 0) return attempt(given);

  let combinations: Map<string, Value>[] = [new Map(given)];
  for (const [name, v] of unions) {
    const union = interpreter.settled(v);
    if (union.kind !== 'union') continue;
    combinations = combinations.flatMap(c => union.options.map(o => new Map(c).set(name, o)));
    if (combinations.length > MOST_COMBINATIONS) return unknown(`${signature.name} has too many possible arguments`);
  }
  // An alternative that MLX would refuse ends the program there; what goes on is one of the others.
  const results: Value[] = [];
  let refusal: Refusal | null = null;
  for (const c of combinations) {
    try {
      results.push(attempt(c));
    } catch (e) {
      if (!(e instanceof Refusal)) throw e;
      refusal = e;
    }
  }
  if (results.length === 0 && refusal) throw refusal;
  return interpreter.join(results);
}

/** An argument of which it is not known whether it is passed. */
const MAY_BE_PASSED = unknown('may be passed in a *sequence or **mapping');

/**
 * Binds arguments as Python does.
 * @throws Refusal of kind 'signature' for a wrong keyword, a missing or a surplus argument.
 */
export function bind(signature: Signature, passed: Arguments): Map<string, Value> {
  const given = new Map<string, Value>();
  const refuse = (problem: string, name?: string) =>
    new Refusal('signature', `${signature.name} ${problem}. It is called as ${signature.text}`, { name }, 'TypeError');
  const slots = signature.parameters.filter(p => p.form === 'positional' || p.form === 'standard');
  const vararg = signature.parameters.find(p => p.form === 'vararg');
  const kwarg = signature.parameters.find(p => p.form === 'kwarg');
  const surplus: Value[] = [];
  for (const [i, v] of passed.positional.entries()) {
    if (i < slots.length) given.set(slots[i].name, v);
    else surplus.push(v);
  }
  if (vararg && passed.open)
    given.set(vararg.name, openTuple(surplus.length === 0 && passed.rest ? passed.rest : MAY_BE_PASSED, anonymous(0)));
  else if (vararg) given.set(vararg.name, tuple(surplus));
  else if (surplus.length > 0)
    throw refuse(
      `takes ${slots.length} positional argument${slots.length === 1 ? '' : 's'}, not ${passed.positional.length}`,
    );
  for (const [name, v] of passed.keywords) {
    const parameter = signature.parameters.find(
      p => p.name === name && (p.form === 'standard' || p.form === 'keyword'),
    );
    if (!parameter) {
      if (kwarg) continue;
      throw refuse(`has no argument ${name}`, name);
    }
    if (given.has(name)) throw refuse(`is given ${name} twice`, name);
    given.set(name, v);
  }
  if (passed.open) {
    for (const { name } of signature.parameters) if (!given.has(name)) given.set(name, MAY_BE_PASSED);
  } else {
    const missing = signature.parameters.filter(p => p.required && !given.has(p.name));
    if (missing.length > 0) throw refuse(`needs ${missing.map(p => p.name).join(', ')}`, missing[0].name);
  }
  return given;
}
