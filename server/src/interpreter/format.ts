/** `str()` and `repr()` of values, as far as they are known. */
import { isKnown } from '../../../engine/src/dims/dim';
import type { Evaluator } from './evaluator';
import type { InstanceValue, Value } from './values';

/** Python's text of a float: `1.0`, `1e-05`, `inf`. */
export function formatFloat(x: number): string {
  if (Number.isNaN(x)) return 'nan';
  if (!Number.isFinite(x)) return x > 0 ? 'inf' : '-inf';
  const magnitude = Math.abs(x);
  if (magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e16))
    return x.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  return Number.isInteger(x) ? `${Object.is(x, -0) ? '-0' : x}.0` : `${x}`;
}

/** `str(value)`; null where it cannot be known. */
export function formatValue(ev: Evaluator, value: Value): string | null {
  const v = ev.settled(value);
  switch (v.kind) {
    case 'str':
      return v.value;
    case 'int': {
      const d = ev.facts.resolve(v.value);
      return isKnown(d) ? `${d}` : null;
    }
    case 'float':
      return v.value === null ? null : formatFloat(v.value);
    case 'bool':
      return v.value === null ? null : v.value ? 'True' : 'False';
    case 'none':
      return 'None';
    case 'ellipsis':
      return 'Ellipsis';
    case 'tuple':
    case 'list': {
      if (!v.items) return null;
      const parts = v.items.map(i => reprOf(ev, i));
      if (parts.includes(null)) return null;
      const text = parts.join(', ');
      return v.kind === 'list' ? `[${text}]` : v.items.length === 1 ? `(${text},)` : `(${text})`;
    }
    case 'native':
      return v.type.format?.(v) ?? null;
    case 'instance':
      return said(ev, v, '__str__') ?? said(ev, v, '__repr__');
    case 'class':
      return `<class '${v.module ? `${v.module.name}.` : ''}${v.name}'>`;
    default:
      return null;
  }
}

/** What an object says of itself through this method, where it has one. */
function said(ev: Evaluator, v: InstanceValue, method: string): string | null {
  const found = ev.getAttribute(v, method);
  if (found?.kind !== 'method' && found?.kind !== 'builtin') return null;
  const text = ev.settled(ev.callWith(found));
  return text.kind === 'str' ? text.value : null;
}

export function reprOf(ev: Evaluator, value: Value): string | null {
  const v = ev.settled(value);
  if (v.kind === 'instance') return said(ev, v, '__repr__');
  if (v.kind === 'str')
    return v.value === null ? null : `'${v.value.replace(/\\/g, '\\\\').replace(/'/g, "\\'").replace(/\n/g, '\\n')}'`;
  return formatValue(ev, v);
}
