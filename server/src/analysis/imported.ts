/**
 * Names that a file imports from several places, one after the other: cells of a notebook often take `nn` from one
 * framework, and later from another.
 */
import type { Stmt } from '../python/ast';
import type { SourceFile } from './types';

const namesOf = new WeakMap<SourceFile, readonly string[]>();

/** The names that statements at the top level, under no condition, import from more than one place. */
export function importedTwice(source: SourceFile): readonly string[] {
  const known = namesOf.get(source);
  if (known) return known;
  const origins = new Map<string, Set<string>>();
  for (const stmt of source.module.body)
    for (const [name, origin] of imports(stmt)) origins.set(name, (origins.get(name) ?? new Set()).add(origin));
  const names = [...origins].filter(([, from]) => from.size > 1).map(([name]) => name);
  namesOf.set(source, names);
  return names;
}

function imports(stmt: Stmt): [name: string, origin: string][] {
  if (stmt.kind === 'Import')
    return stmt.names.map(a => [a.asname ?? a.name.split('.')[0], a.asname ? a.name : a.name.split('.')[0]]);
  if (stmt.kind === 'ImportFrom')
    return stmt.names.map(a => [a.asname ?? a.name, `${'.'.repeat(stmt.level)}${stmt.module}.${a.name}`]);
  return [];
}
