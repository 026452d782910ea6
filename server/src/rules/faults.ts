/**
 * MLX5xx: code that MLX runs without a word, and that does not do what it says.
 */
import { type Dim, dimKey, isKnown } from '../../../engine/src/dims/dim';
import type { ArrayNode } from '../../../engine/src/graph/graph';
import { showType } from '../../../engine/src/graph/show';
import type { BinOp, Call, Expr, FunctionDef, Node, Subscript } from '../python/ast';
import { enclosingClass, walk } from '../python/walk';
import type { Diagnostic, Rule } from './diagnostic';
import { calledName, type Lint, type Seen, walkWithPath } from './lint';
import { mlxAliases } from './porting';

const rule = (code: string, name: string, summary: string): Rule => ({ code, name, severity: 'warning', summary });

export const FAULT_RULES = {
  'loss-broadcast': rule(
    'MLX501',
    'loss-broadcast',
    'A loss subtracts (N,) from (N, 1): the difference of all pairs, not of each with its own.',
  ),
  'index-bounds': rule('MLX502', 'index-bounds', 'A constant index lies outside of its axis; MLX reads what is there.'),
  'slice-copy': rule('MLX503', 'slice-copy', 'A value is written to a copy that nothing keeps.'),
  'channels-first': rule(
    'MLX504',
    'channels-first',
    'Channels are moved to axis 1 before a layer that expects them last.',
  ),
  'softmax-axis': rule('MLX506', 'softmax-axis', 'A softmax without an axis is over all elements of the array.'),
  'lstm-states': rule('MLX507', 'lstm-states', 'An LSTM answers two sequences, not a sequence and a pair of states.'),
  'update-result': rule('MLX508', 'update-result', 'The result of an optimizer’s update is used, which is None.'),
} as const;

export const lintFaults: Lint = function* (seen: Seen): Iterable<Diagnostic> {
  const found: Diagnostic[] = [];
  const { mx } = mlxAliases(seen.source.module);
  walkWithPath(seen.source.module, (node, path) => {
    switch (node.kind) {
      case 'BinOp':
        if (node.op === '-') found.push(...lossBroadcast(seen, node, path));
        break;
      case 'Subscript':
        found.push(...indexBounds(seen, node, path));
        break;
      case 'Assign':
        for (const target of node.targets) found.push(...sliceCopy(seen, target));
        found.push(...lstmStates(seen, node.targets[0], node.value, path), ...updateResult(seen, node.value));
        break;
      case 'AugAssign':
        found.push(...sliceCopy(seen, node.target));
        break;
      case 'Call':
        found.push(...softmaxAxis(seen, node, mx), ...channelsFirst(seen, node, path));
        break;
      default:
        break;
    }
  });
  yield* found;
};

// ---- (N, 1) - (N,) in a loss ------------------------------------------------------------------------------------------

/** Operations after which a second axis of 1 is wanted: the pairs are meant. */
const MADE_FOR_PAIRS = new Set(['expand_dims', 'reshape', 'index', 'unflatten', 'transpose', 'broadcast_to']);

/** Where what an array is made of says no more of how it came by its axes. */
const MADE_ANEW = new Set(['matmul', 'addmm', 'quantized_matmul', 'gather_mm', 'einsum', 'conv']);

/** Whether the array, or what it was computed from element by element, was given its axes on purpose. */
function isMadeForPairs({ call }: ArrayNode, depth = 0): boolean {
  if (!call || depth > 8 || MADE_FOR_PAIRS.has(call.op)) return true;
  return (
    !MADE_ANEW.has(call.op) &&
    call.inputs.some(i => Array.isArray(i.shape) && i.shape.length > 0 && isMadeForPairs(i, depth + 1))
  );
}

const isColumnOf = (column: readonly Dim[], row: readonly Dim[]): boolean =>
  column.length === 2 && row.length === 1 && column[1] === 1 && column[0] !== 1 && dimKey(column[0]) === dimKey(row[0]);

function* lossBroadcast(seen: Seen, node: BinOp, path: readonly Node[]): Iterable<Diagnostic> {
  if (!isInLoss(node, path)) return;
  const [left, right] = [seen.arrays(node.left), seen.arrays(node.right)];
  const results = seen.types(node);
  if (!left || !right || !results) return;
  const shapesOf = (e: Expr) => seen.types(e)!.map(t => t.shape);
  for (const [column, row, nodes] of [
    [node.left, node.right, left],
    [node.right, node.left, right],
  ] as const) {
    const columns = shapesOf(column);
    const rows = shapesOf(row);
    const fits = columns.every(c => Array.isArray(c) && rows.every(r => Array.isArray(r) && isColumnOf(c, r)));
    if (!fits || nodes.some(n => isMadeForPairs(n))) continue;
    const [text, other] = [seen.text(column), seen.text(row)];
    const [columnType, rowType, result] = [seen.types(column)![0], seen.types(row)![0], results[0]];
    const simple = column.kind === 'Name' || column.kind === 'Attribute' || column.kind === 'Call';
    const fix = seen.fix(
      `Squeeze the last axis of ${text}`,
      column,
      simple ? `${text}.squeeze(-1)` : `(${text}).squeeze(-1)`,
    );
    yield seen.found(
      FAULT_RULES['loss-broadcast'],
      node,
      `${text} is ${showType(columnType)} and ${other} ${showType(rowType)}: their difference is ${showType(result)}, every prediction less every target`,
      { fixes: [fix] },
    );
  }
}

