/**
 * docs/coverage.md: every public name of MLX, whether it has a rule here, and where its values are computed.
 *
 * What a name computes is not written down but seen: its recorded cases are run, and the operations that they record
 * are looked up in the tables of the reference kernels and the backends.
 */
import path from 'node:path';
import { WASM_OPS } from '../../engine/backends/wasm';
import { GPU_OPS } from '../../engine/backends/webgpu/ops';
import type { ArrayNode } from '../../engine/src/graph/graph';
import { opNamed } from '../../engine/src/graph/op';
import type { Value } from '../../server/src/interpreter/values';
import { mlxModules } from '../../server/src/mlx';
import { readCases } from './records';
import names from './records/names.json';
import { recordedResult } from './score';

/** Cases of a name that are looked at. */
const ENOUGH = 16;

const RECORDS = ['op_truth', 'layer_truth', 'surface_truth'];
const PREFIXES: Readonly<Record<string, string>> = {
  'mlx.core': 'mx',
  'mlx.nn': 'nn',
  'mlx.optimizers': 'optim',
  'mlx.utils': 'utils',
};

/** `mlx.core.fft` as programs write it: `mx.fft`. */
const written = (module: string): string =>
  module.replace(/^mlx\.(core|nn|optimizers|utils)/, found => PREFIXES[found]);

function* arraysIn(value: Value | null): Generator<ArrayNode> {
  if (value?.kind === 'array') yield value.node;
  else if ((value?.kind === 'list' || value?.kind === 'tuple') && value.items)
    for (const item of value.items) yield* arraysIn(item);
  else if (value?.kind === 'dict') for (const { value: inner } of value.entries.values()) yield* arraysIn(inner);
}

/** The operations behind a value. */
function operationsOf(value: Value | null, into: Set<string>): void {
  const waiting = [...arraysIn(value)];
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    if (!node.call) continue;
    into.add(node.call.op);
    waiting.push(...node.call.inputs);
  }
}

interface Seen {
  cases: number;
  readonly operations: Set<string>;
}

/** What the recorded cases of each family compute. */
function seenFamilies(records: string): Map<string, Seen> {
  const families = new Map<string, Seen>();
  for (const file of RECORDS)
    for (const c of readCases(path.join(records, `${file}.jsonl.gz`))) {
      if (c.error || c.crash) continue;
      const seen = families.get(c.op) ?? { cases: 0, operations: new Set<string>() };
      families.set(c.op, seen);
      if (seen.cases++ < ENOUGH) operationsOf(recordedResult(c), seen.operations);
    }
  return families;
}

const share = (operations: ReadonlySet<string>, has: (op: string) => boolean): string => {
  const count = [...operations].filter(has).length;
  return count === 0 ? '' : count === operations.size ? 'yes' : 'in part';
};

/** What a name is, where it computes no arrays of its own. */
function kindOf(value: Value | undefined): string {
  switch (value?.kind) {
    case 'class':
      return 'class';
    case 'module':
      return 'module';
    case 'builtin':
      return 'yes';
    case undefined:
      return '';
    default:
      return 'constant';
  }
}

function row(name: string, value: Value | undefined, seen: Seen | undefined): string {
  if (!seen || seen.operations.size === 0) return `| \`${name}\` | ${kindOf(value)} | | | |`;
  const { operations } = seen;
  const reference = share(operations, op => opNamed(op).kernel !== undefined);
  const wasm = share(operations, op => WASM_OPS.has(op));
  const webgpu = share(operations, op => Object.hasOwn(GPU_OPS, op));
  return `| \`${name}\` | yes | ${reference} | ${wasm} | ${webgpu} |`.replace(/ {2,}/g, ' ');
}

const HEADER = '| name | rule | reference | wasm | webgpu |\n| --- | --- | --- | --- | --- |';

/** The page. `records` is the folder of the recorded cases. */
export function coveragePage(records: string): string {
  const modules = mlxModules();
  const families = seenFamilies(records);
  const sections: string[] = [];
  let total = 0;
  for (const [module, members] of Object.entries(names.modules)) {
    const table = modules.get(module);
    const rows = members.map(name => {
      const full = `${written(module)}.${name}`;
      return row(full, table?.attributes.get(name), families.get(full));
    });
    total += rows.length;
    sections.push(`## ${module}\n\n${HEADER}\n${rows.join('\n')}`);
  }
  const methods = names.array
    .filter(name => !name.startsWith('__'))
    .map(name => row(`array.${name}`, { kind: 'builtin' } as Value, families.get(`.${name}`)));
  sections.push(`## mlx.core.array\n\n${HEADER}\n${methods.join('\n')}`);
  return `# Coverage

What is known of each public name of MLX ${names.version}. Written by \`npm run truth -- coverage\` from the recorded cases: do not edit.

**rule**: \`yes\` where calls are bound to the signature and answered by a rule of shapes, dtypes and refusals (or, for functions
without arrays, by what they return); \`class\`, \`module\` and \`constant\` are what they say. **reference**, **wasm**, **webgpu**:
whether the operations that the recorded cases of the name record have a kernel there; \`in part\` where some have. What a
backend has no kernel for runs in the reference. Nothing there means that no array is computed.

${total + methods.length} names.

${sections.join('\n\n')}
`;
}
