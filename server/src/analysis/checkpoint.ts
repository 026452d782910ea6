/**
 * A model against a checkpoint, key by key: what is missing, what is unexpected, what has another shape, and why.
 */
import type { ArrayType } from '../../../engine/src/graph/op';
import type { RefusalKind } from '../../../engine/src/graph/refusal';
import type { InstanceValue, Origin, Value } from '../interpreter/values';
import { isModule, moduleEntries } from '../mlx/nn/membership';
import { explainMismatch, type NumericType, type Packing, packingOfLayer } from '../mlx/nn/mismatch';
import { parametersOf } from '../mlx/nn/parameters';
import { leavesOf } from '../mlx/nn/tree';
import { isPacking, moduleAt, numericType, shapesDiffer } from '../mlx/nn/weights';
import type { Expr } from '../python/ast';
import { walk } from '../python/walk';
import type { Analyser, Run } from './analyser';
import { type Loaded, prepareWeights, type QuantizationConfig } from './loading';
import type { EntryRequest } from './types';

export type CheckKind = Extract<RefusalKind, `weights-${string}`>;

/** One name of the model or of the checkpoint. */
export interface CheckedParameter {
  readonly name: string;
  /** null where both agree, or it cannot be told (then `open` of the check). */
  readonly kind: CheckKind | null;
  /** What the model has; null for a name that only the checkpoint has. */
  readonly model: NumericType | null;
  /** What the checkpoint gives after `sanitize`; null for a name that only the model has. */
  readonly given: NumericType | null;
  /** Why, as a part of a sentence. */
  readonly explanation: string | null;
  /** Whether it is certain that loading fails here; some loaders put up with the rest. */
  readonly certain: boolean;
  /** Where the source makes the parameter, or what should hold it. */
  readonly place: Origin | null;
}

export interface CheckpointCheck {
  readonly parameters: readonly CheckedParameter[];
  /** Whether some names or shapes could not be told, so that more may be wrong. */
  readonly open: boolean;
  readonly notes: readonly string[];
  /** The name of the model's class, where it is defined. */
  readonly root: Origin | null;
}

/** A checkpoint's files, as far as they could be read. */
export interface CheckpointFiles {
  readonly arrays: ReadonlyMap<string, ArrayType>;
  readonly problems: readonly { readonly message: string; readonly arrays: readonly string[] }[];
  /** Whether `arrays` and the problems' name all that there is. */
  readonly complete: boolean;
}

/**
 * Makes the model and compares it with the files, as `load_model` of mlx-lm would meet them.
 * @throws Error with a message for the user where the model cannot be made
 */
export function checkCheckpoint(analyser: Analyser, request: EntryRequest, files: CheckpointFiles): CheckpointCheck {
  let check: CheckpointCheck | null = null;
  let place: Origin | null = null;
  const analysis = analyser.entry(request, {
    made: (run, root) => {
      place = classPlace(root);
      const places = new Places(root);
      check = compare(run, root, prepareWeights(run, root, files.arrays, request.config), places);
      return false;
    },
  });
  if (check === null) {
    const [finding] = analysis.findings;
    throw new Error(finding?.message ?? analysis.limits[0] ?? `${request.name} is no class that makes a model`);
  }
  return withFiles({ ...(check as CheckpointCheck), root: place }, files, analysis.limits);
}

/** The check with what is wrong with the files: arrays that they lack are not the model's fault. */
function withFiles(check: CheckpointCheck, files: CheckpointFiles, limits: readonly string[]): CheckpointCheck {
  const damaged = new Map(
    files.problems.flatMap(({ message, arrays }) => arrays.map(name => [name, message] as const)),
  );
  let unread = 0;
  const parameters = check.parameters.flatMap((p): CheckedParameter[] => {
    const message = damaged.get(p.name);
    if (message && (p.kind === null || p.kind === 'weights-missing'))
      return [{ ...p, kind: 'weights-file', explanation: message, certain: true }];
    if (p.kind === 'weights-missing' && !files.complete) {
      unread++;
      return [];
    }
    return [p];
  });
  const notes = [...check.notes, ...limits];
  if (unread > 0) notes.push(`${unread} parameters are in none of the files that can be read.`);
  return { ...check, parameters, open: check.open || unread > 0 || limits.length > 0, notes };
}

