/**
 * Every public name of MLX resolves, and no other; what MLX writes in Python is called with the same arguments.
 */
import { describe, expect, test } from 'vitest';
import type { ClassValue, ModuleValue, Value } from '../../../server/src/interpreter/values';
import { arrayType, mlxModules } from '../../../server/src/mlx';
import { parseSignature } from '../../../server/src/mlx/define';
import { Module } from '../../../server/src/mlx/nn/module';
import { run } from '../../support/python';
import names from '../../truth/records/names.json';

const modules = mlxModules();
const tables = Object.entries(names.modules);

describe('every public name resolves', () => {
  test.each(tables)('%s', (path, expected) => {
    const module = modules.get(path);
    expect(module, path).toBeDefined();
    expect(expected.filter(name => !module!.attributes.has(name))).toEqual([]);
  });

  test('members of mx.array', () => {
    // what is read of an array and not of the class
    const { refusals, evaluator, names: found } = run('a = mx.ones((1, 1))');
    expect(refusals).toEqual([]);
    const a = found.get('a')!;
    const own = new Set(['__init__', '__module__', '__repr__']);
    const missing = names.array.filter(name => !own.has(name) && evaluator.getAttribute(a, name) === null);
    expect(missing).toEqual([]);
    expect(arrayType.cls!.attributes.has('reshape')).toBe(true);
  });

  test('members of nn.Module', () => {
    const { evaluator, names: found } = run('m = nn.Module()');
    const m = found.get('m')!;
    // how MLX itself keeps attributes
    const own = /^__(annotations|\w+attr)__$|^_(set_training_mode|validate_keys)/;
    expect(names.Module.filter(name => !own.test(name) && evaluator.getAttribute(m, name) === null)).toEqual([]);
    expect(Module.attributes.has('parameters')).toBe(true);
  });

  /** Members of the classes of `mlx.core`, by an expression of each class. */
  const MEMBERS: readonly (readonly [expression: string, members: readonly string[]])[] = [
    ['mx.Device(mx.cpu)', ['type']],
    ['mx.default_stream(mx.cpu)', ['device']],
    ['mx.float32', ['size']],
    ['mx.cpu', ['name']],
    ['mx.finfo(mx.float32)', ['bits', 'dtype', 'eps', 'max', 'min', 'smallest_normal', '__repr__']],
    ['mx.iinfo(mx.int8)', ['dtype', 'max', 'min', '__repr__']],
    ['mx.ones((2,)).at[0]', ['add', 'subtract', 'multiply', 'divide', 'maximum', 'minimum']],
    ['mx.custom_function(lambda x: x)', ['jvp', 'vjp', 'vmap']],
    ['mx.PrintOptions(3)', ['precision']],
    ['mx.distributed.init()', ['rank', 'size', 'split']],
  ];
  test.each(MEMBERS)('members of %s', (expression, members) => {
    const { evaluator, names: found, refusals } = run(`x = ${expression}`);
    expect(refusals).toEqual([]);
    expect(members.filter(name => evaluator.getAttribute(found.get('x')!, name) === null)).toEqual([]);
  });
});

describe('no other name does', () => {
  const closed = tables.filter(([path]) => path.startsWith('mlx.core'));
  test.each(closed)('%s', (path, expected) => {
    const module = modules.get(path) as ModuleValue;
    expect(module.open).toBe(false);
    // a name of MLX's stub files, and one that the module computes
    const known = new Set([...expected, 'DLPackCompatible', 'state']);
    expect([...module.attributes.keys()].filter(name => !name.startsWith('_') && !known.has(name))).toEqual([]);
  });
});

describe('arguments', () => {
  /** The signature of what is called: a class's is its constructor's, its own or inherited. */
  function signatureOf(value: Value | undefined): string | null {
    if (value?.kind === 'builtin') return value.signature;
    if (value?.kind !== 'class') return null;
    for (const cls of value.mro as readonly ClassValue[]) {
      const init = cls.attributes.get('__init__');
      if (init?.kind === 'builtin') return init.signature;
    }
    return null;
  }

  const FORMS = {
    positional: 'positional_only',
    standard: 'positional_or_keyword',
    vararg: 'var_positional',
    keyword: 'keyword_only',
    kwarg: 'var_keyword',
  };

  test.each(Object.entries(names.parameters))('of what %s writes in Python', (path, table) => {
    const differing: string[] = [];
    for (const [name, expected] of Object.entries(table as Record<string, readonly string[]>)) {
      const signature = signatureOf(modules.get(path)?.attributes.get(name));
      if (signature === null) continue;
      const ours = parseSignature(signature).parameters.map(
        p => `${FORMS[p.form]} ${p.name}${p.default === null ? '' : '='}`,
      );
      if (ours.join() !== expected.join()) differing.push(`${name}: ${ours.join(', ')} | MLX: ${expected.join(', ')}`);
    }
    expect(differing).toEqual([]);
  });
});
