/**
 * From a keystroke to its diagnostics over a real connection: a file of a thousand lines, made of a fixture's classes
 * under new names, in which every function is edited in turn. A request that needs no analysis is asked all the while:
 * the longest that it waits is the longest that the message loop was blocked.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { TestClient } from '../lsp/client';

const FIXTURE = 'test/fixtures/python/decoder.py';
const LINES = 1000;
const EDITS = 100;
/** What is typed behind what a function answers. */
const ADDED = ' * 2';

/** The fixture's definitions again and again, each time with names of their own. */
function longFile(): string {
  const text = readFileSync(FIXTURE, 'utf8');
  const from = text.indexOf('@dataclass');
  const body = text.slice(from);
  const names = [...body.matchAll(/^(?:class|def) (\w+)/gm)].map(found => found[1]);
  let made = text.slice(0, from);
  for (let i = 0; made.split('\n').length < LINES; i++)
    made += body.replace(/\b\w+\b/g, word => (names.includes(word) ? `${word}${i}` : word));
  return made;
}

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];

async function main(): Promise<void> {
  const client = new TestClient([path.resolve('dist/cli.js'), 'lsp', '--stdio']);
  await client.start();
  const text = longFile();
  const began = performance.now();
  const document = await client.open('model.py', text);
  await client.diagnosticsOf(document.uri, 60_000);
  const first = performance.now() - began;

  let longest = 0;
  let asks = true;
  const asking = (async () => {
    while (asks) {
      const asked = performance.now();
      await client.request('mlx-scope/configs', { uri: document.uri });
      longest = Math.max(longest, performance.now() - asked);
      await new Promise(resolve => setTimeout(resolve, 2));
    }
  })();
  const waits: number[] = [];
  for (let i = 0; i < EDITS; i++) {
    // Now a function answers something else, now it is taken back: blanks alone would change no function.
    const lines = document.text.split('\n');
    const returns = lines.flatMap((line, at) => (/^ {8}return /.test(line) ? [at] : []));
    const line = returns[Math.floor(i / 2) % returns.length];
    const { length } = lines[line];
    const character = i % 2 === 0 ? length : length - ADDED.length;
    const range = { start: { line, character }, end: { line, character: length } };
    const typed = performance.now();
    await client.apply(document, [{ range, newText: i % 2 === 0 ? ADDED : '' }]);
    await client.diagnosticsOf(document.uri);
    waits.push(performance.now() - typed);
  }
  asks = false;
  await asking;
  await client.stop();
  waits.sort((a, b) => a - b);
  const ms = (n: number): string => `${n.toFixed(0)} ms`;
  console.log(`${text.split('\n').length} lines, ${EDITS} edits`);
  console.log(`opened to diagnostics      ${ms(first)}`);
  console.log(`keystroke to diagnostics   p50 ${ms(percentile(waits, 0.5))}, p95 ${ms(percentile(waits, 0.95))}`);
  console.log(`longest wait of a request  ${ms(longest)}`);
}

void main();
