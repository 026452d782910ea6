/** The manifest agrees with the protocol and with what is on disk. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import manifest from '../../../package.json';
import { COMMANDS, DEFAULT_SETTINGS } from '../../../server/src/protocol';

const root = path.resolve(import.meta.dirname, '../../..');
const { contributes } = manifest;

test('settings have the defaults of the protocol', () => {
  const properties: Record<string, { default: unknown }> = contributes.configuration.properties;
  const declared = Object.fromEntries(Object.entries(properties).map(([name, { default: value }]) => [name, value]));
  const expected: Record<string, unknown> = { 'mlxScope.trace.server': 'off' };
  for (const [group, value] of Object.entries(DEFAULT_SETTINGS)) {
    if (typeof value !== 'object') expected[`mlxScope.${group}`] = value;
    else for (const [name, inner] of Object.entries(value)) expected[`mlxScope.${group}.${name}`] = inner;
  }
  expect(declared).toEqual(expected);
});

test('every command that a menu or a lens names is declared', () => {
  const declared = new Set(contributes.commands.map(({ command }) => command));
  const named = Object.values(contributes.menus).flatMap(items =>
    items.flatMap(item => ('command' in item ? [item.command] : [])),
  );
  for (const command of [...named, ...Object.values(COMMANDS)]) expect(declared).toContain(command);
});

test('files that the manifest names are there', () => {
  const pictures = contributes.walkthroughs.flatMap(({ steps }) => steps.map(step => step.media.markdown));
  const grammars = contributes.grammars.map(grammar => grammar.path);
  for (const file of [manifest.icon, ...pictures, ...grammars])
    expect(existsSync(path.join(root, file)), file).toBe(true);
});

test('the lock file names no registry', () => {
  const lock = readFileSync(path.join(root, 'package-lock.json'), 'utf8');
  expect(lock).not.toMatch(/"resolved": "http/);
});
