/** Puts together what the runs of an analysis say of one file. */
import { Facts } from '../../../engine/src/dims/facts';
import type { ArrayType } from '../../../engine/src/graph/op';
import type { ClassValue, InstanceValue } from '../interpreter/values';
import { isModule, isModuleClass } from '../mlx/nn/membership';
import type { Call, Node, Stmt } from '../python/ast';
import { walk } from '../python/walk';
import { addType, type LayerUse, type Notes } from './notes';
import { observationsOf } from './observations';
import type { Run } from './run';
import type { ClassSite, FileAnalysis, Finding, LayerSite, Observation, SourceFile, View } from './types';

const VIEWS: readonly View[] = ['program', 'reader', 'entry'];

export function collect(source: SourceFile, runs: readonly Run[]): FileAnalysis {
  const { path } = source;
  let observations: Observation[] | null = null;
  const findings: Finding[] = [];
  const classes: ClassSite[] = [];
  const facts: Record<View, Facts> = { program: new Facts(), reader: new Facts(), entry: new Facts() };
  const said = new Set<string>();
  for (const { notes, ev } of runs) {
    facts[notes.view] = ev.facts;
    for (const f of notes.findings) {
      const key = `${f.start}:${f.kind}`;
      if (f.file !== path || said.has(key)) continue;
      said.add(key);
      findings.push(f);
    }
  }
  for (const stmt of source.module.body) if (stmt.kind === 'ClassDef') classes.push(classSite(source, stmt, runs));
  return {
    source,
    // Whoever reports findings alone, of many files that import the same ones, never asks.
    get observations() {
      observations ??= VIEWS.flatMap(view =>
        observationsOf(
          path,
          runs.map(run => run.notes).filter(notes => notes.view === view),
        ),
      );
      return observations;
    },
    findings: findings.sort((a, b) => a.start - b.start),
    layers: layerSites(source, runs),
    classes,
    facts,
    dependencies: new Set(runs.flatMap(r => [...r.host.files.keys(), ...r.host.checkpoints])),
    limits: runs.flatMap(r => r.limits),
  };
}

// ---- layers -----------------------------------------------------------------------------------------------------------

/**
 * The layers that a file makes. At each place the first one stands for all, with what it met in every reading of the
 * class that made it.
 */
function layerSites(source: SourceFile, runs: readonly Run[]): LayerSite[] {
  const calls = callsOf(source);
  const sites = new Map<number, { site: LayerSite & Met; subject: Node | null }>();
  for (const { notes } of runs)
    for (const use of notes.layers.values()) {
      const { place, instance } = use;
      if (place.file !== source.path || !isModule(instance)) continue;
      const before = sites.get(place.start);
      if (before) {
        if (before.subject && before.subject === notes.subject && isFirst(use, notes)) meet(before.site, use);
        continue;
      }
      const found = calls.get(`${place.start}:${place.end}`);
      if (!found) continue;
      const site = {
        ...place,
        node: found.call,
        name: found.name,
        instance: notes.lasting(instance),
        view: notes.view,
        inputs: [...use.inputs],
        outputs: [...use.outputs],
      };
      sites.set(place.start, { site, subject: notes.subject });
    }
  return [...sites.values()].map(({ site }) => site);
}

interface Met {
  readonly inputs: ArrayType[];
  readonly outputs: ArrayType[];
}

function meet(site: Met, use: LayerUse): void {
  for (const type of use.inputs) addType(site.inputs, type);
  for (const type of use.outputs) addType(site.outputs, type);
}

const firsts = new WeakMap<Notes, Map<number, InstanceValue>>();

/** Whether a layer that a reading met is the first that was made at its place. */
function isFirst({ instance, place }: LayerUse, { base }: Notes): boolean {
  if (!base) return false;
  let first = firsts.get(base);
  if (!first) {
    first = new Map();
    for (const use of base.layers.values()) {
      const { start } = use.place;
      if (!first.has(start)) first.set(start, use.instance);
    }
    firsts.set(base, first);
  }
  return first.get(place.start) === instance;
}

const callTables = new WeakMap<SourceFile, Map<string, { call: Call; name: string | null }>>();

/** Every call of a file by its place, with the name it is assigned to. */
function callsOf(source: SourceFile): Map<string, { call: Call; name: string | null }> {
  const known = callTables.get(source);
  if (known) return known;
  const table = new Map<string, { call: Call; name: string | null }>();
  walk(source.module, (node: Node) => {
    if (node.kind === 'Call') {
      const key = `${node.start}:${node.end}`;
      if (!table.has(key)) table.set(key, { call: node, name: null });
    } else if (node.kind === 'Assign' && node.value.kind === 'Call') {
      const target = node.targets[0];
      const { start, end } = target;
      table.set(`${node.value.start}:${node.value.end}`, { call: node.value, name: source.text.slice(start, end) });
    }
  });
  callTables.set(source, table);
  return table;
}

function classSite(source: SourceFile, stmt: Stmt & { kind: 'ClassDef' }, runs: readonly Run[]): ClassSite {
  let instance: InstanceValue | null = null;
  let known: ClassValue | null = null;
  for (const { ev, notes } of runs) {
    const cls = ev.modules.get(source.path)?.attributes.get(stmt.name);
    if (cls?.kind === 'class') known = cls;
    for (const use of notes.layers.values())
      if (!instance && use.instance.cls.node === stmt) instance = notes.lasting(use.instance);
  }
  for (const { notes } of runs) instance ??= notes.selfOf(stmt);
  return {
    file: source.path,
    start: stmt.start,
    end: stmt.end,
    name: stmt.name,
    isModule: known !== null && isModuleClass(known),
    instance,
  };
}
