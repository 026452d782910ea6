/**
 * Every public name of MLX resolves, and no other.
 */
import { describe, expect, test } from 'vitest';
import type { ModuleValue } from '../../../server/src/interpreter/values';
import { arrayType, mlxModules } from '../../../server/src/mlx';
import names from '../../truth/records/names.json';

const modules = mlxModules();
const { version: _, array: members, ...tables } = names;

describe('every public name resolves', () => {
  test.each(Object.entries(tables))('%s', (path, expected) => {
    const module = modules.get(path);
    expect(module, path).toBeDefined();
    expect((expected as string[]).filter(name => !module!.attributes.has(name))).toEqual([]);
  });

  test('members of mx.array', () => {
    const properties = new Set([
      'T',
      'at',
      'dtype',
      'imag',
      'itemsize',
      'mT',
      'nbytes',
      'ndim',
      'real',
      'shape',
      'size',
    ]);
    const missing = members.filter(name => !properties.has(name) && !arrayType.cls!.attributes.has(name));
    expect(missing).toEqual([]);
  });
});

describe('no other name does', () => {
  const closed = Object.keys(tables).filter(path => path.startsWith('mlx.core'));
  test.each(closed)('%s', path => {
    const module = modules.get(path) as ModuleValue;
    expect(module.open).toBe(false);
    const known = new Set([...(tables as Record<string, string[]>)[path], 'state', 'Group']);
    expect([...module.attributes.keys()].filter(name => !known.has(name))).toEqual([]);
  });
});
