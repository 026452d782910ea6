/**
 * The entry view: a class made from a config and called with input shapes, a function, or a module-level name.
 */
import { symbol } from '../../../engine/src/dims/dim';
import type { DType } from '../../../engine/src/dtype';
import { lookupClass } from '../interpreter/attributes';
import { type Evaluator, moduleFrame } from '../interpreter/evaluator';
import { args } from '../interpreter/interpreter';
import {
  bool,
  builtin,
  type ClassValue,
  dict,
  type FunctionValue,
  float,
  type InstanceValue,
  instance,
  int,
  list,
  type ModuleValue,
  NONE,
  nativeClass,
  str,
  unknown,
  type Value,
} from '../interpreter/values';
import type { Node } from '../python/ast';
import { walk } from '../python/walk';
import type { Run } from './analyser';
import { symbolic, symbolicArguments } from './parameters';
import type { EntryRequest, SourceFile } from './types';

/** A JSON value as Python reads it. */
export function fromJson(json: unknown): Value {
  if (json === null || json === undefined) return NONE;
  if (typeof json === 'boolean') return bool(json);
  if (json instanceof Number) return float(json.valueOf()); // written with a point or an exponent
  if (typeof json === 'number') return Number.isInteger(json) ? int(json) : float(json);
  if (typeof json === 'string') return str(json);
  if (Array.isArray(json)) return list(json.map(fromJson));
  return dict(Object.entries(json as object).map(([k, v]) => [k, fromJson(v)] as const));
}

/** Told of the entry's instance before it is called: loads weights into it, say. Answers whether it is to be called. */
export type WhenMade = (run: Run, instance: InstanceValue) => boolean;

/** Runs the entry and answers what its call gives. @throws Error when the name is not in the file. */
export function runEntry(run: Run, source: SourceFile, request: EntryRequest, made: WhenMade | null = null): Value {
  const { ev } = run;
  ev.muted++;
  run.notes.paused = true;
  const main = run.host.run(ev, source, packageName(source.path));
  ev.muted--;
  run.notes.paused = false;
  if (request.seed !== null) seed(run, request.seed);
  const frame = moduleFrame(main);
  ev.frames.push(frame);
  try {
    // `Autoencoder.encode` calls that method of what the class makes.
    const [name, method = '__call__'] = request.name.split('.');
    const target = main.attributes.get(name);
    if (!target) throw new Error(`${name} is not defined in ${request.file}`);
    const value = ev.settled(target);
    if (value.kind === 'class') {
      const model = construct(run, main, value, request);
      if (model.kind === 'instance' && value.node) run.notes.self(value.node, model);
      if (model.kind === 'instance' && made && !made(run, model)) return NONE;
      return callWith(run, model, request.inputs, method);
    }
    if (value.kind === 'function') {
      if (!makesModel(value, request)) return ev.call(value, inputsFor(run, value, request.inputs, 0));
      const known = value.node.params.filter(p => Object.hasOwn(request.config ?? {}, p.name));
      const model = ev.call(
        value,
        args(
          [],
          known.map(p => [p.name, fromJson(request.config![p.name])] as const),
        ),
      );
      if (model.kind === 'instance') return callWith(run, model, request.inputs, method);
      return ev.call(value, inputsFor(run, value, request.inputs, 0));
    }
    if (value.kind === 'instance') return ev.call(value, args(positionalInputs(run, request.inputs)));
    return value;
  } finally {
    ev.frames.pop();
  }
}

/** Calls an instance with inputs by name, or in their order where it does not name them; what is not given is symbolic. */
export function callWith(run: Run, instance: Value, inputs: EntryRequest['inputs'], method = '__call__'): Value {
  const { ev } = run;
  const call = ev.getAttribute(instance, method);
  if (!call && method !== '__call__') throw new Error(`there is no method ${method}`);
  const f = call?.kind === 'method' && call.func.kind === 'function' ? call.func : null;
  const passed = f ? inputsFor(run, f, inputs, 1) : args(positionalInputs(run, inputs));
  return ev.call(method === '__call__' || !call ? instance : call, passed);
}

