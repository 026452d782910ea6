/**
 * `argparse`: what a program is told on its command line, as far as its options say.
 *
 * An option with a default usually has it, but nothing that rests on it is certain; an int is a symbol named after the
 * option, as parameters are where functions are read on their own.
 */
import { anonymous, isKnown, symbol } from '../../../../engine/src/dims/dim';
import type { Evaluator } from '../evaluator';
import {
  type Arguments,
  bool,
  builtin,
  dict,
  FALSE,
  float,
  type InstanceValue,
  instance,
  int,
  keyOf,
  NONE,
  nativeClass,
  openList,
  str,
  TRUE,
  tuple,
  unknown,
  type Value,
} from '../values';

type Method = (ev: Evaluator, self: InstanceValue, passed: Arguments) => Value;

const method = (name: string, run: Method): readonly [string, Value] => [
  name,
  builtin(name, (ev, { positional: [self, ...positional], keywords, open }) => {
    if (self?.kind !== 'instance') return unknown(`${name} of no parser`);
    return run(ev as Evaluator, self, { positional, keywords, open });
  }),
];

/** Where a parser keeps the value that each option's name will have. */
const OPTIONS = '_options';

const optionsOf = (self: InstanceValue) => {
  const held = self.attributes.get(OPTIONS);
  return held?.kind === 'dict' ? held : null;
};

function setOption(ev: Evaluator, self: InstanceValue, name: string, value: Value): void {
  const options = optionsOf(self);
  if (options) ev.heap.setDictEntry(options, keyOf(str(name))!, { key: str(name), value });
}

/** The text of a value that is known to be one. */
const textOf = (ev: Evaluator, v: Value | undefined): string | null => {
  const s = v && ev.settled(v);
  return s?.kind === 'str' ? s.value : null;
};

/** `--num-layers` is read as `num_layers`; the first long form names the option. */
function destination(flags: readonly string[], dest: string | null): string {
  const named = dest ?? (flags.find(f => f.startsWith('--')) ?? flags[0]).replace(/^--?/, '');
  return named.replaceAll('-', '_');
}

/** A value that the option has unless another is given. */
const usually = (name: string, value: Value): Value => ({ kind: 'parameter', name, settled: value, usual: true });

/** One argument of an option that converts with `type`, a class or function; `fallback` where it has a default. */
function converted(ev: Evaluator, name: string, type: Value | undefined, fallback: Value | undefined): Value {
  const to = type && ev.settled(type);
  const known = fallback && ev.settled(fallback);
  if (known?.kind === 'none') return usually(name, known);
  const kind = !to ? (known?.kind ?? 'str') : to.kind === 'class' ? to.name : 'unknown';
  if (kind === 'int' && (!known || known.kind === 'int')) {
    const usual = known && isKnown(known.value) ? known.value : null;
    if (usual !== null && usual < 0) return usually(name, known!);
    return int(ev.chooseNumber?.(name, usual) ?? symbol(name, { least: usual === 0 ? 0 : 1, usual }));
  }
  if (known) return usually(name, known);
  if (kind === 'float') return float(null);
  if (kind === 'str') return str(null);
  if (kind === 'bool') return bool(null);
  return unknown(`${name} is given on the command line`);
}

function addArgument(ev: Evaluator, self: InstanceValue, { positional, keywords }: Arguments): Value {
  const flags = positional.map(p => textOf(ev, p));
  if (flags.length === 0 || flags.includes(null)) {
    const options = optionsOf(self);
    if (options) ev.heap.setDictRest(options, unknown('is an option whose name is not known'));
    return unknown('is an option');
  }
  const name = destination(flags as string[], textOf(ev, keywords.get('dest')));
  const isOption = flags[0]!.startsWith('-');
  const required = ev.settled(keywords.get('required') ?? FALSE);
  const fallback = keywords.get('default') ?? (isOption && required === FALSE ? NONE : undefined);
  const action = keywords.get('action') ? textOf(ev, keywords.get('action')) : 'store';
  setOption(ev, self, name, optionValue(ev, name, action, fallback, keywords));
  return unknown('is an option');
}

function optionValue(
  ev: Evaluator,
  name: string,
  action: string | null,
  fallback: Value | undefined,
  keywords: Arguments['keywords'],
): Value {
  const type = keywords.get('type');
  switch (action) {
    case 'store': {
      const count = keywords.get('nargs') && ev.settled(keywords.get('nargs')!);
      if (!count || count.kind === 'none' || (count.kind === 'str' && count.value === '?'))
        return converted(ev, name, type, fallback);
      if (fallback) return usually(name, fallback);
      const length = count.kind === 'int' ? count.value : symbol(`len(${name})`);
      return openList(converted(ev, name, type, undefined), length);
    }
    case 'store_true':
      return usually(name, keywords.get('default') ?? FALSE);
    case 'store_false':
      return usually(name, keywords.get('default') ?? TRUE);
    case 'append':
    case 'extend':
      return fallback ? usually(name, fallback) : openList(converted(ev, name, type, undefined), anonymous());
    case 'count':
      return fallback && ev.settled(fallback).kind === 'int' ? usually(name, fallback) : int(anonymous());
    default:
      return fallback ? usually(name, fallback) : unknown(`${name} is given on the command line`);
  }
}

const NAMESPACE = nativeClass('Namespace', []);

function namespace(ev: Evaluator, self: InstanceValue): InstanceValue {
  const made = instance(NAMESPACE, ev.origin());
  const options = optionsOf(self);
  for (const { key, value } of options?.entries.values() ?? [])
    if (key.kind === 'str' && key.value !== null) made.attributes.set(key.value, value);
  made.open = !options || options.rest !== null;
  return made;
}

const answersSelf: Method = (_, self) => self;

const PARSER = nativeClass(
  'ArgumentParser',
  [],
  [
    method('add_argument', addArgument),
    method('set_defaults', (ev, self, { keywords }) => {
      for (const [name, value] of keywords) setOption(ev, self, name, usually(name, value));
      return NONE;
    }),
    method('get_default', () => unknown('is the default of an option')),
    // Groups and sub-commands add to the options of one namespace.
    method('add_argument_group', answersSelf),
    method('add_mutually_exclusive_group', answersSelf),
    method('add_subparsers', answersSelf),
    method('add_parser', answersSelf),
    method('parse_args', namespace),
    method('parse_known_args', (ev, self) => tuple([namespace(ev, self), openList(str(null), anonymous())])),
    method('print_help', () => NONE),
    method('print_usage', () => NONE),
  ],
  (ev, cls) => {
    const made = instance(cls, ev.origin());
    made.attributes.set(OPTIONS, dict());
    return made;
  },
);

export const ARGPARSE: readonly (readonly [string, Value])[] = [
  ['ArgumentParser', PARSER],
  ['Namespace', NAMESPACE],
];
