/**
 * `mlx.core.linalg`, and the norms that `mlx.core` has too.
 */
import { isKnown } from '../../../engine/src/dims/dim';
import type { Attrs } from '../../../engine/src/graph/op';
import type { NormAttrs } from '../../../engine/src/ops/linear_algebra';
import { Unknowable } from '../interpreter/interpreter';
import { type BuiltinValue, tuple } from '../interpreter/values';
import { type Call, define, isOpaque } from './define';

/** A function of one matrix: its arguments beside the matrix, and whether it answers several arrays. */
const ONE_MATRIX: readonly (readonly [name: string, rest: string, several: boolean])[] = [
  ['inv', '*, stream=None', false],
  ['tri_inv', 'upper=False, *, stream=None', false],
  ['cholesky', 'upper=False, *, stream=None', false],
  ['cholesky_inv', 'upper=False, *, stream=None', false],
  ['pinv', '*, stream=None', false],
  ['det', '*, stream=None', false],
  ['slogdet', '*, stream=None', true],
  ['eigvals', '*, stream=None', false],
  ['eig', '*, stream=None', true],
  ['eigvalsh', "UPLO='L', *, stream=None", false],
  ['eigh', "UPLO='L', *, stream=None", true],
  ['lu', '*, stream=None', true],
  ['lu_factor', '*, stream=None', true],
  ['qr', '*, stream=None', true],
];

/** Which triangle is meant, where the function asks for it. */
function which(c: Call): Attrs {
  const names = c.signature.parameters.map(p => p.name);
  if (names.includes('upper')) return { upper: c.flag('upper') };
  return names.includes('UPLO') ? { upper: c.text('UPLO').toUpperCase() === 'U' } : {};
}

const ofMatrix = ([name, rest, several]: (typeof ONE_MATRIX)[number]): BuiltinValue =>
  define(`mx.linalg.${name}(a, ${rest})`, c => {
    const results = c.interpreter.recordAll(name, [c.arrayOnly('a')], which(c));
    return several ? tuple(results) : results[0];
  });

/** @throws Unknowable for an order that is not known */
function order(c: Call): NormAttrs['ord'] {
  const v = c.value('ord');
  if (v.kind === 'none') return null;
  if (v.kind === 'str' && v.value !== null) return v.value;
  if (v.kind === 'int' && isKnown(v.value)) return v.value;
  if (v.kind === 'float' && v.value !== null) return v.value;
  if (isOpaque(v) || v.kind === 'str' || v.kind === 'int' || v.kind === 'float')
    throw new Unknowable('ord is not known');
  throw c.wrong('ord', 'a number or a name');
}

const norm = (signature: string): BuiltinValue =>
  define(signature, c =>
    c.interpreter.record('norm', [c.arrayOnly('a')], {
      ord: order(c),
      axes: c.axes('axis'),
      keepdims: c.flag('keepdims'),
    }),
  );

const two = (signature: string, op: string): BuiltinValue =>
  define(signature, c => c.interpreter.record(op, [c.arrayOnly('a'), c.arrayOnly('b')], which(c)));

export const linalgFunctions: readonly BuiltinValue[] = [
  ...ONE_MATRIX.map(ofMatrix),
  define('mx.linalg.svd(a, compute_uv=True, *, stream=None)', c => {
    const a = c.arrayOnly('a');
    return c.flag('compute_uv') ? tuple(c.interpreter.recordAll('svd', [a])) : c.interpreter.record('svdvals', [a]);
  }),
  two('mx.linalg.solve(a, b, *, stream=None)', 'solve'),
  two('mx.linalg.solve_triangular(a, b, *, upper=False, stream=None)', 'solve_triangular'),
  define('mx.linalg.cross(a, b, axis=-1, *, stream=None)', c =>
    c.interpreter.record('cross', [c.arrayOnly('a'), c.arrayOnly('b')], { axis: c.int('axis') }),
  ),
  norm('mx.linalg.norm(a, /, ord=None, axis=None, keepdims=False, *, stream=None)'),
];

/** Those that `mlx.core` itself holds. */
export const matrixFunctions: readonly BuiltinValue[] = [
  norm('mx.matrix_norm(a, /, ord=None, axis=None, keepdims=False, *, stream=None)'),
  define('mx.hadamard_transform(a, scale=None, stream=None)', c =>
    c.interpreter.record('hadamard_transform', [c.arrayOnly('a')], { scale: c.has('scale') ? c.float('scale') : null }),
  ),
];
