/**
 * MLX4xx: habits from PyTorch and NumPy that MLX has no name for, with the MLX way as a fix where it is certain.
 */
import type { Finding } from '../analysis/types';
import type { Origin } from '../interpreter/values';
import type { Attribute, Call, Expr, Keyword, Module, Node } from '../python/ast';
import { nodeAt, walk } from '../python/walk';
import { CALL_RULES } from './calls';
import type { Fix, Judge, Judgement, Rule } from './diagnostic';
import { ARRAY_HABITS, CORE_HABITS, type Habit, KEYWORD_HABITS, MODULE_HABITS, NN_HABITS } from './habits';
import { layerOf } from './layers';

const rule = (code: string, name: string, summary: string): Rule => ({ code, name, severity: 'error', summary });

export const PORTING_RULES = {
  keyword: rule('MLX401', 'foreign-keyword', 'A keyword argument has another library’s name (`dim`, `keepdim`).'),
  method: rule('MLX402', 'foreign-method', 'An array or layer has no such method; PyTorch or NumPy has.'),
  name: rule('MLX403', 'foreign-name', 'MLX has no function or layer of this name; PyTorch or NumPy has.'),
} as const;

/** A refusal of kind `attribute`: a name that does not exist. */
export const judgeAttribute: Judge = (finding, context) => {
  const source = context.source(finding.file);
  const node = source && attributeOf(source.module, finding);
  if (!source || !node) return { rule: CALL_RULES.attribute };
  const aliases = mlxAliases(source.module);
  const found = habitOf(node, finding, aliases);
  if (!found) return { rule: CALL_RULES.attribute, place: nameOf(node, finding.file) };
  const [judged, habit] = found;
  const fix = habitFix(source.text, source.module, node, habit, aliases, finding.file);
  return {
    rule: judged,
    message: `${finding.message}. ${habit.advice}`,
    fixes: fix ? [fix] : [],
    place: nameOf(node, finding.file),
  };
};

/** A refusal of kind `signature`: arguments that do not fit. */
export const judgeSignature: Judge = (finding, context): Judgement => {
  const source = context.source(finding.file);
  if (!source) return { rule: CALL_RULES.signature };
  const keyword = keywordOf(source.module, finding);
  const to = keyword?.arg && Object.hasOwn(KEYWORD_HABITS, keyword.arg) ? KEYWORD_HABITS[keyword.arg] : undefined;
  if (keyword && to !== undefined) {
    const fix = keywordFix(keyword, to, finding, source.text);
    const advice = to === null ? 'Leave it out' : `MLX calls it \`${to}\``;
    return {
      rule: PORTING_RULES.keyword,
      message: `${finding.message}. ${advice}`,
      fixes: fix ? [fix] : [],
      place: { file: finding.file, start: keyword.start, end: keyword.end },
    };
  }
  // Names that MLX has too, for something else: `x.view(2, 3)`, `x.size(0)`.
  const node = calledAttribute(source.module, finding, ['view', 'size']);
  if (!node) return { rule: CALL_RULES.signature };
  const aliases = mlxAliases(source.module);
  const habit = ARRAY_HABITS[node.attr];
  const fix = habitFix(source.text, source.module, node, habit, aliases, finding.file);
  return {
    rule: PORTING_RULES.method,
    message: habit.advice,
    fixes: fix ? [fix] : [],
    place: nameOf(node, finding.file),
  };
};

// ---- finding the node -------------------------------------------------------------------------------------------------

const nameOf = (node: Attribute, file: string): Origin => ({
  file,
  start: node.attrStart,
  end: node.attrStart + node.attr.length,
});

/** The attribute that a finding is about: the innermost in its range of that name. */
function attributeOf(module: Module, { start, end, detail }: Finding): Attribute | null {
  let found: Attribute | null = null;
  within(module, start, end, node => {
    if (node.kind === 'Attribute' && (detail.name === undefined || node.attr === detail.name)) found = node;
  });
  return found;
}

function keywordOf(module: Module, { start, end, detail }: Finding): Keyword | null {
  if (detail.name === undefined) return null;
  let found: Keyword | null = null;
  within(module, start, end, node => {
    if (node.kind === 'Call') found ??= node.keywords.find(k => k.arg === detail.name) ?? null;
  });
  return found;
}

function calledAttribute(module: Module, { start, end }: Finding, names: readonly string[]): Attribute | null {
  let found: Attribute | null = null;
  within(module, start, end, node => {
    if (node.kind === 'Call' && node.func.kind === 'Attribute' && names.includes(node.func.attr)) found ??= node.func;
  });
  return found;
}

/** Visits the nodes that lie in a range, outermost first. */
function within(module: Module, start: number, end: number, visit: (node: Node) => void): void {
  walk(module, node => {
    if (node.kind !== 'Module' && (node.end <= start || node.start >= end)) return false;
    if (node.start >= start && node.end <= end) visit(node);
    return true;
  });
}

// ---- what the file calls MLX ------------------------------------------------------------------------------------------

/** What a file calls MLX's modules and NumPy; null for what it does not import. */
export interface Aliases {
  readonly mx: string | null;
  readonly nn: string | null;
  readonly np: string | null;
}

export function mlxAliases(module: Module): Aliases {
  const found: Record<string, string> = {};
  walk(module, node => {
    if (node.kind === 'Import')
      for (const { name, asname } of node.names) {
        if (asname !== null || !name.includes('.')) found[name] ??= asname ?? name;
      }
    if (node.kind === 'ImportFrom' && node.module === 'mlx')
      for (const { name, asname } of node.names) found[`mlx.${name}`] ??= asname ?? name;
  });
  return { mx: found['mlx.core'] ?? null, nn: found['mlx.nn'] ?? null, np: found.numpy ?? null };
}

