/**
 * What of `mlx.core` is about machines and files: devices, streams, memory, evaluation, saving and loading, processes.
 *
 * None of it changes a shape. What a program could learn only at run time is an int nothing is known of, or unknown.
 */
import { anonymous, type Dim, mul, type Poly, symbol } from '../../../engine/src/dims/dim';
import type { ArrayNode } from '../../../engine/src/graph/graph';
import { Refusal } from '../../../engine/src/graph/refusal';
import { args, type Interpreter } from '../interpreter/interpreter';
import {
  type BuiltinValue,
  bool,
  builtin,
  type ClassValue,
  dict,
  int,
  type ModuleValue,
  module,
  type NativeType,
  type NativeValue,
  NONE,
  nativeClass,
  str,
  tuple,
  unknown,
  type Value,
} from '../interpreter/values';
import { type Call, define, defineMethod, isOpaque } from './define';
import { givenDtype, sequence } from './sequences';

// ---- devices and streams ----------------------------------------------------------------------------------------------

/** `mx.cpu` and `mx.gpu`; a device is one of them, or null where it is not known. */
type DeviceName = 'cpu' | 'gpu';

/** A class whose calls answer a native value. */
const making = (name: string, signature: string, make: (c: Call) => Value): ClassValue =>
  nativeClass(name, [], [], (interpreter, _, passed) => define(signature, make).call(interpreter, passed));

const deviceTypeClass = nativeClass('DeviceType', []);
const native = (type: NativeType, data: unknown): NativeValue => ({ kind: 'native', type, data });

/** Devices and their types are equal when they name the same; null where one is not known. */
function compareDevices(_: Interpreter, op: string, value: Value, other: Value): Value | null {
  if (op !== '==' && op !== '!=') return null;
  const [a, b] = [(value as NativeValue).data as DeviceName | null, deviceOf(other)];
  if (b === undefined) return isOpaque(other) ? bool(null) : bool(op === '!=');
  return bool(a === null || b === null ? null : (a === b) === (op === '=='));
}

const deviceType: NativeType = {
  name: 'DeviceType',
  cls: deviceTypeClass,
  compare: compareDevices,
  getAttribute: (_, value, name) => (name === 'name' ? str((value as NativeValue).data as DeviceName | null) : null),
  format: value => ((value as NativeValue).data ? `DeviceType.${(value as NativeValue).data}` : null),
};

const deviceClass = making('Device', 'mx.Device(type, index=0)', c =>
  native(device, deviceOf(c.value('type')) ?? null),
);

const device: NativeType = {
  name: 'Device',
  cls: deviceClass,
  format: value => ((value as NativeValue).data ? `Device(${(value as NativeValue).data}, 0)` : null),
  compare: compareDevices,
  getAttribute: (_, value, name) => (name === 'type' ? deviceNamed((value as NativeValue).data as DeviceName) : null),
};

/** undefined for a value that is no device. */
function deviceOf(v: Value): DeviceName | null | undefined {
  return v.kind === 'native' && (v.type === device || v.type === deviceType)
    ? (v.data as DeviceName | null)
    : undefined;
}

const NAMED = { cpu: native(deviceType, 'cpu'), gpu: native(deviceType, 'gpu') };
const deviceNamed = (name: DeviceName | null): Value => (name === null ? native(deviceType, null) : NAMED[name]);

const stream: NativeType = {
  name: 'Stream',
  cls: null,
  getAttribute: (_, value, name) => (name === 'device' ? native(device, (value as NativeValue).data) : null),
};

const newStream = (name: string): BuiltinValue =>
  define(`mx.${name}(device)`, c => native(stream, deviceOf(c.value('device')) ?? null));

const printOptions = nativeClass(
  'PrintOptions',
  [],
  [
    [
      '__init__',
      defineMethod('mx.PrintOptions(precision=-1)', (c, self) => {
        c.interpreter.setAttribute(self, 'precision', c.value('precision'));
        return NONE;
      }),
    ],
  ],
);

export const systemClasses: readonly (readonly [string, Value])[] = [
  ['cpu', NAMED.cpu],
  ['gpu', NAMED.gpu],
  ['DeviceType', deviceTypeClass],
  ['Device', deviceClass],
  ...['Stream', 'ThreadLocalStream'].map(name => [name, nativeClass(name, [])] as const),
  ['StreamContext', making('StreamContext', 'mx.StreamContext(s)', () => unknown('is a context'))],
  ['PrintOptions', printOptions],
  ['_PrintOptionsContext', nativeClass('_PrintOptionsContext', [])],
  ...['ArrayAt', 'ArrayIterator', 'ArrayLike', 'DLPackCompatible', 'FunctionExporter'].map(
    name => [name, nativeClass(name, [])] as const,
  ),
];

