/**
 * Completion of widths: inside `nn.Linear(`, `nn.LayerNorm(`, … the axis that flows into the layer being written.
 */
import { type CompletionItem, CompletionItemKind, type Position } from 'vscode-languageserver';
import { type Dim, showDim } from '../../../engine/src/dims/dim';
import { OpenShape } from '../../../engine/src/dims/shape';
import type { ArrayType } from '../../../engine/src/graph/op';
import type { Call, Node } from '../python/ast';
import { walk } from '../python/walk';
import type { DocumentView } from './document';
import { mlxImports, mlxPath } from './mlx-names';

/** Layers whose first argument is the width of what they are given. */
const TAKES_WIDTH =
  /^mlx\.nn\.(Linear|QuantizedLinear|Conv[123]d|ConvTranspose[123]d|LayerNorm|RMSNorm|InstanceNorm|BatchNorm|RNN|GRU|LSTM)$/;

export function completion(view: DocumentView, position: Position): CompletionItem[] {
  const offset = view.offset(position);
  const path = view.nodesAt(offset);
  const call = path.findLast((n): n is Call => n.kind === 'Call' && n.func.end < offset);
  if (!call || !isFirstArgument(view.text, call, offset)) return [];
  const name = mlxPath(call.func, mlxImports(view.analysis.source.module));
  if (!name || !TAKES_WIDTH.test(name)) return [];
  const items = new Map<string, CompletionItem>();
  for (const [type, where] of flowingInto(view, call, path)) {
    const width = lastAxis(type);
    const text = width === null ? null : showDim(width);
    if (text === null || text === '?' || items.has(text)) continue;
    items.set(text, {
      label: text,
      kind: CompletionItemKind.Value,
      detail: `last axis of ${where}`,
      sortText: `\0${items.size}`,
      preselect: items.size === 0,
    });
  }
  return [...items.values()];
}

/** Whether nothing but the beginning of a first argument stands between the bracket and the cursor. */
function isFirstArgument(text: string, call: Call, offset: number): boolean {
  const typed = text.slice(call.func.end, offset);
  return /^\s*\(\s*[\w.]*$/.test(typed);
}

function lastAxis({ shape }: ArrayType): Dim | null {
  if (shape instanceof OpenShape) return shape.tail.at(-1) ?? null;
  return (shape as readonly Dim[] | null)?.at(-1) ?? null;
}

/** Arrays that reach the layer: arguments of its calls where it has a name, else results of the layer before it. */
function flowingInto(view: DocumentView, call: Call, path: readonly Node[]): [ArrayType, string][] {
  const { analysis, text } = view;
  const assign = path.findLast(n => n.kind === 'Assign');
  const target = assign?.kind === 'Assign' ? text.slice(assign.targets[0].start, assign.targets[0].end) : null;
  const found: [ArrayType, string][] = [];
  if (target)
    walk(analysis.source.module, node => {
      if (node.kind !== 'Call' || node.args.length === 0) return;
      if (text.slice(node.func.start, node.func.end) !== target) return;
      const [argument] = node.args;
      for (const o of analysis.observations)
        if (o.type && o.start === argument.start && o.end === argument.end)
          found.push([o.type, text.slice(argument.start, argument.end)]);
    });
  const before = analysis.layers.filter(l => l.end <= call.start && l.outputs.length > 0).at(-1);
  if (before) found.push([before.outputs[0], before.name ?? before.instance.cls.name]);
  return found;
}
