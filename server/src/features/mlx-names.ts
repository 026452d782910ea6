/**
 * MLX's names in a source: what `mx.reshape` or `Linear` refers to, how it is called, and where it is documented.
 */
import type { BuiltinValue, ModuleValue, Value } from '../interpreter/values';
import { mlxModules } from '../mlx';
import type { Expr, Module } from '../python/ast';
import { walk } from '../python/walk';

const surface = mlxModules();

export interface MlxName {
  /** `mlx.core.reshape`, `mlx.nn.Linear`. */
  readonly path: string;
  /** `mx.reshape(a, /, shape, *, stream=None)`; null when it is not known. */
  readonly signature: string | null;
  readonly url: string;
}

/** Names of a file that stand for MLX modules or their members: local name → dotted path. */
export function mlxImports(module: Module): Map<string, string> {
  const found = new Map<string, string>();
  walk(module, node => {
    if (node.kind === 'Import')
      for (const { name, asname } of node.names) {
        if (name !== 'mlx' && !name.startsWith('mlx.')) continue;
        if (asname) found.set(asname, name);
        else found.set('mlx', 'mlx');
      }
    if (node.kind === 'ImportFrom' && node.level === 0 && (node.module === 'mlx' || node.module.startsWith('mlx.')))
      for (const { name, asname } of node.names) if (name !== '*') found.set(asname ?? name, `${node.module}.${name}`);
  });
  return found;
}

/** The dotted path that an expression names, or null where it is not one of MLX. */
export function mlxPath(expression: Expr, imports: ReadonlyMap<string, string>): string | null {
  if (expression.kind === 'Name') return imports.get(expression.id) ?? null;
  if (expression.kind !== 'Attribute') return null;
  const base = mlxPath(expression.value, imports);
  return base === null ? null : `${base}.${expression.attr}`;
}

/** What a dotted path names, or null for what MLX does not have. */
export function mlxName(path: string): MlxName | null {
  const value = lookUp(path);
  return value && (value.kind === 'builtin' || value.kind === 'class')
    ? { path, signature: signatureOf(value, path), url: documentationUrl(path, value) }
    : null;
}

/** A method of arrays: `reshape`. */
export const arrayMethod = (name: string): MlxName | null => mlxName(`mlx.core.array.${name}`);

/** Names of a module or of the array class, for completion. */
export function membersOf(path: string): readonly string[] {
  const value = surface.get(path);
  return value ? [...value.attributes.keys()].filter(name => !name.startsWith('_')) : [];
}

function lookUp(path: string): Value | null {
  const module = surface.get(path);
  if (module) return module;
  const dot = path.lastIndexOf('.');
  if (dot < 0) return null;
  const owner: ModuleValue | Value | null = surface.get(path.slice(0, dot)) ?? lookUp(path.slice(0, dot));
  if (owner?.kind !== 'module' && owner?.kind !== 'class') return null;
  return owner.attributes.get(path.slice(dot + 1)) ?? null;
}

function signatureOf(value: BuiltinValue | (Value & { kind: 'class' }), path: string): string | null {
  if (value.kind === 'builtin') return value.signature;
  const init = value.attributes.get('__init__');
  if (init?.kind === 'builtin' && init.signature) return init.signature;
  return path.startsWith('mlx.nn.') ? `nn.${value.name}()` : null;
}

const DOCUMENTATION = 'https://ml-explore.github.io/mlx/build/html/python';

/** MLX's documentation keeps layers, functions of `mlx.nn` and optimizers in folders of their own. */
function documentationUrl(path: string, value: Value): string {
  if (path.startsWith('mlx.optimizers.')) return `${DOCUMENTATION}/optimizers/_autosummary/${path}.html`;
  if (!path.startsWith('mlx.nn.')) return `${DOCUMENTATION}/_autosummary/${path}.html`;
  const folder = value.kind === 'class' || path.startsWith('mlx.nn.init.') ? '_autosummary' : '_autosummary_functions';
  return `${DOCUMENTATION}/nn/${folder}/${path}.html`;
}