/** Whether a difference is squared or made absolute, or computed by a function that calls itself a loss. */
function isInLoss(node: BinOp, path: readonly Node[]): boolean {
  const parent = path.at(-1);
  const f = path.findLast((n): n is FunctionDef => n.kind === 'FunctionDef');
  if (f && /(^|_)(loss|mse|mae|l1|l2|objective|criterion)/.test(f.name)) return true;
  if (parent?.kind === 'BinOp') return parent.op === '**' && parent.left === node;
  return parent?.kind === 'Call' && ['square', 'abs'].includes(calledName(parent.func) ?? '');
}

// ---- constant indices out of bounds -----------------------------------------------------------------------------------

function* indexBounds(seen: Seen, node: Subscript, path: readonly Node[]): Iterable<Diagnostic> {
  const types = seen.types(node.value);
  if (!types || seen.isRefused(node)) return; // with several indices MLX notices
  const items = node.slice.kind === 'Tuple' ? node.slice.elts : [node.slice];
  for (const [axis, item] of items.entries()) {
    if (item.kind === 'Keyword' || item.kind === 'Starred') return; // None and ... move the axes that follow
    const at = constantOf(item);
    if (at === null) continue;
    const sizes = types.map(t => (Array.isArray(t.shape) ? (t.shape as readonly Dim[])[axis] : undefined));
    if (!sizes.every(size => size !== undefined && isKnown(size) && (at >= size || at < -size))) continue;
    const written = path.at(-1);
    const isStore =
      (written?.kind === 'Assign' && written.targets.includes(node)) ||
      (written?.kind === 'AugAssign' && written.target === node);
    const what = isStore ? 'writes nowhere it should' : 'reads whatever lies there';
    yield seen.found(
      FAULT_RULES['index-bounds'],
      item,
      `${seen.text(node.value)} is ${showType(types[0])}: axis ${axis} has ${sizes[0]} elements, and index ${at} ${what}`,
    );
  }
}

function constantOf(e: Expr): number | null {
  if (e.kind === 'Int') return e.value;
  if (e.kind === 'UnaryOp' && e.op === '-' && e.operand.kind === 'Int' && e.operand.value !== null)
    return -e.operand.value;
  return null;
}

// ---- writing to a copy ------------------------------------------------------------------------------------------------

/** `x[i][j] = v`: `x[i]` is an array of its own. */
function* sliceCopy(seen: Seen, target: Expr): Iterable<Diagnostic> {
  if (target.kind !== 'Subscript' || target.value.kind !== 'Subscript') return;
  const inner = target.value;
  if (!seen.types(inner.value) || !seen.types(inner)) return;
  const isInt = constantOf(inner.slice) !== null;
  const [x, i, j] = [inner.value, inner.slice, target.slice].map(e => seen.text(e));
  const joined = `${x}[${i}, ${target.slice.kind === 'Tuple' ? j.replace(/^\((.*)\)$/s, '$1') : j}]`;
  yield seen.found(
    FAULT_RULES['slice-copy'],
    target,
    `${seen.text(inner)} is a copy: what is written to it never reaches ${x}`,
    { fixes: isInt ? [seen.fix(`Write ${joined}`, target, joined)] : [] },
  );
}

// ---- layouts ----------------------------------------------------------------------------------------------------------

const CHANNELS_LAST = /^(Conv[123]d|ConvTranspose[123]d|BatchNorm|InstanceNorm|GroupNorm|(Max|Avg)Pool[123]d)$/;

/** What gives arrays with their channels last, whatever its input. */
const GIVES_CHANNELS_LAST = new Set(['conv']);

/** Operations after which the last axis may be another. */
const MOVES_AXES = new Set([
  'transpose',
  'reshape',
  'flatten',
  'unflatten',
  'moveaxis',
  'swapaxes',
  'index',
  'squeeze',
]);

/** Whether the array has its channels last for certain: a convolution made it, and nothing since has moved an axis. */
function isChannelsLast({ call, shape }: ArrayNode, depth = 0): boolean {
  if (!call || !Array.isArray(shape) || depth > 12 || MOVES_AXES.has(call.op)) return false;
  if (GIVES_CHANNELS_LAST.has(call.op)) return true;
  const alike = call.inputs.filter(i => Array.isArray(i.shape) && i.shape.length === shape.length);
  return alike.length > 0 && alike.every(i => isChannelsLast(i, depth + 1));
}

/**
 * Whether the array was made by moving channels, known to be on the last axis, to position 1. That alone: to move the
 * last axis of anything else there may be what brings the channels last.
 */