function compare(run: Run, root: InstanceValue, loaded: Loaded, places: Places): CheckpointCheck {
  const { ev } = run;
  const { weights, notes } = loaded;
  if (weights === null) return { parameters: [], open: true, notes, root: null };
  const leaves = leavesOf(ev, parametersOf(ev, root));
  const own = new Map<string, Value>();
  for (const [path, leaf] of leaves.pairs) if (path !== null) own.set(path, leaf);
  const rows: CheckedParameter[] = [];
  const row = (name: string, part: Partial<CheckedParameter>) =>
    rows.push({
      name,
      kind: null,
      model: numericType(ev, own.get(name)),
      given: numericType(ev, weights.get(name)),
      explanation: null,
      certain: true,
      place: places.of(name),
      ...part,
    });
  let open = leaves.open || loaded.open;
  const surplus = [...weights.keys()].filter(name => !own.has(name));
  const missing = [...own.keys()].filter(name => !weights.has(name));
  const renamed = matchNames(ev, missing, surplus, own, weights);
  for (const [name, wanted] of own) {
    const given = weights.get(name);
    if (!given) {
      if (loaded.open) continue;
      const similar = renamed.get(name);
      const packed = name.replace(/(scales|biases)$/, 'weight');
      const unpacked =
        packed !== name && numericType(ev, weights.get(packed))?.dtype !== 'uint32' && weights.has(packed);
      if (unpacked)
        row(name, {
          kind: 'weights-quantized',
          explanation: 'the layer is quantized, and the checkpoint holds its weight as floats',
        });
      else
        row(name, {
          kind: 'weights-missing',
          explanation: similar ? `${similar} of the same shape is there instead` : null,
        });
    } else if (wanted.kind !== 'array' || given.kind !== 'array') {
      if (given.kind === 'unknown') open = true;
      row(name, {});
    } else if (shapesDiffer(ev, wanted, given)) {
      const [model, found] = [numericType(ev, wanted), numericType(ev, given)];
      const head = name.slice(0, name.lastIndexOf('.') + 1);
      const owner = moduleAt(ev, root, name);
      const beside = (part: string) => numericType(ev, weights.get(head + part));
      const around = {
        owner,
        name: name.slice(head.length),
        given: { scales: beside('scales'), weight: beside('weight') },
      };
      const why = model && found ? explainMismatch(model, found, around) : null;
      const explanation = why?.explanation ?? null;
      const heads = model && found ? headsText(places.holder(name), model.shape[0], found.shape[0]) : null;
      row(name, { kind: why?.kind ?? 'weights-shape', explanation: heads ?? explanation });
    } else row(name, contradiction(run, root, name, loaded.quantization));
  }
  if (!leaves.open)
    for (const name of surplus) {
      const packed = isPacking(name, own);
      const similar = [...renamed].find(([, other]) => other === name)?.[0];
      row(name, {
        kind: packed ? 'weights-quantized' : 'weights-unexpected',
        explanation: packed
          ? 'the checkpoint is quantized here, and the layer is not'
          : similar
            ? `the model has ${similar} of the same shape, which the checkpoint lacks`
            : /(^|\.)lm_head\.weight$/.test(name) && [...own.keys()].some(n => n.endsWith('embed_tokens.weight'))
              ? 'the model ties its output head to the embedding'
              : null,
      });
    }
  return { parameters: rows, open, notes, root: null };
}

/**
 * A layer packed otherwise than the config's general setting says, and not named by the config: newer versions of mlx-lm
 * go by the widths, other loaders by the config.
 */
function contradiction(
  run: Run,
  root: InstanceValue,
  name: string,
  quantization: QuantizationConfig | null,
): Partial<CheckedParameter> {
  if (!quantization || !name.endsWith('.weight')) return {};
  const path = name.slice(0, -'.weight'.length);
  const made: Packing | null = packingOfLayer(moduleAt(run.ev, root, name));
  if (!made || quantization.layers.has(path)) return {};
  const { bits, groupSize } = quantization;
  if (made.bits === bits && made.groupSize === groupSize) return {};
  return {
    kind: 'weights-quantized',
    certain: false,
    explanation: `it is packed with ${made.bits} bits in groups of ${made.groupSize}, and the config says ${bits} bits in groups of ${groupSize}`,
  };
}

// ---- names ------------------------------------------------------------------------------------------------------------

/**
 * Names that only the model has → names that only the checkpoint has, where one was likely renamed to the other: equal
 * shapes, and no other pair of them is as alike.
 */
function matchNames(
  ev: Run['ev'],
  missing: readonly string[],
  surplus: readonly string[],
  own: ReadonlyMap<string, Value>,
  weights: ReadonlyMap<string, Value>,
): Map<string, string> {
  const found = new Map<string, string>();
  const typeText = (v: Value | undefined) => numericType(ev, v)?.shape.join('×') ?? '';
  const byShape = new Map<string, string[]>();
  for (const name of surplus) {
    const type = typeText(weights.get(name));
    byShape.set(type, [...(byShape.get(type) ?? []), name]);
  }
  const taken = new Set<string>();
  for (const name of missing) {
    let best: { name: string; score: number } | null = null;
    for (const other of byShape.get(typeText(own.get(name))) ?? []) {
      const score = likeness(name, other);
      if (!taken.has(other) && score > (best?.score ?? LEAST_LIKENESS)) best = { name: other, score };
    }
    if (!best) continue;
    found.set(name, best.name);
    taken.add(best.name);
  }
  return found;
}

