/**
 * Python's format mini-language: `{n:>5}`, `{loss:.3f}`, `{share:.1%}`, and decimals rounded as Python rounds them.
 */
import { isKnown } from '../../../../engine/src/dims/dim';
import type { Evaluator } from '../evaluator';
import { formatFloat, formatValue, reprOf } from '../format';
import type { Value } from '../values';

const SPEC = /^(?:(.)?([<>=^]))?([-+ ])?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?([a-zA-Z%])?$/su;

interface Spec {
  readonly fill: string;
  readonly align: string | null;
  readonly sign: string;
  readonly width: number;
  readonly grouping: string;
  readonly precision: number | null;
  readonly type: string;
}

function parseSpec(text: string): Spec | null {
  const m = SPEC.exec(text);
  if (!m || m[4]) return null;
  const zero = m[5] !== undefined;
  return {
    fill: m[1] ?? (zero ? '0' : ' '),
    align: m[2] ?? (zero ? '=' : null),
    sign: m[3] ?? '-',
    width: Number(m[6] ?? 0),
    grouping: m[7] ?? '',
    precision: m[8] === undefined ? null : Number(m[8]),
    type: m[9] ?? '',
  };
}

/** `format(value, spec)`, after `conversion` (`r`, `s`); null where it cannot be known. */
export function formatWith(ev: Evaluator, value: Value, spec: string, conversion: string | null = null): string | null {
  const v = ev.settled(value);
  const text =
    conversion === 'r' || conversion === 'a' ? reprOf(ev, v) : conversion === 's' ? formatValue(ev, v) : null;
  if (conversion) return text === null ? null : padText(text, spec);
  if (spec === '') return formatValue(ev, v);
  switch (v.kind) {
    case 'str':
      return v.value === null ? null : padText(v.value, spec);
    case 'bool':
      return v.value === null ? null : formatNumber(Number(v.value), true, spec);
    case 'int': {
      const d = ev.facts.resolve(v.value);
      return isKnown(d) ? formatNumber(d, true, spec) : null;
    }
    case 'float':
      return v.value === null ? null : formatNumber(v.value, false, spec);
    default:
      return null;
  }
}

function padText(text: string, written: string): string | null {
  if (written === '') return text;
  const spec = parseSpec(written);
  if (!spec || (spec.type !== '' && spec.type !== 's') || spec.align === '=') return null;
  return pad(spec.precision === null ? text : text.slice(0, spec.precision), '', spec, '<');
}

function formatNumber(x: number, isInt: boolean, written: string): string | null {
  const spec = parseSpec(written);
  if (!spec || !Number.isFinite(x)) return null;
  const digits = digitsOf(Math.abs(x), isInt, spec);
  if (digits === null || (spec.grouping && spec.align === '=')) return null;
  const negative = x < 0 || Object.is(x, -0);
  const sign = negative && !(isInt && x === 0) ? '-' : spec.sign === '-' ? '' : spec.sign;
  return pad(grouped(digits, spec.grouping), sign, spec, '>');
}

/** The digits of a number that is not negative. */
function digitsOf(x: number, isInt: boolean, { type, precision }: Spec): string | null {
  if (isInt && precision === null && (type === '' || type === 'd' || type === 'n')) return `${x}`;
  if (isInt && precision === null && type === 'x') return x.toString(16);
  if (isInt && precision === null && type === 'X') return x.toString(16).toUpperCase();
  if (isInt && precision === null && type === 'o') return x.toString(8);
  if (isInt && precision === null && type === 'b') return x.toString(2);
  if (isInt && precision === null && type === 'c') return String.fromCodePoint(x);
  switch (type) {
    case 'f':
    case 'F':
      return fixed(x, precision ?? 6);
    case '%': {
      const percent = fixed(x * 100, precision ?? 6);
      return percent === null ? null : `${percent}%`;
    }
    case 'e':
      return exponential(x, precision ?? 6);
    case 'E':
      return exponential(x, precision ?? 6).toUpperCase();
    case 'g':
    case 'n':
      return general(x, precision ?? 6);
    case '':
      return precision === null && !isInt ? formatFloat(x) : null;
    default:
      return null;
  }
}

function grouped(digits: string, by: string): string {
  if (!by) return digits;
  const [, whole, rest] = /^(\d*)(.*)$/s.exec(digits)!;
  return whole.replace(/\B(?=(\d{3})+(?!\d))/g, by) + rest;
}

function pad(text: string, sign: string, { fill, align, width }: Spec, usual: string): string {
  const missing = Math.max(0, width - text.length - sign.length);
  switch (align ?? usual) {
    case '<':
      return sign + text + fill.repeat(missing);
    case '^':
      return fill.repeat(missing >> 1) + sign + text + fill.repeat(missing - (missing >> 1));
    case '=':
      return sign + fill.repeat(missing) + text;
    default:
      return fill.repeat(missing) + sign + text;
  }
}

// ---- decimals ---------------------------------------------------------------------------------------------------------

