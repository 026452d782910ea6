/**
 * The world as the interpreter sees it: MLX's surface, Python's library, and the modules of the workspace.
 */

import { attempt } from '../interpreter/branches';
import { BUILTINS } from '../interpreter/builtins/functions';
import { type Evaluator, type Host, moduleFrame } from '../interpreter/evaluator';
import type { ArraysInFile } from '../interpreter/interpreter';
import { block } from '../interpreter/statements';
import { standardLibrary } from '../interpreter/stdlib/modules';
import { type ModuleValue, module, str } from '../interpreter/values';
import { arrayType, mlxModules } from '../mlx';
import { conventionalMethod } from '../mlx/protocols';
import type { SourceFile, SourceProvider } from './types';

const library = standardLibrary();
const surface = mlxModules();

/** Modules imported during one run; sources come from `sources`. */
export class WorkspaceHost implements Host {
  readonly arrayType = arrayType;
  readonly builtins = BUILTINS;
  /** Files that were read, by path. */
  readonly files = new Map<string, SourceFile>();
  /** Checkpoints that were looked at. */
  readonly checkpoints = new Set<string>();

  constructor(private readonly sources: SourceProvider) {}

  importModule(ev: Evaluator, name: string, level: number, from: ModuleValue): ModuleValue | null {
    if (level === 0) {
      const builtIn = surface.get(name) ?? library.get(name);
      if (builtIn) return builtIn;
      if (name.startsWith('mlx.')) return null;
    }
    if (!from.file) return null;
    const path = this.sources.resolve(name, level, from.file);
    if (path === null) return null;
    const before = ev.modules.get(path);
    if (before) return before;
    const source = this.sources.source(path);
    return source && this.run(ev, source, moduleName(name, level, from));
  }

  readonly conventionalMethod = conventionalMethod;

  arraysIn(path: string): ArraysInFile | null {
    this.checkpoints.add(path);
    return this.sources.arraysIn?.(path) ?? null;
  }

  /** Runs a file's top level as the module `name`. */
  run(ev: Evaluator, source: SourceFile, name: string): ModuleValue {
    this.files.set(source.path, source);
    const made: ModuleValue = { ...module(name), file: source.path };
    ev.modules.set(source.path, made);
    made.attributes.set('__name__', str(name));
    made.attributes.set('__file__', str(source.path));
    const frame = moduleFrame(made, ev.origin());
    ev.frames.push(frame);
    try {
      const flow = attempt(() => block(ev, source.module.body));
      // A module that raises while it loads leaves what it had; what it lacks is unknown.
      if (flow) made.open = true;
    } finally {
      ev.frames.pop();
    }
    return made;
  }
}

function moduleName(name: string, level: number, from: ModuleValue): string {
  if (level === 0) return name;
  const parts = from.name.split('.');
  return [...parts.slice(0, Math.max(0, parts.length - level)), name].filter(Boolean).join('.');
}