// ---- functions without results ----------------------------------------------------------------------------------------

/** Signatures of functions that answer None. */
const SILENT = [
  'mx.eval(*args)',
  'mx.async_eval(*args)',
  'mx.synchronize(stream=None)',
  'mx.clear_cache()',
  'mx.clear_streams()',
  'mx.reset_peak_memory()',
  'mx.disable_compile()',
  'mx.enable_compile()',
  'mx.set_default_device(device)',
  'mx.set_default_stream(stream)',
  'mx.set_printoptions(precision=-1)',
  'mx.save(file, arr)',
  'mx.savez(file, *args, **kwargs)',
  'mx.savez_compressed(file, *args, **kwargs)',
  'mx.save_safetensors(file, arrays, metadata=None)',
  'mx.save_gguf(file, arrays, metadata=None)',
  'mx.export_to_dot(file, *args, **kwargs)',
  'mx.export_function(file_or_callback, fun, *args, **kwargs)',
];

/** Those that answer a number of bytes or of devices. */
const COUNTS = [
  'mx.get_active_memory()',
  'mx.get_cache_memory()',
  'mx.get_memory_limit()',
  'mx.get_peak_memory()',
  'mx.get_array_buffer_size(*args)',
  'mx.set_cache_limit(limit)',
  'mx.set_memory_limit(limit)',
  'mx.set_wired_limit(limit)',
  'mx.device_count(device_type)',
];

/** Those whose results are followed no further, with what they are. */
const OPAQUE: readonly (readonly [signature: string, reason: string])[] = [
  ['mx.stream(s)', 'is a context'],
  ['mx.printoptions(precision=-1)', 'is a context'],
  ['mx.exporter(file, fun, *, shapeless=False, metadata=None)', 'writes a function to a file'],
  ['mx.import_function(file, return_metadata=False)', 'is a function read from a file'],
];

const silent = (signature: string): BuiltinValue => define(signature, () => NONE, { spread: false });
const count = (signature: string): BuiltinValue => define(signature, () => int(anonymous()), { spread: false });
const opaque = (signature: string, reason: string): BuiltinValue =>
  define(signature, () => unknown(reason), { spread: false });

// ---- files ------------------------------------------------------------------------------------------------------------

/**
 * The arrays of a file that a program names by its own place; null where it cannot be looked into.
 * @throws Refusal for a file that is damaged
 */
function arraysIn(c: Call, file: string): Value | null {
  if (!file.startsWith('/') && !/^[a-z]:[\\/]/i.test(file)) return null;
  const found = c.interpreter.arraysIn(file);
  if (found?.problem) throw new Refusal('weights-file', found.problem, {}, 'RuntimeError');
  return found && dict([...found.arrays].map(([name, type]) => [name, c.interpreter.source(type, name)]));
}

/** What a file holds: one array, or arrays by names that only the file knows. */
function load(c: Call): Value {
  const weights = c.interpreter.source({ shape: null, dtype: null }, 'weights');
  const file = c.interpreter.format(c.value('file'));
  const suffix = file?.slice(file.lastIndexOf('.') + 1);
  if (suffix === 'npy') return weights;
  if (suffix !== 'safetensors' && suffix !== 'npz' && suffix !== 'gguf') return unknown('loads weights at run time');
  const arrays = arraysIn(c, file!) ?? dict([], weights);
  return c.flag('return_metadata') ? tuple([arrays, dict([], unknown('is metadata of a file'))]) : arrays;
}

export const systemFunctions: readonly BuiltinValue[] = [
  ...SILENT.map(silent),
  ...COUNTS.map(count),
  ...OPAQUE.map(([signature, reason]) => opaque(signature, reason)),
  // A run is on this machine's CPU.
  define('mx.get_printoptions()', c => c.interpreter.instantiate(printOptions, args([int(anonymous())]))),
  define('mx.default_device()', c => native(device, c.interpreter.values ? 'cpu' : null)),
  define('mx.default_stream(device)', c => native(stream, deviceOf(c.value('device')) ?? null)),
  ...['new_stream', 'new_thread_local_stream', 'new_thread_unsafe_stream'].map(newStream),
  define('mx.is_available(device)', () => bool(null)),
  define('mx.device_info(d=None)', () => dict([], unknown('tells about the machine'))),
  define('mx.load(file, /, format=None, return_metadata=False, *, stream=None)', load),
];

