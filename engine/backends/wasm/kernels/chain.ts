/**
 * Chains of elementwise operations: the whole chain for some hundred elements, then for the next, so that what passes
 * between two operations never leaves the first-level cache.
 *
 * A program is a list of steps of five words: operation, up to three operands, dtype to round to. Operands are numbered:
 * the inputs first, then the results of the steps in order. The operations are numbered as in ../chain.ts.
 */
import { cos4, erf4, exp4, expm1x4, log10x4, log1p4, log2x4, log4, pow4, sigmoid4, sin4, tanh4 } from './math';
import { roundAll } from './round';

/** Elements of a register. */
const TILE: usize = 512;
const REGISTER: usize = TILE * 4 + 16;
const MOST_OPERANDS: usize = 48;
const MOST_AXES: usize = 8;
/** Pointers of operands, positions of inputs, counters of axes; then the registers. */
const POSITIONS: usize = MOST_OPERANDS * 4;
const COUNTERS: usize = POSITIONS + MOST_OPERANDS * 4;
const REGISTERS: usize = COUNTERS + MOST_AXES * 4;

/** Bytes of workspace that `chain` needs. */
export function chainWorkspaceBytes(): usize {
  return REGISTERS + MOST_OPERANDS * REGISTER;
}

// Of an input: its address, whether its elements are bytes, its stride along rows (0 or 1), then those of outer axes.
const ADDRESS: usize = 0;
const BYTES: usize = 4;
const INNER: usize = 8;
const OUTER: usize = 12;
const INPUT: usize = OUTER + MOST_AXES * 4;

@inline
function word(p: usize): usize {
  return <usize>load<u32>(p);
}

/**
 * `rank` outer axes with lengths at `axes`; rows of `inner` elements. The result is float32, or bytes of 0 and 1 with
 * `bools`.
 */
export function chain(
  program: usize, steps: usize, inputs: usize, inputCount: usize, axes: usize, rank: usize, inner: usize,
  out: usize, bools: bool, workspace: usize,
): void {
  let rows: usize = 1;
  for (let a: usize = 0; a < rank; a++) rows *= word(axes + a * 4);
  memory.fill(workspace, 0, REGISTERS);
  for (let i: usize = 0; i < inputCount + steps; i++) store<u32>(workspace + i * 4, <u32>(workspace + REGISTERS + i * REGISTER));
  const last = workspace + (inputCount + steps - 1) * 4;
  const result = word(last);
  for (let row: usize = 0; row < rows; row++) {
    for (let first: usize = 0; first < inner; first += TILE) {
      const n = min(inner - first, TILE);
      for (let i: usize = 0; i < inputCount; i++) fetch(inputs + i * INPUT, i, first, n, workspace);
      if (!bools) store<u32>(last, <u32>(out + first * 4));
      for (let s: usize = 0; s < steps; s++) perform(program + s * 20, inputCount + s, n, workspace);
      if (bools) narrow(result, out + first, n);
    }
    out += bools ? inner : inner * 4;
    advance(inputs, inputCount, axes, rank, workspace);
  }
}

/** The next place on the outer axes, the last moving fastest. */
function advance(inputs: usize, inputCount: usize, axes: usize, rank: usize, workspace: usize): void {
  for (let a: isize = <isize>rank - 1; a >= 0; a--) {
    const counter = workspace + COUNTERS + <usize>a * 4;
    const next = word(counter) + 1;
    const wraps = next == word(axes + <usize>a * 4);
    store<u32>(counter, wraps ? 0 : <u32>next);
    for (let i: usize = 0; i < inputCount; i++) {
      const stride = word(inputs + i * INPUT + OUTER + <usize>a * 4);
      const position = workspace + POSITIONS + i * 4;
      store<u32>(position, wraps ? <u32>(word(position) - (next - 1) * stride) : <u32>(word(position) + stride));
    }
    if (!wraps) return;
  }
}

