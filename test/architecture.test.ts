/** Holds the imports between rooms to ARCHITECTURE.md. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');

/** What each room may import besides itself; the first match of a file's path is its room. */
const ROOMS: readonly (readonly [room: string, may: readonly string[]])[] = [
  ['engine/backends/wasm/kernels', []],
  ['engine/backends', ['engine']],
  ['engine/worker', ['engine']],
  ['engine/src', []],
  ['server/src/python', []],
  ['server/src/interpreter', ['server/src/python', 'engine/src']],
  ['server/src/mlx', ['server/src/interpreter', 'server/src/python', 'engine/src']],
  ['server/src/workspace', ['server/src/python', 'server/src/interpreter', 'server/src/analysis', 'engine/src']],
  [
    'server/src/analysis',
    [
      'server/src/python',
      'server/src/interpreter',
      'server/src/mlx',
      'server/src/workspace',
      'server/src/protocol',
      'engine',
    ],
  ],
  [
    'server/src/rules',
    [
      'server/src/python',
      'server/src/interpreter',
      'server/src/mlx',
      'server/src/analysis',
      'server/src/workspace',
      'engine/src',
    ],
  ],
  ['server/src/execution', ['server/src', 'engine']],
  ['server/src/features', ['server/src', 'engine']],
  ['server/src', ['server/src', 'engine', 'package.json']],
  ['client', ['client', 'engine', 'server/src/protocol']],
];

function filesIn(folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(f => /\.tsx?$/.test(f) && !f.includes('node_modules') && !f.includes('generated'))
    .map(f => path.posix.join(folder, f.split(path.sep).join('/')));
}

const files = ['engine', 'server', 'client'].flatMap(filesIn);
const roomOf = (file: string) => ROOMS.find(([room]) => file.startsWith(`${room}/`));

function importsOf(file: string): string[] {
  const text = readFileSync(path.join(root, file), 'utf8');
  return [...text.matchAll(/^(?:import|export)[^'"]*?['"]([^'"]+)['"]/gm)].map(m => m[1]);
}

describe('imports between rooms', () => {
  test('there are files to look at', () => {
    expect(files.length).toBeGreaterThan(50);
  });

  test('each room imports only what it may', () => {
    const wrong: string[] = [];
    for (const file of files) {
      const room = roomOf(file);
      if (!room) continue;
      for (const target of importsOf(file)) {
        if (!target.startsWith('.')) continue;
        const to = path.posix.normalize(path.posix.join(path.posix.dirname(file), target));
        if (to.startsWith(`${room[0]}/`) || to === room[0]) continue;
        if (!room[1].some(r => to === r || to.startsWith(`${r}/`))) wrong.push(`${file} → ${to}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('only the client knows VS Code, only features and the server know the LSP', () => {
    const wrong: string[] = [];
    for (const file of files)
      for (const target of importsOf(file)) {
        if (target === 'vscode' && !file.startsWith('client/')) wrong.push(`${file} → ${target}`);
        if (/^vscode-languageserver/.test(target) && !/^server\/src\/(features\/|server\.ts|main\.|cli)/.test(file))
          wrong.push(`${file} → ${target}`);
      }
    expect(wrong).toEqual([]);
  });

  test('only adapters and the command line use Node', () => {
    const wrong: string[] = [];
    for (const file of files)
      for (const target of importsOf(file))
        if (
          target.startsWith('node:') &&
          !/\.node\.ts$|^server\/src\/cli/.test(file) &&
          !file.startsWith('client/src/main.node')
        )
          wrong.push(`${file} → ${target}`);
    expect(wrong).toEqual([]);
  });
});