function habitOf(node: Attribute, finding: Finding, aliases: Aliases): readonly [Rule, Habit] | null {
  const pick = (table: Readonly<Record<string, Habit>>, judged: Rule): readonly [Rule, Habit] | null =>
    Object.hasOwn(table, node.attr) ? [judged, table[node.attr]] : null;
  if (node.value.kind === 'Name') {
    if (node.value.id === aliases.mx) return pick(CORE_HABITS, PORTING_RULES.name);
    if (node.value.id === aliases.nn) return pick(NN_HABITS, PORTING_RULES.name);
  }
  if (layerOf(finding)) return pick(MODULE_HABITS, PORTING_RULES.method);
  // The message names the type: an array, or the class of an object.
  if (/\barray\b/.test(finding.message)) return pick(ARRAY_HABITS, PORTING_RULES.method);
  return pick(MODULE_HABITS, PORTING_RULES.method);
}

// ---- fixes ------------------------------------------------------------------------------------------------------------

function habitFix(
  text: string,
  module: Module,
  node: Attribute,
  habit: Habit,
  aliases: Aliases,
  file: string,
): Fix | null {
  if (habit.name) {
    const edit = { ...nameOf(node, file), newText: habit.name };
    return { title: `Use ${habit.name}`, edits: [edit] };
  }
  const path = nodeAt(module, node.attrStart);
  const at = path.lastIndexOf(node);
  const parent = path[at - 1];
  if (parent?.kind !== 'Call' || parent.func !== node) return null;
  const template = templateFor(habit, parent, text);
  const newText = template && fill(template, node, parent, text, aliases);
  if (!newText) return null;
  const outer = path[at - 2];
  const wrapped = needsParentheses(template, outer) ? `(${newText})` : newText;
  return {
    title: newText.length > 40 ? habit.advice : `Write ${newText}`,
    edits: [{ file, start: parent.start, end: parent.end, newText: wrapped }],
  };
}

function templateFor(habit: Habit, call: Call, text: string): string | null {
  const count = call.args.length + call.keywords.length;
  if (call.args.some(a => a.kind === 'Starred') || call.keywords.some(k => k.arg === null))
    return habit.call?.n ?? null;
  if (count === 1 && call.args.length === 1) {
    const literal = habit.literal?.[text.slice(call.args[0].start, call.args[0].end)];
    if (literal) return literal;
  }
  return habit.call?.[count as 0 | 1 | 2 | 3] ?? habit.call?.n ?? null;
}

function fill(template: string, node: Attribute, call: Call, text: string, aliases: Aliases): string | null {
  const slice = ({ start, end }: { start: number; end: number }) => text.slice(start, end);
  const isOperation = /^\{x\} \S+ \{0\}$/.test(template);
  const argument = (value: Expr): string => (isOperation && !isPrimary(value) ? `(${slice(value)})` : slice(value));
  const values = [...call.args, ...call.keywords.map(k => k.value)];
  const rename = (k: Keyword): string => {
    const to = k.arg === null ? undefined : KEYWORD_HABITS[k.arg];
    return to ? `${to}=${slice(k.value)}` : slice(k);
  };
  const list = [...call.args.map(slice), ...call.keywords.map(rename)].join(', ');
  let possible = true;
  const result = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    if (name === 'x') return slice(node.value);
    if (name === 'args') return list;
    if (name === 'mx' || name === 'nn' || name === 'np') {
      if (aliases[name] === null) possible = false;
      return aliases[name] ?? '';
    }
    return argument(values[Number(name)]);
  });
  return possible ? result.replace(/, \)/, ')') : null;
}

const isPrimary = (e: Expr): boolean =>
  ['Name', 'Attribute', 'Call', 'Subscript', 'Int', 'Float', 'Str'].includes(e.kind);

/** An operation that stands where a call stood may have to be bracketed: `x.mul(y).sum()`. */
function needsParentheses(template: string, outer: Node | undefined): boolean {
  return (
    / \S+ \{0\}$|^-/.test(template) &&
    outer !== undefined &&
    ['Attribute', 'Subscript', 'BinOp', 'UnaryOp', 'Compare', 'Await'].includes(outer.kind)
  );
}

function keywordFix(keyword: Keyword, to: string | null, finding: Finding, text: string): Fix | null {
  const { file } = finding;
  if (to !== null) {
    // The message ends with the signature: the new name must be in it, and the old one's value then means the same.
    if (!new RegExp(`\\b${to}\\b`).test(finding.message)) return null;
    const end = keyword.start + keyword.arg!.length;
    return { title: `Write ${to}=`, edits: [{ file, start: keyword.start, end, newText: to }] };
  }
  // MLX's recurrent layers take the batch first, so only True can go.
  if (keyword.arg === 'batch_first' && text.slice(keyword.value.start, keyword.value.end) !== 'True') return null;
  const before = /,\s*$/.exec(text.slice(0, keyword.start));
  const after = /^\s*,\s*/.exec(text.slice(keyword.end));
  const start = before ? keyword.start - before[0].length : keyword.start;
  const end = !before && after ? keyword.end + after[0].length : keyword.end;
  return { title: `Remove ${keyword.arg}`, edits: [{ file, start, end, newText: '' }] };
}
