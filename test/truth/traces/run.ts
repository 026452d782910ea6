/**
 * Runs a traced program in the interpreter, one scenario after the other, as the recorder ran it in Python.
 */

import type { Facts } from '../../../engine/src/dims/facts';
import type { DType } from '../../../engine/src/dtype';
import { source } from '../../../engine/src/graph/graph';
import { cast } from '../../../engine/src/numeric/cast';
import { fromJson } from '../../../server/src/analysis/entry';
import { WorkspaceHost } from '../../../server/src/analysis/host';
import { Notes } from '../../../server/src/analysis/notes';
import { attempt } from '../../../server/src/interpreter/branches';
import {
  BudgetSpent,
  Evaluator,
  moduleFrame,
  type PythonRaise,
  type Recorder,
} from '../../../server/src/interpreter/evaluator';
import { block } from '../../../server/src/interpreter/statements';
import { array, type DictEntry, int, keyOf, module, str, type Value } from '../../../server/src/interpreter/values';
import { parse } from '../../../server/src/python/parse';
import { parseConfig } from '../../../server/src/session/inputs';
import type { Workspace } from '../../../server/src/workspace/workspace';
import type { RecordedInput, TracedProgram } from './records';

/** A program as Python: what is imported first, then a statement for each scenario, over some arrays. */
interface Script {
  /** A file that need not exist, beside which the program's modules are found. */
  readonly place: string;
  readonly setup: string;
  readonly scenarios: readonly (readonly [name: string, code: string])[];
  readonly env: { readonly [name: string]: RecordedInput };
  readonly config: Value | null;
  /** The module that is known as `program`: its name need not be one that Python can write. */
  readonly imported: string | null;
}

const tokens = (...shape: number[]): RecordedInput => ({ shape, dtype: 'int32' });

/** The scenarios of every configured language model. */
const MODEL_SCENARIOS = [
  ['prefill', 'model(x2_7)'],
  ['prefill_cache', 'cache = make_prompt_cache(model); model(x2_7, cache=cache)'],
  ['decode', 'model(x2_1, cache=cache)'],
  ['prefill_alt', 'model(x3_11)'],
  [
    'bf16',
    'model.update(tree_map(lambda p: p.astype(mx.bfloat16) if mx.issubdtype(p.dtype, mx.floating) else p, model.parameters())); model(x1_5, cache=make_prompt_cache(model))',
  ],
] as const;

const MODEL_INPUTS = { x2_7: tokens(2, 7), x2_1: tokens(2, 1), x3_11: tokens(3, 11), x1_5: tokens(1, 5) };

export function scriptOf(program: TracedProgram, root: string): Script {
  if (program.calls)
    return {
      place: [root, ...(program.path ?? []), '__trace__.py'].join('/'),
      setup: `from types import SimpleNamespace\n${program.setup ?? ''}`,
      scenarios: [['init', `model = ${program.model}`], ...program.calls.map((call, i) => [`call${i}`, call] as const)],
      env: program.env ?? {},
      config: null,
      imported: null,
    };
  const { args_class = 'ModelArgs', model_class = 'Model' } = program;
  const make =
    program.ctor === 'ModelArgs' ? `program.${args_class}(**config)` : `program.${args_class}.from_dict(config)`;
  return {
    place: `${root}/__trace__.py`,
    setup: `from mlx_lm.models.cache import make_prompt_cache\nfrom mlx.utils import tree_map`,
    scenarios: [['init', `model = program.${model_class}(${make})`], ...MODEL_SCENARIOS],
    env: MODEL_INPUTS,
    imported: `mlx_lm.models.${program.module}`,
    config: withIntKeys(fromJson(parseConfig(program.configText!, program.id))),
  };
}

/** JSON has no int keys; the recorder read digits as ints. */
function withIntKeys(value: Value): Value {
  if (value.kind === 'list' && value.items) value.items = value.items.map(withIntKeys);
  if (value.kind !== 'dict') return value;
  const entries: DictEntry[] = [...value.entries.values()].map(({ key, value: v }) => ({
    key: key.kind === 'str' && /^-?\d+$/.test(key.value!) ? int(Number(key.value)) : key,
    value: withIntKeys(v),
  }));
  value.entries.clear();
  for (const entry of entries) value.entries.set(keyOf(entry.key)!, entry);
  return value;
}

/** Notes of the scenario that runs. */
class Switch implements Recorder {
  notes = new Notes('entry');
  begin(facts: Facts): Notes {
    this.notes = new Notes('entry');
    this.notes.facts = facts;
    return this.notes;
  }
  observe: Recorder['observe'] = (...seen) => this.notes.observe(...seen);
  refuse: Recorder['refuse'] = (...seen) => this.notes.refuse(...seen);
  made: Recorder['made'] = (...seen) => this.notes.made(...seen);
  called: Recorder['called'] = (...seen) => this.notes.called(...seen);
  entered: Recorder['entered'] = (...seen) => this.notes.entered(...seen);
}

export interface RanScenario {
  readonly name: string;
  readonly notes: Notes;
  readonly facts: Facts;
  /** What ended it early. */
  readonly stopped: string | null;
}

function inputOf({ shape, dtype, values }: RecordedInput): Value {
  const type = { shape, dtype: dtype as DType };
  if (values === undefined) return array(source(type));
  const data = Float64Array.from((values as number[]).flat(9), Number);
  return array(source(type, { value: cast({ shape, dtype: 'float64', data }, type.dtype) }));
}

/** Everything that the interpreter saw, by scenario. `workspace` finds the sources under `root`. */
export function runProgram(program: TracedProgram, workspace: Workspace, root: string): RanScenario[] {
  const script = scriptOf(program, root);
  const recorder = new Switch();
  const host = new WorkspaceHost(workspace);
  const ev = new Evaluator(host, recorder, { steps: 4_000_000, depth: 60 });
  recorder.begin(ev.facts);
  ev.followsAll = true;
  ev.stopsAtRefusal = true;
  ev.observesAll = true;
  const main = { ...module('__trace__'), file: script.place };
  main.attributes.set('__name__', str('__trace__'));
  if (script.config) main.attributes.set('config', script.config);
  for (const [name, input] of Object.entries(script.env)) main.attributes.set(name, inputOf(input));
  const frame = moduleFrame(main);
  const run = (code: string): string | null => {
    ev.frames.length = 0;
    ev.frames.push(frame);
    ev.steps = 0;
    try {
      const flow = attempt(() => block(ev, parse(code).body));
      return flow?.kind === 'raise' ? `raises ${raised(flow.raised)}` : null;
    } catch (e) {
      if (e instanceof BudgetSpent) return e.message;
      throw e;
    }
  };
  ev.frames.push(frame);
  const imported = script.imported && host.importModule(ev, script.imported, 0, main);
  if (imported) main.attributes.set('program', imported);
  const failed = run(`import mlx.core as mx\nimport mlx.nn as nn\n${script.setup}`);
  return script.scenarios.map(([name, code]) => {
    const notes = recorder.begin(ev.facts);
    const stopped = run(code) ?? failed;
    return { name, notes, facts: ev.facts, stopped };
  });
}

function raised({ refusal, value }: PythonRaise): string {
  if (refusal) return refusal.message;
  return value.kind === 'instance' ? value.cls.name : value.kind === 'str' ? `${value.value}` : value.kind;
}
