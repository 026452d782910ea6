/**
 * Random programs over Python's own values come out as CPython made them: what is known is right, and most is known.
 *
 * The record is made by `test/truth/python/record.py`.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { formatFloat } from '../../../server/src/interpreter/format';
import type { Value } from '../../../server/src/interpreter/values';
import { run } from '../../support/python';

interface Case {
  readonly code: string;
  readonly out: Readonly<Record<string, unknown>>;
}

const RECORD = path.resolve(import.meta.dirname, '../../truth/python/programs.json.gz');
const cases: readonly Case[] = JSON.parse(gunzipSync(readFileSync(RECORD)).toString());

class NotKnown extends Error {}

/** A value as the record writes it. @throws NotKnown */
function encoded(v: Value): unknown {
  switch (v.kind) {
    case 'none':
      return null;
    case 'bool':
    case 'str':
      if (v.value !== null) return v.value;
      break;
    case 'int':
      if (typeof v.value === 'number') return v.value;
      break;
    case 'float':
      if (v.value !== null) return { f: formatFloat(v.value) };
      break;
    case 'list':
      if (v.items) return v.items.map(encoded);
      break;
    case 'tuple':
      if (v.items) return { t: v.items.map(encoded) };
      break;
    case 'dict':
      if (!v.rest) return { d: [...v.entries.values()].map(e => [encoded(e.key), encoded(e.value)]) };
      break;
    case 'set':
      if (!v.open) return { s: [...v.entries.values()].map(encoded).sort((a, b) => Number(a) - Number(b)) };
      break;
    default:
  }
  throw new NotKnown();
}

function known(v: Value | undefined): unknown {
  try {
    return v && encoded(v);
  } catch (e) {
    if (e instanceof NotKnown) return undefined;
    throw e;
  }
}

test('what is known of a program is what CPython makes of it', () => {
  const wrong: string[] = [];
  let names = 0;
  let unknown = 0;
  for (const { code, out } of cases) {
    const ran = run(code);
    for (const refusal of ran.refusals) wrong.push(`${code}refused: ${refusal.message}`);
    for (const [name, right] of Object.entries(out)) {
      names++;
      const ours = known(ran.names.get(name));
      if (ours === undefined) unknown++;
      else if (JSON.stringify(ours) !== JSON.stringify(right))
        wrong.push(`${code}${name} is ${JSON.stringify(right)}, not ${JSON.stringify(ours)}`);
    }
  }
  expect(wrong).toEqual([]);
  expect(unknown / names).toBeLessThan(0.005);
});
