/** What runs of one view tell of a file together, place by place. */
import { showType } from '../../../engine/src/graph/show';
import { sameKnowledge } from '../interpreter/join';
import { MOST_AT_A_PLACE, type Notes, type Seen } from './notes';
import { alternatives, distinct, mostTelling, type Told } from './tell';
import type { Observation } from './types';

interface Site extends Pick<Seen, 'kind' | 'place' | 'name' | 'function'> {
  readonly told: Told[];
  readonly texts: Set<string>;
}

/** Everything seen in a file by runs of one view over the same facts, with what is known by now put in. */
export function observationsOf(file: string, runs: readonly Notes[]): Observation[] {
  const [first] = runs;
  if (!first) return [];
  const sites = runs.length === 1 ? [...first.sites(file)].map(seen => siteOf(seen, first)) : merged(file, runs);
  const all: Observation[] = [];
  for (const { kind, place, name, function: within, told } of sites) {
    const kept = first.view === 'reader' ? mostTelling(told.flatMap(t => alternatives(t, v => first.typeOf(v)))) : told;
    for (const { value, type } of distinct(kept))
      all.push({ ...place, kind, view: first.view, name, function: within, value, type });
  }
  return all.sort((a, b) => a.start - b.start || a.end - b.end || (a.kind < b.kind ? -1 : 1));
}

function siteOf({ kind, place, name, function: within, values, types }: Seen, notes: Notes): Site {
  // What was known when it was seen may have been undone with its branch; what was learnt since is more.
  const told = values.map((value, i): Told => ({ value, type: notes.learnt(types[i]) }));
  return { kind, place, name, function: within, told, texts: new Set() };
}

function merged(file: string, runs: readonly Notes[]): Iterable<Site> {
  const sites = new Map<string, Site>();
  for (const notes of runs)
    for (const seen of notes.sites(file)) {
      const { kind, place } = seen;
      const key = `${kind}:${place.start}:${place.end}`;
      const site = sites.get(key);
      const added = siteOf(seen, notes);
      if (site) for (const told of added.told) add(site, told, notes);
      else {
        for (const { type } of added.told) if (type) added.texts.add(showType(type));
        sites.set(key, added);
      }
    }
  return sites.values();
}

/** Adds a value that another reading saw at a place, unless it is no news. */
function add({ told, texts }: Site, seen: Told, notes: Notes): void {
  if (told.length >= MOST_AT_A_PLACE) return;
  if (seen.type) {
    const text = showType(seen.type);
    if (texts.has(text)) return;
    texts.add(text);
  } else if (told.some(t => sameKnowledge(notes.facts!, t.value, seen.value))) return;
  told.push(seen);
}