/**
 * Whether a function takes none of the inputs by name, but can be called without them: `resnet20(**options)` makes what
 * they are for.
 */
function makesModel({ node }: FunctionValue, { inputs, config }: EntryRequest): boolean {
  const { params } = node;
  if (inputs.length === 0 || params.some(p => inputs.some(i => i.name === p.name))) return false;
  return params.every(
    p => p.default || p.form === 'vararg' || p.form === 'kwarg' || Object.hasOwn(config ?? {}, p.name),
  );
}

const packageName = (path: string): string => path.replace(/\.py$/, '').split('/').slice(-3).join('.');

function seed(run: Run, value: number): void {
  const { ev } = run;
  const random = run.host.importModule(ev, 'mlx.core.random', 0, {
    kind: 'module',
    name: '',
    file: null,
    attributes: new Map(),
    open: false,
  });
  const set = random?.attributes.get('seed');
  if (set) ev.callWith(set, int(value));
}

/** Makes the class from the config: through the config dataclass of its constructor, or by parameter names. */
export function construct(run: Run, main: ModuleValue, cls: ClassValue, request: EntryRequest): Value {
  const { ev } = run;
  const init = lookupClass(cls, '__init__');
  const config = request.config ?? {};
  if (init?.kind !== 'function') {
    const keywords = Object.entries(config).map(([k, v]) => [k, fromJson(v)] as const);
    return ev.instantiate(cls, args([], keywords));
  }
  if (request.config === null) {
    const { positional, keywords } = symbolicArguments(ev, init, [cls]);
    return ev.instantiate(cls, { positional: positional.slice(1), keywords, open: false });
  }
  const params = init.node.params.slice(1);
  const [first] = params;
  const type =
    first && (configClass(run, main, init, first.annotation) ?? (first.annotation ? null : likelyConfig(main, config)));
  if (type && params.filter(p => !p.default && p.form !== 'vararg' && p.form !== 'kwarg').length <= 1)
    return ev.instantiate(cls, args([configInstance(run, type, config)]));
  const named = params.filter(p => Object.hasOwn(config, p.name)).map(p => [p.name, fromJson(config[p.name])] as const);
  const required = params.filter(
    p => !p.default && p.form !== 'vararg' && p.form !== 'kwarg' && !Object.hasOwn(config, p.name),
  );
  if (required.length === 1 && named.length === 0 && request.config) {
    const given = readsAttributes(run, init, required[0].name, config) ? namespace(ev, config) : fromJson(config);
    return ev.instantiate(cls, args([given]));
  }
  const symbols = required.map(p => [p.name, symbolic(ev, p.name, p.annotation, undefined, init.module)] as const);
  return ev.instantiate(cls, args([], [...named, ...symbols]));
}

/** Whether the file reads the config as `config.hidden_size`, as it would a namespace. */
function readsAttributes(run: Run, { module }: FunctionValue, name: string, config: object): boolean {
  const source = module.file === null ? undefined : run.host.files.get(module.file);
  let found = false;
  if (source)
    walk(source.module, (node: Node) => {
      found ||=
        node.kind === 'Attribute' &&
        node.value.kind === 'Name' &&
        node.value.id === name &&
        Object.hasOwn(config, node.attr);
    });
  return found;
}

/** One that is read by its keys, too: which of its readers takes it for what is not told. */
const NAMESPACE = nativeClass(
  'SimpleNamespace',
  [],
  ['__getitem__', 'get'].map(method => [
    method,
    builtin(method, (ev, { positional: [self, key, fallback = NONE] }) => {
      const name = key && ev.settled(key);
      if (self?.kind !== 'instance' || name?.kind !== 'str' || name.value === null) return unknown('is in the config');
      return self.attributes.get(name.value) ?? (method === 'get' ? fallback : unknown('is not in the config'));
    }),
  ]),
);

