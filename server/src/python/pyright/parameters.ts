/** Lowers parameter lists and call arguments. */

import type { ArgumentNode, ParameterNode } from '@zzzen/pyright-internal/dist/parser/parseNodes';
import type { Expr, Keyword, Param } from '../ast';
import { lowerExpr } from './expressions';
import { type Source, spanOf } from './source';

/** Pyright's ParamCategory and ArgCategory. */
const SIMPLE = 0;
const STAR = 1;
const DOUBLE_STAR = 2;

export function lowerParams(source: Source, nodes: readonly ParameterNode[]): Param[] {
  const params: Param[] = [];
  let form: Param['form'] = 'standard';
  for (const node of nodes) {
    const { name, category, annotation, defaultValue } = node.d;
    if (!name) {
      // A bare `*` or `/`, or a parameter that could not be read.
      if (category === STAR) form = 'keyword';
      else if (category === SIMPLE && source.text[node.start] === '/')
        for (const param of params) param.form = 'positional';
      continue;
    }
    params.push({
      kind: 'Param',
      ...spanOf(node),
      name: name.d.value,
      nameStart: name.start,
      form: category === STAR ? 'vararg' : category === DOUBLE_STAR ? 'kwarg' : form,
      annotation: annotation ? lowerExpr(source, annotation) : null,
      default: defaultValue ? lowerExpr(source, defaultValue) : null,
    });
    if (category === STAR) form = 'keyword';
  }
  return params;
}

export function lowerArguments(source: Source, nodes: readonly ArgumentNode[]): { args: Expr[]; keywords: Keyword[] } {
  const args: Expr[] = [];
  const keywords: Keyword[] = [];
  for (const node of nodes) {
    const { name, argCategory, valueExpr } = node.d;
    const value = lowerExpr(source, valueExpr);
    const span = spanOf(node);
    if (name) keywords.push({ kind: 'KeywordArg', ...span, arg: name.d.value, value });
    else if (argCategory === DOUBLE_STAR) keywords.push({ kind: 'KeywordArg', ...span, arg: null, value });
    else args.push(argCategory === STAR ? { kind: 'Starred', ...span, value } : value);
  }
  return { args, keywords };
}