/** Makes operand `i` point to elements first.. of its row: in place where they lie so, else in its register. */
function fetch(input: usize, i: usize, first: usize, n: usize, workspace: usize): void {
  const pointer = workspace + i * 4;
  const position = word(workspace + POSITIONS + i * 4);
  const bytes = word(input + BYTES) != 0;
  const moves = word(input + INNER) != 0;
  if (moves && !bytes) {
    store<u32>(pointer, <u32>(word(input + ADDRESS) + (position + first) * 4));
    return;
  }
  const register = word(pointer);
  if (!moves) {
    // the same for the whole row
    if (first != 0) return;
    const from = word(input + ADDRESS) + (bytes ? position : position * 4);
    const value = f32x4.splat(bytes ? <f32>load<u8>(from) : load<f32>(from));
    for (let k: usize = 0; k < min(n + 4, TILE); k += 4) v128.store(register + k * 4, value);
    return;
  }
  const from = word(input + ADDRESS) + position + first;
  for (let k: usize = 0; k < n; k++) store<f32>(register + k * 4, <f32>load<u8>(from + k));
}

function narrow(from: usize, to: usize, n: usize): void {
  for (let k: usize = 0; k < n; k++) store<u8>(to + k, load<f32>(from + k * 4) != 0 ? 1 : 0);
}

const NEGATIVE: i32 = 1;
const ABS: i32 = 2;
const SQUARE: i32 = 3;
const SQRT: i32 = 4;
const RSQRT: i32 = 5;
const RECIPROCAL: i32 = 6;
const EXP: i32 = 7;
const SIGMOID: i32 = 8;
const TANH: i32 = 9;
const ERF: i32 = 10;
const LOG: i32 = 11;
const LOG2: i32 = 12;
const LOG10: i32 = 13;
const LOG1P: i32 = 14;
const EXPM1: i32 = 15;
const SIN: i32 = 16;
const COS: i32 = 17;
const FLOOR: i32 = 18;
const CEIL: i32 = 19;
const NOT: i32 = 20;
const TRUTH: i32 = 21;

const ADD: i32 = 32;
const SUBTRACT: i32 = 33;
const MULTIPLY: i32 = 34;
const DIVIDE: i32 = 35;
const MAXIMUM: i32 = 36;
const MINIMUM: i32 = 37;
const POWER: i32 = 38;
const EQUAL: i32 = 39;
const NOT_EQUAL: i32 = 40;
const LESS: i32 = 41;
const LESS_EQUAL: i32 = 42;
const GREATER: i32 = 43;
const GREATER_EQUAL: i32 = 44;
const AND: i32 = 45;
const OR: i32 = 46;

const WHERE: i32 = 64;

@inline
function truth(mask: v128): v128 {
  return v128.and(mask, f32x4.splat(1));
}

@inline
function isTrue(x: v128): v128 {
  return f32x4.ne(x, f32x4.splat(0));
}

@inline
function unary(op: i32, x: v128): v128 {
  if (op == NEGATIVE) return f32x4.neg(x);
  if (op == ABS) return f32x4.abs(x);
  if (op == SQUARE) return f32x4.mul(x, x);
  if (op == SQRT) return f32x4.sqrt(x);
  if (op == RSQRT) return f32x4.div(f32x4.splat(1), f32x4.sqrt(x));
  if (op == RECIPROCAL) return f32x4.div(f32x4.splat(1), x);
  if (op == EXP) return exp4(x);
  if (op == SIGMOID) return sigmoid4(x);
  if (op == TANH) return tanh4(x);
  if (op == ERF) return erf4(x);
  if (op == LOG) return log4(x);
  if (op == LOG2) return log2x4(x);
  if (op == LOG10) return log10x4(x);
  if (op == LOG1P) return log1p4(x);
  if (op == EXPM1) return expm1x4(x);
  if (op == SIN) return sin4(x);
  if (op == COS) return cos4(x);
  if (op == FLOOR) return f32x4.floor(x);
  if (op == CEIL) return f32x4.ceil(x);
  if (op == TRUTH) return truth(isTrue(x));
  if (op == NOT) return truth(f32x4.eq(x, f32x4.splat(0)));
  return x;
}