function namespace(ev: Evaluator, config: Readonly<Record<string, unknown>>): Value {
  const made = instance(NAMESPACE, ev.origin());
  for (const [name, value] of Object.entries(config)) made.attributes.set(name, fromJson(value));
  return made;
}

/** For a constructor that does not say: the file's dataclass that has most of the config's keys as fields. */
function likelyConfig(main: ModuleValue, config: Readonly<Record<string, unknown>>): ClassValue | null {
  const keys = Object.keys(config);
  let best: ClassValue | null = null;
  let most = keys.length / 2;
  for (const value of main.attributes.values()) {
    if (value.kind !== 'class' || !value.dataclass || value.module !== main) continue;
    const fields = new Set(value.dataclass.map(f => f.name));
    const known = keys.filter(k => fields.has(k)).length;
    if (known > most) [best, most] = [value, known];
  }
  return best;
}

function configClass(run: Run, main: ModuleValue, init: FunctionValue, annotation: unknown): ClassValue | null {
  const node = annotation as { kind: string; id?: string; value?: string } | null;
  const name = node?.kind === 'Name' ? node.id : node?.kind === 'Str' ? node.value : null;
  if (!name) return null;
  // A file that borrows another's model brings a config class of its own under the same name.
  const found = main.attributes.get(name) ?? init.module.attributes.get(name);
  const v = found && run.ev.settled(found);
  return v?.kind === 'class' ? v : null;
}

/** `Args.from_dict(config)` where there is one, else the dataclass with the fields that the config has. */
function configInstance(run: Run, cls: ClassValue, config: Readonly<Record<string, unknown>>): Value {
  const { ev } = run;
  const fromDict = ev.getAttribute(cls, 'from_dict');
  if (fromDict && fromDict.kind !== 'unknown') return ev.callWith(fromDict, fromJson(config));
  const names = cls.dataclass?.filter(f => f.init).map(f => f.name);
  const keywords = Object.entries(config)
    .filter(([k]) => !names || names.includes(k))
    .map(([k, v]) => [k, fromJson(v)] as const);
  return ev.instantiate(cls, args([], keywords));
}

function inputValue(run: Run, spec: EntryRequest['inputs'][number]): Value {
  return run.ev.source(
    { shape: spec.shape.map(d => (typeof d === 'string' ? symbol(d) : d)), dtype: spec.dtype as DType },
    spec.name,
  );
}

function positionalInputs(run: Run, inputs: EntryRequest['inputs']): Value[] {
  return inputs.map(i => inputValue(run, i));
}

function inputsFor(run: Run, f: FunctionValue, inputs: EntryRequest['inputs'], skip: number) {
  const { ev } = run;
  const params = f.node.params.slice(skip);
  const keywords: [string, Value][] = [];
  for (const spec of inputs) {
    const known = params.some(p => p.name === spec.name);
    const open = params.some(p => p.form === 'kwarg');
    if (!known && !open && inputs.length === 1 && params.length > 0)
      keywords.push([params[0].name, inputValue(run, spec)]);
    else if (!known && !open)
      throw new Error(
        `${f.qualifiedName} has no parameter ${spec.name}; it takes ${params.map(p => p.name).join(', ')}`,
      );
    else keywords.push([spec.name, inputValue(run, spec)]);
  }
  const given = new Set(keywords.map(([k]) => k));
  const all = symbolicArguments(ev, f, skip ? [unknown('self')] : []);
  for (const [i, p] of params.entries()) {
    if (given.has(p.name) || p.default || p.form === 'vararg' || p.form === 'kwarg') continue;
    const value = p.form === 'keyword' ? all.keywords.get(p.name) : all.positional[i + skip];
    if (value) keywords.push([p.name, value]);
  }
  return args([], keywords);
}