function isChannelsFirst({ call }: ArrayNode): boolean {
  const axes = call?.op === 'transpose' ? (call.attrs as { axes: readonly number[] | null }).axes : null;
  const n = axes?.length ?? 0;
  return (
    n >= 3 &&
    axes!.every((axis, i) => ((axis % n) + n) % n === (i === 0 ? 0 : i === 1 ? n - 1 : i - 1)) &&
    isChannelsLast(call!.inputs[0])
  );
}

function* channelsFirst(seen: Seen, node: Call, path: readonly Node[]): Iterable<Diagnostic> {
  const [x] = node.args;
  if (!x) return;
  const cls = enclosingClass(path);
  const name = seen.text(node.func);
  const layer = seen.analysis.layers.find(
    l =>
      l.name === name &&
      CHANNELS_LAST.test(l.instance.cls.name) &&
      (!cls || (cls.start <= l.start && l.end <= cls.end)),
  );
  const arrays = layer ? seen.arrays(x) : null;
  if (!layer || !arrays?.every(isChannelsFirst)) return;
  if (seen.isRefused(node)) return;
  yield seen.found(
    FAULT_RULES['channels-first'],
    node,
    `${layer.instance.cls.name} takes channels on the last axis; ${seen.text(x)} is ${showType(seen.types(x)![0])} with its channels moved to axis 1`,
    { related: [{ file: layer.file, start: layer.start, end: layer.end, message: 'the layer is made here' }] },
  );
}

// ---- softmax, LSTM, update --------------------------------------------------------------------------------------------

function* softmaxAxis(seen: Seen, node: Call, mx: string | null): Iterable<Diagnostic> {
  const { func, args, keywords } = node;
  if (mx === null || func.kind !== 'Attribute' || func.attr !== 'softmax' || seen.text(func.value) !== mx) return;
  if (args.length !== 1 || args[0].kind === 'Starred' || keywords.some(k => k.arg === null || k.arg === 'axis')) return;
  const types = seen.types(args[0]);
  if (!types?.every(({ shape }) => Array.isArray(shape) && shape.length > 1)) return;
  const end = { start: args[0].end, end: args[0].end };
  yield seen.found(
    FAULT_RULES['softmax-axis'],
    node,
    `softmax without an axis is over all elements: those of ${showType(types[0])} sum to 1 together`,
    { fixes: [seen.fix('Take the softmax over the last axis', end, ', axis=-1')] },
  );
}

function* lstmStates(seen: Seen, target: Expr, value: Expr, path: readonly Node[]): Iterable<Diagnostic> {
  if (value.kind !== 'Call' || target.kind !== 'Tuple' || target.elts.length !== 2) return;
  const pair = target.elts[1];
  if (pair.kind !== 'Tuple' || pair.elts.length !== 2) return;
  const cls = enclosingClass(path);
  const name = seen.text(value.func);
  const layer = seen.analysis.layers.find(
    l => l.name === name && l.instance.cls.name === 'LSTM' && (!cls || (cls.start <= l.start && l.end <= cls.end)),
  );
  if (!layer || seen.isRefused({ start: target.start, end: value.end })) return;
  yield seen.found(
    FAULT_RULES['lstm-states'],
    pair,
    'An LSTM answers its hidden and its cell states, each for the whole sequence; this takes the cell states of two elements of the batch',
  );
}

function* updateResult(seen: Seen, value: Expr): Iterable<Diagnostic> {
  if (value.kind !== 'Call' || value.func.kind !== 'Attribute' || value.func.attr !== 'update') return;
  if (!isOptimizer(seen, value.func.value)) return;
  const from = seen.source.lines.lineStart(seen.source.lines.lineAt(value.start));
  const target = seen.source.text.slice(from, value.start);
  const start = from + (/^\s*/.exec(target)?.[0].length ?? 0);
  yield seen.found(FAULT_RULES['update-result'], value, `${seen.text(value.func)} changes the model and answers None`, {
    fixes: [seen.fix('Drop the assignment', { start, end: value.start }, '')],
  });
}

/** Whether a name is only ever assigned an optimizer of `mlx.optimizers`. */
function isOptimizer(seen: Seen, e: Expr): boolean {
  if (e.kind !== 'Name') return false;
  const modules = new Set<string>();
  let made = 0;
  let others = 0;
  walk(seen.source.module, node => {
    if (node.kind === 'Import')
      for (const { name, asname } of node.names) if (name === 'mlx.optimizers') modules.add(asname ?? name);
    if (node.kind === 'ImportFrom' && node.module === 'mlx')
      for (const { name, asname } of node.names) if (name === 'optimizers') modules.add(asname ?? name);
    if (node.kind === 'Param' && node.name === e.id) others++;
    if (node.kind !== 'Assign' || !node.targets.some(t => t.kind === 'Name' && t.id === e.id)) return;
    const { value } = node;
    if (value.kind === 'Call' && value.func.kind === 'Attribute' && modules.has(seen.text(value.func.value))) made++;
    else others++;
  });
  return made > 0 && others === 0;
}