@inline
function binary(op: i32, a: v128, b: v128): v128 {
  if (op == ADD) return f32x4.add(a, b);
  if (op == SUBTRACT) return f32x4.sub(a, b);
  if (op == MULTIPLY) return f32x4.mul(a, b);
  if (op == DIVIDE) return f32x4.div(a, b);
  if (op == MAXIMUM) return f32x4.max(a, b);
  if (op == MINIMUM) return f32x4.min(a, b);
  if (op == POWER) return pow4(a, b);
  if (op == EQUAL) return truth(f32x4.eq(a, b));
  if (op == NOT_EQUAL) return truth(f32x4.ne(a, b));
  if (op == LESS) return truth(f32x4.lt(a, b));
  if (op == LESS_EQUAL) return truth(f32x4.le(a, b));
  if (op == GREATER) return truth(f32x4.gt(a, b));
  if (op == GREATER_EQUAL) return truth(f32x4.ge(a, b));
  if (op == AND) return truth(v128.and(isTrue(a), isTrue(b)));
  return truth(v128.or(isTrue(a), isTrue(b)));
}

@inline
function each(op: i32, a: usize, out: usize, n: usize): void {
  for (let k: usize = 0; k < n * 4; k += 16) v128.store(out + k, unary(op, v128.load(a + k)));
}

@inline
function both(op: i32, a: usize, b: usize, out: usize, n: usize): void {
  for (let k: usize = 0; k < n * 4; k += 16) v128.store(out + k, binary(op, v128.load(a + k), v128.load(b + k)));
}

function choose(condition: usize, a: usize, b: usize, out: usize, n: usize): void {
  for (let k: usize = 0; k < n * 4; k += 16)
    v128.store(out + k, v128.bitselect(v128.load(a + k), v128.load(b + k), isTrue(v128.load(condition + k))));
}

function perform(step: usize, target: usize, n: usize, workspace: usize): void {
  const a = word(workspace + word(step + 4) * 4);
  const b = word(workspace + word(step + 8) * 4);
  const out = word(workspace + target * 4);
  switch (load<i32>(step)) { // one loop an operation
    case NEGATIVE: each(NEGATIVE, a, out, n); break;
    case ABS: each(ABS, a, out, n); break;
    case SQUARE: each(SQUARE, a, out, n); break;
    case SQRT: each(SQRT, a, out, n); break;
    case RSQRT: each(RSQRT, a, out, n); break;
    case RECIPROCAL: each(RECIPROCAL, a, out, n); break;
    case EXP: each(EXP, a, out, n); break;
    case SIGMOID: each(SIGMOID, a, out, n); break;
    case TANH: each(TANH, a, out, n); break;
    case ERF: each(ERF, a, out, n); break;
    case LOG: each(LOG, a, out, n); break;
    case LOG2: each(LOG2, a, out, n); break;
    case LOG10: each(LOG10, a, out, n); break;
    case LOG1P: each(LOG1P, a, out, n); break;
    case EXPM1: each(EXPM1, a, out, n); break;
    case SIN: each(SIN, a, out, n); break;
    case COS: each(COS, a, out, n); break;
    case FLOOR: each(FLOOR, a, out, n); break;
    case CEIL: each(CEIL, a, out, n); break;
    case NOT: each(NOT, a, out, n); break;
    case TRUTH: each(TRUTH, a, out, n); break;
    case ADD: both(ADD, a, b, out, n); break;
    case SUBTRACT: both(SUBTRACT, a, b, out, n); break;
    case MULTIPLY: both(MULTIPLY, a, b, out, n); break;
    case DIVIDE: both(DIVIDE, a, b, out, n); break;
    case MAXIMUM: both(MAXIMUM, a, b, out, n); break;
    case MINIMUM: both(MINIMUM, a, b, out, n); break;
    case POWER: both(POWER, a, b, out, n); break;
    case EQUAL: both(EQUAL, a, b, out, n); break;
    case NOT_EQUAL: both(NOT_EQUAL, a, b, out, n); break;
    case LESS: both(LESS, a, b, out, n); break;
    case LESS_EQUAL: both(LESS_EQUAL, a, b, out, n); break;
    case GREATER: both(GREATER, a, b, out, n); break;
    case GREATER_EQUAL: both(GREATER_EQUAL, a, b, out, n); break;
    case AND: both(AND, a, b, out, n); break;
    case OR: both(OR, a, b, out, n); break;
    case WHERE: choose(a, b, word(workspace + word(step + 12) * 4), out, n); break;
    default: each(0, a, out, n);
  }
  const dtype = load<i32>(step + 16);
  if (dtype != 0) roundAll(out, n, dtype);
}