// ---- modules ----------------------------------------------------------------------------------------------------------

const named = (functions: readonly BuiltinValue[]): (readonly [string, Value])[] =>
  functions.map(f => [f.name.slice(f.name.lastIndexOf('.') + 1), f]);

const available = (name: string, parameters = ''): BuiltinValue =>
  define(`mx.${name}.is_available(${parameters})`, c => bool(c.interpreter.values ? false : null));

/** `mx.metal`: older names of the functions about memory, and captures for the debugger. */
const metal = module(
  'mlx.core.metal',
  named([
    available('metal'),
    ...['clear_cache()', 'reset_peak_memory()', 'start_capture(path)', 'stop_capture()'].map(s =>
      silent(`mx.metal.${s}`),
    ),
    ...[
      'get_active_memory()',
      'get_cache_memory()',
      'get_peak_memory()',
      'set_cache_limit(limit)',
      'set_memory_limit(limit)',
      'set_wired_limit(limit)',
    ].map(s => count(`mx.metal.${s}`)),
    define('mx.metal.device_info()', () => dict([], unknown('tells about the machine'))),
  ]),
);

/**
 * How many processes run the program. One that is followed from its start runs alone, as it does without a launcher; a
 * function read on its own may run among several, and shapes keep the symbol.
 */
function groupSize(interpreter: Interpreter): Dim {
  if (interpreter.followsAll) return 1;
  let size = interpreter.session.get('mx.distributed') as Poly | undefined;
  if (!size) interpreter.session.set('mx.distributed', (size = symbol('group_size', { least: 1, usual: 1 })));
  return size;
}

const groupClass = nativeClass('Group', []);
const group: NativeType = {
  name: 'Group',
  cls: groupClass,
  getAttribute(_, value, name) {
    const func = GROUP_METHODS.get(name);
    return func ? { kind: 'method', self: value, func } : null;
  },
};
const GROUP_METHODS = new Map<string, BuiltinValue>([
  ['size', builtin('Group.size', interpreter => int(groupSize(interpreter)), 'Group.size()')],
  [
    'rank',
    builtin(
      'Group.rank',
      interpreter => int(interpreter.followsAll ? 0 : symbol('rank', { usual: 0 })),
      'Group.rank()',
    ),
  ],
  ['split', builtin('Group.split', () => native(group, null), 'Group.split(color, key=-1)')],
]);

/** The array with its first axis longer by the number of processes, or shorter. */
function scaled(c: Call, node: ArrayNode, scale: (first: Dim) => Dim): Value {
  const shape = c.interpreter.facts.shape(node.shape);
  const scaledShape = Array.isArray(shape) ? [scale(shape[0] ?? 1), ...shape.slice(1)] : null;
  return c.interpreter.source({ shape: scaledShape, dtype: node.dtype });
}

/** Combining across processes keeps the type. */
const combining = (name: string): BuiltinValue =>
  define(`mx.distributed.${name}(x, *, group=None, stream=None)`, c => {
    const x = c.array('x');
    return c.interpreter.source({ shape: x.shape, dtype: x.dtype });
  });

const distributed = module('mlx.core.distributed', [
  ['Group', groupClass],
  ...named([
    available('distributed', "backend='any'"),
    define("mx.distributed.init(strict=False, backend='any', *, all_gather_factory=None)", () => native(group, null)),
    ...['all_sum', 'all_max', 'all_min'].map(combining),
    define('mx.distributed.all_gather(x, *, group=None, stream=None)', c =>
      scaled(c, c.array('x'), first => mul(first, groupSize(c.interpreter))),
    ),
    define('mx.distributed.sum_scatter(x, *, group=None, stream=None)', c =>
      scaled(c, c.array('x'), () => anonymous()),
    ),
    define('mx.distributed.send(x, dst, *, group=None, stream=None)', c => c.value('x')),
    define('mx.distributed.recv(shape, dtype, src, *, group=None, stream=None)', c =>
      c.interpreter.source({ shape: sequence(c, 'shape'), dtype: givenDtype(c, 'dtype') }),
    ),
    define('mx.distributed.recv_like(x, src, *, group=None, stream=None)', c => {
      const x = c.array('x');
      return c.interpreter.source({ shape: x.shape, dtype: x.dtype });
    }),
  ]),
]);

export const systemModules: readonly ModuleValue[] = [
  metal,
  module('mlx.core.cuda', named([available('cuda')])),
  distributed,
];
