/**
 * Puts an edited text's tree in the place of the one before, keeping the nodes that the edit did not touch.
 *
 * Who analysed a file knows functions by their nodes. Where an edit changes nothing but bodies of functions, the tree
 * before becomes the tree of the new text: those functions get their new bodies and a new version, and what stands
 * behind the edit moves, with every place that was noted of it. So what did not enter a changed function holds still.
 */
import type { ClassDef, Expr, FunctionDef, Module, Node, Span, Stmt } from './ast';
import { extent, walk } from './walk';

/** A tree with the text that it is of. */
export interface Parsed {
  readonly text: string;
  readonly module: Module;
}

interface Plan {
  readonly before: Parsed;
  readonly after: Parsed;
  /** What stays of `before`, with how far it moves. */
  readonly kept: { part: Node; by: number }[];
  /** Functions and classes of `before` with the nodes they become. */
  readonly changed: { node: FunctionDef; becomes: FunctionDef }[];
  readonly around: { node: ClassDef; becomes: ClassDef }[];
}

/**
 * Makes the tree of `before` the one of `after`, which is given up. False, and nothing done, where more than bodies of
 * functions differ.
 */
export function graft(before: Parsed, after: Parsed): boolean {
  const plan: Plan = { before, after, kept: [], changed: [], around: [] };
  if (!match(plan, before.module.body, after.module.body)) return false;
  for (const { part, by } of plan.kept) if (by !== 0) move(part, by);
  for (const { node, becomes } of plan.changed) {
    node.body = becomes.body;
    node.version = (node.version ?? 0) + 1;
    stand(node, becomes);
  }
  for (const { node, becomes } of plan.around) stand(node, becomes);
  Object.assign(before.module, { ...after.module, body: before.module.body });
  return true;
}

function stand(node: FunctionDef | ClassDef, { start, end, nameStart }: FunctionDef | ClassDef): void {
  Object.assign(node, { start, end, nameStart });
  if (node.place) Object.assign(node.place, { start, end });
}

/** Matches two lists of statements one to one. */
function match(plan: Plan, before: readonly Stmt[], after: readonly Stmt[]): boolean {
  return before.length === after.length && before.every((node, i) => matchOne(plan, node, after[i]));
}

function matchOne(plan: Plan, node: Stmt, other: Stmt): boolean {
  const { before, after } = plan;
  const [from, to] = [extent(node), extent(other)];
  if (node.kind === other.kind && textOf(before, from) === textOf(after, to) && isWhole(plan, from, to)) {
    plan.kept.push({ part: node, by: to.start - from.start });
    return true;
  }
  if (node.kind === 'FunctionDef' && other.kind === 'FunctionDef') {
    if (!sameHead(plan, node, other) || node.isGenerator !== other.isGenerator) return false;
    if (attributesSetIn(node) !== attributesSetIn(other)) return false;
    plan.changed.push({ node, becomes: other });
    return true;
  }
  if (node.kind !== 'ClassDef' || other.kind !== 'ClassDef' || !sameHead(plan, node, other)) return false;
  plan.around.push({ node, becomes: other });
  return match(plan, node.body, other.body);
}

/** What a body sets of objects tells of them even where it is not entered. */
function attributesSetIn(node: FunctionDef): string {
  const names = new Set<string>();
  const target = (e: Expr): void => {
    if (e.kind === 'Attribute') names.add(e.attr);
    else if (e.kind === 'Tuple' || e.kind === 'List') e.elts.forEach(target);
    else if (e.kind === 'Starred') target(e.value);
  };
  walk(node, inner => {
    if (inner.kind === 'Assign') inner.targets.forEach(target);
    else if (inner.kind === 'AugAssign' || inner.kind === 'AnnAssign' || inner.kind === 'For') target(inner.target);
  });
  return [...names].sort().join(' ');
}

const textOf = ({ text }: Parsed, { start, end }: Span): string => text.slice(start, end);

/** Whether two definitions are written alike up to their bodies; then the first keeps its head. */
function sameHead(plan: Plan, node: FunctionDef | ClassDef, other: FunctionDef | ClassDef): boolean {
  if (node.body.length === 0 || other.body.length === 0) return false;
  const from = { start: extent(node).start, end: headEnd(plan.before, node) };
  const to = { start: extent(other).start, end: headEnd(plan.after, other) };
  if (textOf(plan.before, from) !== textOf(plan.after, to) || !isWhole(plan, from, to)) return false;
  for (const part of headOf(node)) plan.kept.push({ part, by: to.start - from.start });
  return true;
}

const headOf = (node: FunctionDef | ClassDef): Node[] =>
  node.kind === 'FunctionDef'
    ? [...node.decorators, ...node.params, ...(node.returns ? [node.returns] : [])]
    : [...node.decorators, ...node.bases, ...node.keywords];

/** Where the colon stands: between it and the body there are layout and comments only. */
function headEnd({ text }: Parsed, node: FunctionDef | ClassDef): number {
  const last = Math.max(node.nameStart + node.name.length, ...headOf(node).map(part => part.end));
  const colon = text.indexOf(':', last);
  const body = extent(node.body[0]).start;
  return colon < 0 ? body : Math.min(colon, body);
}

/** What is broken nearby may have been read otherwise for it. */
function isWhole({ before, after }: Plan, from: Span, to: Span): boolean {
  const touches = (problem: Span, span: Span): boolean => problem.start <= span.end && span.start <= problem.end;
  return !before.module.problems.some(p => touches(p, from)) && !after.module.problems.some(p => touches(p, to));
}

const POSITIONS: ReadonlySet<string> = new Set(['start', 'end', 'nameStart', 'attrStart']);

/** Moves everything in a node, the places noted of it too. */
function move(part: object, by: number): void {
  if (Array.isArray(part)) {
    for (const item of part) if (typeof item === 'object' && item !== null) move(item, by);
    return;
  }
  const fields = part as Record<string, unknown>;
  for (const key in fields) {
    const value = fields[key];
    if (typeof value === 'object' && value !== null) move(value, by);
    else if (typeof value === 'number' && POSITIONS.has(key)) fields[key] = value + by;
  }
}
