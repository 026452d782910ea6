/**
 * MLX6xx: modules whose parameters MLX does not see. Such a model computes, but it is not trained, saved or loaded as a
 * whole.
 */
import { lookupClass } from '../interpreter/attributes';
import type { InstanceValue, Value } from '../interpreter/values';
import { isModule, isModuleClass } from '../mlx/nn/membership';
import type { ClassDef, Expr, FunctionDef } from '../python/ast';
import { walk } from '../python/walk';
import type { Diagnostic, Fix, Rule } from './diagnostic';
import { calledName, type Lint, type Seen } from './lint';

const rule = (code: string, name: string, summary: string): Rule => ({ code, name, severity: 'warning', summary });

export const STRUCTURE_RULES = {
  'super-init': rule('MLX601', 'super-init', 'A module’s constructor does not call that of nn.Module.'),
  'module-in-tuple': rule('MLX602', 'module-in-tuple', 'Layers in a tuple are no part of the module.'),
  'private-module': rule('MLX603', 'private-module', 'A layer under a private name is no part of the module.'),
  'module-in-object': rule(
    'MLX604',
    'module-in-object',
    'Layers in an object that is no module are no part of the module.',
  ),
} as const;

export const lintStructure: Lint = function* (seen: Seen): Iterable<Diagnostic> {
  const modules = new Set(seen.analysis.classes.filter(c => c.isModule).map(c => c.start));
  for (const cls of seen.source.module.body) {
    if (cls.kind !== 'ClassDef' || !modules.has(cls.start)) continue;
    yield* superInit(seen, cls);
    for (const f of cls.body) if (f.kind === 'FunctionDef' && f.name === '__init__') yield* hiddenLayers(seen, cls, f);
  }
};

function* superInit(seen: Seen, cls: ClassDef): Iterable<Diagnostic> {
  const init = cls.body.find((s): s is FunctionDef => s.kind === 'FunctionDef' && s.name === '__init__');
  if (!init || init.decorators.length > 0) return;
  let calls = false;
  let assigns = false;
  for (const stmt of init.body)
    walk(stmt, node => {
      if (node.kind === 'Call' && calledName(node.func) === '__init__') calls = true;
      // A helper, or super() kept under another name, may do it.
      if (node.kind === 'Call' && node.func.kind === 'Name' && node.func.id === 'super') calls = true;
      if (node.kind === 'Assign') assigns ||= node.targets.some(isOfSelf);
    });
  if (calls || !assigns) return;
  const first = init.body.find(s => !(s.kind === 'ExprStmt' && s.value.kind === 'Str')) ?? init.body[0];
  const line = seen.source.lines.lineAt(first.start);
  const isOwnLine = line !== seen.source.lines.lineAt(init.start);
  const indent = /^\s*/.exec(seen.source.lines.lineText(line))?.[0] ?? '';
  const at = { start: first.start, end: first.start };
  yield seen.found(
    STRUCTURE_RULES['super-init'],
    { start: init.nameStart, end: init.nameStart + init.name.length },
    `${cls.name}.__init__ does not call super().__init__(): freeze(), unfreeze() and trainable_parameters() fail later`,
    { fixes: isOwnLine ? [seen.fix('Call super().__init__()', at, `super().__init__()\n${indent}`)] : [] },
  );
}

const isOfSelf = (e: Expr): boolean => e.kind === 'Attribute' && e.value.kind === 'Name' && e.value.id === 'self';

function* hiddenLayers(seen: Seen, cls: ClassDef, init: FunctionDef): Iterable<Diagnostic> {
  const assigned: { target: Expr & { kind: 'Attribute' }; value: Expr }[] = [];
  for (const stmt of init.body)
    walk(stmt, node => {
      if (node.kind !== 'Assign') return;
      for (const target of node.targets)
        if (target.kind === 'Attribute' && isOfSelf(target)) assigned.push({ target, value: node.value });
    });
  for (const { target, value } of assigned) {
    const seenValues = seen.at('assign', target).map(o => o.value);
    if (seenValues.length === 0) continue;
    const name = seen.text(target);
    if (seenValues.every(v => v.kind === 'tuple' && itemsOf(v).some(hasParameters)))
      yield seen.found(
        STRUCTURE_RULES['module-in-tuple'],
        value,
        `MLX looks for layers in lists and dicts, not in tuples: the parameters of ${name} are not those of ${cls.name}`,
        { fixes: listFix(seen, value) },
      );
    else if (target.attr.startsWith('_') && value.kind === 'Call' && seenValues.every(hasParameters))
      yield seen.found(
        STRUCTURE_RULES['private-module'],
        target,
        `MLX leaves out attributes that begin with an underscore: the parameters of ${name} are not those of ${cls.name}`,
        { fixes: publicFix(seen, cls, target.attr) },
      );
    else if (value.kind === 'Call' && seenValues.every(holdsLayers))
      yield seen.found(
        STRUCTURE_RULES['module-in-object'],
        value,
        `${(seenValues[0] as InstanceValue).cls.name} is no nn.Module: the parameters of the layers that it holds are not those of ${cls.name}`,
      );
  }
}

const itemsOf = (v: Value): readonly Value[] =>
  v.kind === 'tuple' || v.kind === 'list' ? (v.items ?? [v.element!]) : [];

/** Whether it is a module that certainly has parameters, itself or in a layer of its own. */
function hasParameters(v: Value, depth = 0): boolean {
  if (!isModule(v) || depth > 4) return false;
  return [...v.attributes].some(
    ([name, part]) =>
      !name.startsWith('_') &&
      (part.kind === 'array' ||
        [part, ...(part.kind === 'list' ? itemsOf(part) : [])].some(p => hasParameters(p, depth + 1))),
  );
}

/** Whether it is a plain object of a class of the user's that holds layers made for it. */
function holdsLayers(v: Value): boolean {
  if (v.kind !== 'instance' || isModuleClass(v.cls) || v.open || v.cls.open || v.cls.dataclass) return false;
  if (!v.cls.mro.every(c => c.node !== null || c.name === 'object') || lookupClass(v.cls, '__getattr__')) return false;
  return [...v.attributes.values()].some(
    part => part.kind === 'list' && itemsOf(part).length > 0 && itemsOf(part).every(p => hasParameters(p)),
  );
}

function listFix(seen: Seen, value: Expr): Fix[] {
  const text = seen.text(value);
  if (value.kind === 'Call' && value.func.kind === 'Name' && value.func.id === 'tuple')
    return [seen.fix('Make it a list', value.func, 'list')];
  if (value.kind !== 'Tuple' || !text.startsWith('(') || !text.endsWith(')')) return [];
  return [seen.fix('Make it a list', value, `[${text.slice(1, -1).replace(/,\s*$/, '')}]`)];
}

/** The attribute under a public name, wherever the class speaks of it. */
function publicFix(seen: Seen, cls: ClassDef, attr: string): Fix[] {
  const name = attr.replace(/^_+/, '');
  if (name === '' || new RegExp(`\\bself\\.${name}\\b`).test(seen.text(cls))) return [];
  const edits: Fix['edits'][number][] = [];
  const file = seen.source.path;
  walk(cls, node => {
    if (node.kind === 'Attribute' && isOfSelf(node) && node.attr === attr)
      edits.push({ file, start: node.attrStart, end: node.attrStart + attr.length, newText: name });
  });
  return [{ title: `Call it ${name}`, edits }];
}
