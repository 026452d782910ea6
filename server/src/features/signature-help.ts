/**
 * Signature help for MLX's names, whose stubs other servers often lack.
 */
import type { Position, SignatureHelp } from 'vscode-languageserver';
import { parseSignature } from '../mlx/define';
import type { Call } from '../python/ast';
import type { DocumentView } from './document';
import { arrayMethod, mlxImports, mlxName, mlxPath } from './mlx-names';

export function signatureHelp(view: DocumentView, position: Position): SignatureHelp | null {
  if (view.settings.signatureHelp === 'never') return null;
  const offset = view.offset(position);
  const call = view
    .nodesAt(offset)
    .findLast((n): n is Call => n.kind === 'Call' && n.func.end < offset && offset <= n.end);
  if (!call) return null;
  const path = mlxPath(call.func, mlxImports(view.analysis.source.module));
  const name = path
    ? mlxName(path)
    : call.func.kind === 'Attribute' && isArray(view, call)
      ? arrayMethod(call.func.attr)
      : null;
  if (!name?.signature) return null;
  const { text, parameters } = parseSignature(name.signature);
  const inside = text.indexOf('(') + 1;
  const labels: [number, number][] = [];
  let from = inside;
  for (const { name: parameter } of parameters) {
    const start = from + text.slice(from).search(new RegExp(`\\b${parameter}\\b`));
    const end = text.slice(start).search(/[,)]/) + start;
    labels.push([start, end]);
    from = end;
  }
  return {
    signatures: [{ label: text, parameters: labels.map(label => ({ label })) }],
    activeSignature: 0,
    activeParameter: activeParameter(
      view.text,
      call,
      offset,
      parameters.map(p => p.name),
    ),
  };
}

function isArray(view: DocumentView, call: Call): boolean {
  if (call.func.kind !== 'Attribute') return false;
  const { start, end } = call.func.value;
  return view.analysis.observations.some(o => o.start === start && o.end === end && o.type !== null);
}

function activeParameter(text: string, call: Call, offset: number, names: readonly string[]): number {
  const keyword = call.keywords.find(k => k.start <= offset && offset <= k.end);
  if (keyword?.arg) return Math.max(names.indexOf(keyword.arg), 0);
  const before = [...call.args, ...call.keywords].filter(a => a.end < offset);
  const last = before.reduce((end, a) => Math.max(end, a.end), call.func.end);
  return before.length > 0 && !text.slice(last, offset).includes(',') ? before.length - 1 : before.length;
}