const LEAST_LIKENESS = 0.4;

/** The part of two dotted names that is common at their beginnings and ends, between 0 and 1; numbers have to agree. */
function likeness(a: string, b: string): number {
  const numbers = (name: string) => name.match(/\d+/g)?.join() ?? '';
  if (numbers(a) !== numbers(b)) return 0;
  const shorter = Math.min(a.length, b.length);
  let [front, back] = [0, 0];
  while (front < shorter && a[front] === b[front]) front++;
  while (back < shorter - front && a[a.length - 1 - back] === b[b.length - 1 - back]) back++;
  return (front + back) / Math.max(a.length, b.length);
}

/** `8 heads of 64 make 512, the checkpoint has 256`: numbers of the module that multiply to the width. */
function headsText(holder: InstanceValue | null, want: number, got: number): string | null {
  if (!holder || want === got) return null;
  const number = (name: string): number | null => {
    const v = holder.attributes.get(name);
    return v?.kind === 'int' && typeof v.value === 'number' ? v.value : null;
  };
  const size = number('head_dim') ?? number('head_size');
  if (!size || got % size !== 0) return null;
  for (const name of holder.attributes.keys()) {
    const heads = /heads?$|^n_|^num_/.test(name) ? number(name) : null;
    if (heads !== null && heads * size === want)
      return `${name} is ${heads}, of ${size} each; the checkpoint has ${got / size}`;
  }
  return null;
}

// ---- places -----------------------------------------------------------------------------------------------------------

/** Where the parameters of a model are made. Taken before it is quantized: the layers made then have no place. */
export class Places {
  private readonly owners = new Map<string, InstanceValue>();

  constructor(private readonly root: InstanceValue) {
    const seen = new Set<Value>();
    const visit = (value: Value, path: string): void => {
      const v = value.kind === 'parameter' && value.settled ? value.settled : value;
      if (v.kind === 'list') for (const [i, item] of (v.items ?? []).entries()) visit(item, `${path}.${i}`);
      else if (v.kind === 'dict')
        for (const { key, value: item } of v.entries.values())
          if (key.kind === 'str') visit(item, `${path}.${key.value}`);
      if (!isModule(v) || seen.has(v)) return;
      seen.add(v);
      this.owners.set(path, v);
      for (const [name, inner] of moduleEntries(v).entries) visit(inner, path ? `${path}.${name}` : name);
      seen.delete(v);
    };
    visit(root, '');
  }

  /** The innermost module on the way to a name, with the rest of the name. */
  private owner(name: string): { path: string; module: InstanceValue; rest: string } {
    let path = name;
    for (;;) {
      const dot = path.lastIndexOf('.');
      path = dot < 0 ? '' : path.slice(0, dot);
      const module = path === '' ? this.root : this.owners.get(path);
      if (module) return { path, module, rest: name.slice(path.length).replace(/^\./, '') };
    }
  }

  /** The paths of modules, as they were. */
  *modules(): Iterable<readonly [path: string, module: InstanceValue]> {
    yield* this.owners;
  }

  /** The module that holds the layer of this parameter: the attention of a projection. */
  holder(name: string): InstanceValue | null {
    const { path } = this.owner(name);
    return path === '' ? null : this.owner(path).module;
  }

  /** Where the layer is made; of a class of the user's own, where it assigns the array; for a stranger, where its parent is. */
  of(name: string): Origin | null {
    const { module, rest } = this.owner(name);
    return (
      assignment(module, rest.split('.')[0]) ??
      (module.cls.node && module === this.root ? classPlace(module) : (module.origin ?? classPlace(module)))
    );
  }
}

function classPlace({ cls, origin }: InstanceValue): Origin | null {
  const { node, module } = cls;
  if (!node || !module?.file) return origin;
  return { file: module.file, start: node.nameStart, end: node.nameStart + node.name.length };
}

/** The target `self.name` of the first assignment in the class, or in one it derives from. */
function assignment({ cls }: InstanceValue, name: string): Origin | null {
  for (const { node, module } of cls.mro) {
    if (!node || !module?.file) continue;
    let found: Expr | null = null;
    walk(node, n => {
      if (found || n.kind !== 'Assign') return;
      found = n.targets.find(t => t.kind === 'Attribute' && t.attr === name && t.value.kind === 'Name') ?? null;
    });
    if (found) return { file: module.file, start: (found as Expr).start, end: (found as Expr).end };
  }
  return null;
}
