/**
 * The engine beside its peers in one run: jax-js, onnxruntime-web and tfjs-wasm, installed by pinned version into a
 * folder of the system's own for the purpose, and MLX's CPU build where PYTHON names a Python that has it.
 *
 *     [PYTHON=python] [ROUNDS=2] npm run bench -- engine
 *
 * Every contender runs in a process of its own, on one core where taskset exists, in turns; the best of all turns
 * counts, so that what else the machine does weighs on all alike.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import path from 'node:path';
import esbuild from 'esbuild';
import { COMPARED, nameOf, type Size } from './engine/contender';
import { own, quantization } from './engine/own';

const PACKAGES = {
  '@jax-js/jax': '0.1.25',
  '@tensorflow/tfjs-backend-wasm': '4.22.0',
  '@tensorflow/tfjs-core': '4.22.0',
  'onnxruntime-web': '1.30.0',
};
const PEERS = ['jax-js', 'onnxruntime-web', 'tfjs-wasm'];
const MODULES = process.env.MLX_SCOPE_BENCH ?? path.join(tmpdir(), 'mlx-scope-bench');
const ROUNDS = Number(process.env.ROUNDS ?? 2);
const SQUARES: readonly Size[] = [128, 256, 512, 1024, 2048, 4096].map(n => [n, n, n]);

type Figures = Record<string, number>;

// ---- a contender's process ----------------------------------------------------------------------------------------------

const TASKS: Readonly<Record<string, () => Promise<Figures>>> = {
  fast: () => own(COMPARED, 'fast'),
  exact: () => own(COMPARED, 'exact'),
  'fast on 2 threads': () => own(COMPARED.slice(1), 'fast', 2),
  growth: () => own(SQUARES, 'fast'),
  'growth on 2 threads': () => own(SQUARES, 'fast', 2),
  'quantization, exact': () => quantization('exact'),
  'quantization, fast': () => quantization('fast'),
};

// ---- all of them ----------------------------------------------------------------------------------------------------------

const pinned = spawnSync('taskset', ['-c', '0', 'true']).status === 0 ? ['taskset', '-c', '0'] : [];

/** The figures that a command prints last; null where it fails. */
function figuresOf(command: readonly string[], alone: boolean): Figures | null {
  const [file, ...args] = alone ? [...pinned, ...command] : command;
  const { stdout, stderr } = spawnSync(file, args, { encoding: 'utf8', timeout: 300_000, maxBuffer: 1 << 26 });
  try {
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  } catch {
    console.error(`${command.slice(0, 4).join(' ')} failed: ${(stderr || stdout || '').trim().slice(-300)}`);
    return null;
  }
}

function installPeers(): boolean {
  const missing = Object.entries(PACKAGES).filter(([name]) => !existsSync(path.join(MODULES, 'node_modules', name)));
  if (missing.length === 0) return true;
  mkdirSync(MODULES, { recursive: true });
  const wanted = missing.map(([name, version]) => `${name}@${version}`);
  console.log(`installing ${wanted.join(' ')} into ${MODULES}`);
  const flags = ['install', '--prefix', MODULES, '--no-audit', '--no-fund', '--loglevel=error'];
  return spawnSync('npm', [...flags, ...wanted], { stdio: 'inherit' }).status === 0;
}

/** The best of both: most of what is counted in GF/s, least of what is counted in milliseconds. */
function better(a: Figures | undefined, b: Figures | null): Figures | undefined {
  if (!b) return a;
  const merged = { ...a };
  for (const [name, value] of Object.entries(b)) {
    const pick = /,/.test(name) ? Math.min : Math.max;
    merged[name] = name in merged ? pick(merged[name], value) : value;
  }
  return merged;
}

function table(
  title: string,
  rows: readonly string[],
  columns: readonly string[],
  cell: (row: string, column: string) => string,
): void {
  const width = (column: string) => Math.max(column.length, ...rows.map(row => cell(row, column).length));
  const first = Math.max(title.length, ...rows.map(row => row.length));
  console.log(`\n${title.padEnd(first)}  ${columns.map(c => c.padStart(width(c))).join('  ')}`);
  for (const row of rows)
    console.log(`${row.padEnd(first)}  ${columns.map(c => cell(row, c).padStart(width(c))).join('  ')}`);
}

async function main(): Promise<void> {
  const measureAt = path.join(path.dirname(process.argv[1]), 'contender.mjs');
  await esbuild.build({
    entryPoints: [path.resolve('test/bench/engine/contender.ts')],
    bundle: true,
    format: 'esm',
    outfile: measureAt,
    logLevel: 'warning',
  });
  const ownTask = (name: string) => [process.execPath, process.argv[1], '--task', name];
  const peer = (name: string) => [
    process.execPath,
    path.resolve('test/bench/engine/peers.mjs'),
    name,
    MODULES,
    JSON.stringify(COMPARED),
    measureAt,
  ];
  const peers = installPeers() ? PEERS : [];
  const python = process.env.PYTHON;
  const found = new Map<string, Figures | undefined>();
  const add = (name: string, command: readonly string[], alone = true) =>
    found.set(name, better(found.get(name), figuresOf(command, alone)));
  for (let round = 0; round < ROUNDS; round++) {
    add('peak', [process.execPath, path.resolve('test/bench/engine/peak.mjs')]);
    for (const name of Object.keys(TASKS)) add(name, ownTask(name), !/threads/.test(name));
    for (const name of peers) add(name, peer(name));
    if (python) add('MLX CPU', [python, path.resolve('test/bench/engine/mlx_cpu.py'), JSON.stringify(COMPARED)]);
  }
  const peak = found.get('peak')?.peak ?? NaN;
  const figure = (name: string, key: string): number | undefined => found.get(name)?.[key];
  const speed = (value: number | undefined, ofPeak = true): string =>
    value === undefined ? '–' : `${value.toFixed(1)}${ofPeak ? ` (${Math.round((100 * value) / peak)} %)` : ''}`;
  console.log(`${cpus()[0].model}, ${availableParallelism()} cores, Node ${process.versions.node}`);
  console.log(`128-bit FMA peak of one core: ${peak.toFixed(1)} GF/s`);
  const contenders = ['fast', 'exact', ...peers, ...(python ? ['MLX CPU'] : []), 'fast on 2 threads'];
  table('x @ w.T, GF/s (of the peak)', contenders, COMPARED.map(nameOf), (row, column) => speed(figure(row, column)));
  const growth = ['growth', 'growth on 2 threads'];
  table('fast, n × n × n, GF/s', growth, SQUARES.map(nameOf), (row, column) => speed(figure(row, column), false));
  const cases = Object.keys(found.get('quantization, exact') ?? {});
  const timed = ['quantization, exact', 'quantization, fast', ...(python ? ['MLX CPU'] : [])];
  table('milliseconds, one thread', cases, timed, (row, column) => figure(column, row)?.toFixed(2) ?? '–');
}

const task = process.argv.indexOf('--task');
const done = task < 0 ? main() : TASKS[process.argv[task + 1]]().then(figures => console.log(JSON.stringify(figures)));
done.then(
  () => process.exit(0),
  error => {
    console.error(error);
    process.exit(1);
  },
);
