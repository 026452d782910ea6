/**
 * Checkpoints that belong to documents: attached ones give their weights to what is run, and every one is compared with
 * its model when it is attached, and again when the source has changed.
 */
import type { Analyser } from '../analysis/analyser';
import { type CheckpointCheck, checkCheckpoint } from '../analysis/checkpoint';
import type { AttachedModel } from '../features/executor';
import { checkpointDiagnostics } from '../rules/checkpoint';
import type { Diagnostic } from '../rules/diagnostic';
import { readCheckpoint } from '../workspace/checkpoint';
import { join } from '../workspace/paths';
import type { Workspace } from '../workspace/workspace';
import { entryFor, readConfig } from './inputs';

export interface Comparison {
  readonly model: AttachedModel;
  readonly check: CheckpointCheck;
  readonly diagnostics: readonly Diagnostic[];
}

type Config = Readonly<Record<string, unknown>>;

export class Checkpoints {
  private readonly attached = new Map<string, AttachedModel>();
  private readonly compared = new Map<string, Comparison>();

  constructor(
    private readonly workspace: Workspace,
    private readonly analyser: () => Analyser,
  ) {}

  /** The model whose weights what is run in the document gets; null where nothing is attached. */
  model(path: string): AttachedModel | null {
    return this.attached.get(path) ?? null;
  }

  /** What the last comparison found, until the document changes. */
  diagnostics(path: string): readonly Diagnostic[] {
    return this.compared.get(path)?.diagnostics ?? [];
  }

  /** Whether the document was compared before, so that it is to be compared again after a change. */
  follows(path: string): boolean {
    return this.compared.has(path);
  }

  /**
   * The model that the weights are for. Without a config, the config.json beside the weights is taken.
   * @throws Error with a message for the user
   */
  async open(path: string, weights: string, entry: string | null, config: Config | null): Promise<AttachedModel> {
    const name = entry ?? entryFor(this.analyser().analyse(path));
    if (!name) throw new Error('This file has no nn.Module class that a checkpoint could be of.');
    const checkpoint = await readCheckpoint(weights, this.workspace.files);
    return { entry: name, config: config ?? this.configBeside(checkpoint.folder) ?? {}, checkpoint };
  }

  private configBeside(folder: string): Config | null {
    const path = join(folder, 'config.json');
    return this.workspace.files.kind(path) === 'file' ? readConfig(this.workspace.files, path) : null;
  }

  /** From now on the document's model has these weights; null: none. */
  attach(path: string, model: AttachedModel | null): void {
    if (model) this.attached.set(path, model);
    else {
      this.attached.delete(path);
      this.compared.delete(path);
    }
  }

  /** Compares the document's model with its files. @throws Error with a message for the user */
  compare(path: string, model: AttachedModel): Comparison {
    const { entry, config, checkpoint } = model;
    const request = { file: path, name: entry, config, inputs: [], seed: null };
    const check = checkCheckpoint(this.analyser(), request, checkpoint);
    const comparison = { model, check, diagnostics: checkpointDiagnostics(check, checkpoint.problems) };
    this.compared.set(path, comparison);
    return comparison;
  }

  /** Compares again what was compared before; nothing where that fails, as while one is typing. */
  compareAgain(path: string): void {
    const before = this.compared.get(path);
    if (!before) return;
    try {
      this.compare(path, before.model);
    } catch {
      this.compared.set(path, { ...before, diagnostics: [] });
    }
  }
}
