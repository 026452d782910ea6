/**
 * Makes pyright's parser small enough to ship: an esbuild plugin for every bundle that holds `server/src/python`.
 *
 * The parser needs almost nothing of three modules that pull in fourteen languages of messages, file systems and worker
 * support: 2 MB without the plugin, 0.2 MB with it. A fourth has one function that only runs on Node. Tests import the
 * package as it is; the two behave the same.
 */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

/** The English messages that the parser uses, by name. */
function parserMessages(dist) {
  const source = readFileSync(join(dist, 'parser', 'parser.js'), 'utf8');
  const strings = JSON.parse(readFileSync(join(dist, 'localization', 'package.nls.en-us.json'), 'utf8'));
  const table = { LocMessage: {}, LocAddendum: {} };
  for (const [, group, name] of source.matchAll(/\b(LocMessage|LocAddendum)\.(\w+)/g)) {
    const entry = strings[group === 'LocMessage' ? 'Diagnostic' : 'DiagnosticAddendum'][name];
    if (entry === undefined)
      throw new Error(`pyright's parser uses the message ${name}, which its strings do not have`);
    table[group][name] = typeof entry === 'string' ? entry : entry.message;
  }
  return table;
}

/** A message with `{name}` in it is formatted by its user, the others are plain strings. */
const localize = messages => `
  const messages = ${JSON.stringify(messages)};
  const fill = (text, values) => text.replace(/\\{(\\w+)\\}/g, (_, name) => values[name]);
  const read = text => () => (/\\{\\w+\\}/.test(text) ? { format: values => fill(text, values) } : text);
  for (const [group, table] of Object.entries(messages)) {
    exports[group] = Object.fromEntries(Object.entries(table).map(([name, text]) => [name, read(text)]));
  }`;

const TIMING = `
  const timer = { timeOperation: callback => callback() };
  exports.timingStats = { tokenizeFileTime: timer, parseFileTime: timer };`;

/** Cuts a string loose from the text it is part of, by way of Node's Buffer: not needed where sources are kept whole. */
const CLONE = `exports.cloneStr = text => text;`;

const URI = `exports.Uri = { empty: () => ({ key: '', isEmpty: () => true }) };`;

/** @type {() => import('esbuild').Plugin} */
export function pyrightParser() {
  return {
    name: 'pyright-parser-stubs',
    setup(build) {
      const dist = join(dirname(require.resolve('@zzzen/pyright-internal/package.json')), 'dist');
      const core = join(dist, 'common', 'core.js');
      const stubs = new Map([
        [join(dist, 'localization', 'localize.js'), () => localize(parserMessages(dist))],
        [core, () => `${readFileSync(core, 'utf8')}\n${CLONE}`],
        [join(dist, 'common', 'timing.js'), () => TIMING],
        [join(dist, 'common', 'uri', 'uri.js'), () => URI],
      ]);
      build.onLoad({ filter: /[\\/](?:localize|core|timing|uri)\.js$/ }, ({ path }) => {
        const contents = stubs.get(path)?.();
        return contents === undefined ? undefined : { contents, loader: 'js' };
      });
    },
  };
}