/** Digits beyond the rounded ones by which a tie is told from what is near one. */
const GUARD = 50;

/** `x >= 0` with `places` decimals, ties to even as Python rounds; null for numbers too long to write out. */
export function fixed(x: number, places: number): string | null {
  if (x >= 1e21 || places > 100 - GUARD) return null;
  return cut(x.toFixed(places + GUARD), places);
}

/** A decimal text with a point, rounded to `places` decimals. */
function cut(text: string, places: number): string {
  const point = text.indexOf('.');
  const kept = text.slice(0, point) + text.slice(point + 1, point + 1 + places);
  const rest = text.slice(point + 1 + places);
  const isTie = /^50*$/.test(rest);
  const up = isTie ? Number(kept.at(-1)) % 2 === 1 : rest >= '5';
  const digits = (up ? `${BigInt(kept) + 1n}` : kept).padStart(places + 1, '0').replace(/^0+(?=\d)/, '');
  const all = digits.padStart(places + 1, '0');
  return places === 0 ? all : `${all.slice(0, -places)}.${all.slice(-places)}`;
}

function exponential(x: number, places: number): string {
  const [mantissa, power] = x.toExponential(Math.min(100, places + GUARD)).split('e');
  let digits = cut(mantissa, places);
  let exponent = Number(power);
  if (digits.startsWith('10')) {
    digits = places === 0 ? '1' : `1.${'0'.repeat(places)}`;
    exponent++;
  }
  const size = `${Math.abs(exponent)}`.padStart(2, '0');
  return `${digits}e${exponent < 0 ? '-' : '+'}${size}`;
}

function general(x: number, precision: number): string | null {
  const places = Math.max(1, precision) - 1;
  const [mantissa, power] = exponential(x, places).split('e');
  const exponent = Number(power);
  const short = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);
  if (exponent < -4 || exponent > places) return `${short(mantissa)}e${power}`;
  const whole = fixed(x, places - exponent);
  return whole === null ? null : short(whole);
}

/** `round(x, places)`; null where it cannot be told exactly. */
export function roundTo(x: number, places: number): number | null {
  if (places < 0 || !Number.isFinite(x)) return null;
  const text = fixed(Math.abs(x), places);
  return text === null ? null : Math.sign(x) * Number(text) || 0 * x;
}

// ---- templates --------------------------------------------------------------------------------------------------------

/** `template % values`; null where it cannot be known. */
export function percentFormat(ev: Evaluator, template: string, value: Value): string | null {
  const v = ev.settled(value);
  const values = v.kind === 'tuple' ? v.items : [value];
  if (!values || v.kind === 'dict') return null;
  let next = 0;
  let isKnownText = true;
  const text = template.replace(/%([-+ 0]*)(\d*)(\.\d+)?([a-zA-Z%])/g, (_, flags: string, width: string, dot, type) => {
    if (type === '%') return '%';
    const item = values[next++];
    const shown = item && conversionOf(ev, item, flags, width, dot ?? '', type);
    if (shown === null || shown === undefined) isKnownText = false;
    return shown ?? '';
  });
  return isKnownText && next === values.length ? text : null;
}

function conversionOf(ev: Evaluator, item: Value, flags: string, width: string, dot: string, type: string) {
  const left = flags.includes('-');
  if (type === 's' || type === 'r')
    return formatWith(ev, item, width || dot ? `${left ? '<' : '>'}${width}${dot}` : '', type);
  const v = ev.settled(item);
  const number: Value =
    'di'.includes(type) && v.kind === 'float' && v.value !== null ? { kind: 'int', value: Math.trunc(v.value) } : v;
  if (number.kind !== 'int' && number.kind !== 'float' && number.kind !== 'bool') return null;
  const sign = flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
  const zero = flags.includes('0') && !left ? '0' : '';
  return formatWith(ev, number, `${left ? '<' : ''}${sign}${zero}${width}${dot}${type === 'i' ? 'd' : type}`);
}

/** `template.format(…)`; null where it cannot be known, or names items and attributes of its values. */
export function formatTemplate(
  ev: Evaluator,
  template: string,
  positional: readonly Value[],
  keywords: ReadonlyMap<string, Value>,
): string | null {
  let next = 0;
  let isKnownText = true;
  const text = template.replace(
    /\{\{|\}\}|\{(\w*)(?:!([rsa]))?(?::([^{}]*))?\}|[{}]/g,
    (all, name?: string, conversion?: string, spec?: string) => {
      if (all === '{{') return '{';
      if (all === '}}') return '}';
      const v =
        name === undefined
          ? undefined
          : name === ''
            ? positional[next++]
            : /^\d+$/.test(name)
              ? positional[Number(name)]
              : keywords.get(name);
      const shown = v ? formatWith(ev, v, spec ?? '', conversion ?? null) : null;
      if (shown === null) isKnownText = false;
      return shown ?? '';
    },
  );
  return isKnownText ? text : null;
}
