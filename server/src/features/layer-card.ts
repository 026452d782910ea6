/**
 * The card of a layer or a module class: parameters, memory, what flows through it.
 */
import type { Facts } from '../../../engine/src/dims/facts';
import type { ArrayType } from '../../../engine/src/graph/op';
import { showType } from '../../../engine/src/graph/show';
import type { InstanceValue } from '../interpreter/values';
import { byteText, countText, memory, parameterCount, parameterTree, wholeNumber } from './parameters';

/** Rows of a card's table of parameters; a model has thousands. */
const MOST_ROWS = 12;

/** Markdown for a module: its parameters and the memory they take. `flow`: what goes in and comes out. */
export function moduleCard(title: string, module: InstanceValue, facts: Facts, flow: string | null = null): string {
  const tree = parameterTree(module, facts);
  const parts = [flow ? `**${title}** \u2002 \`${flow}\`` : `**${title}**`];
  const count = countText(parameterCount(tree), wholeNumber);
  const bytes = memory(tree);
  if (tree.entries.length === 0) parts.push(tree.complete ? 'No parameters' : 'Parameters are not known');
  else {
    const rows = tree.entries.slice(0, MOST_ROWS).map(({ path, type, trainable, times }) => {
      const note = `${times === 1 ? '' : ' (each)'}${trainable ? '' : ' (frozen)'}`;
      return `| \`${path}\` | \`${showType(type)}\`${note} |`;
    });
    const rest = tree.entries.length - MOST_ROWS;
    if (rest > 0) rows.push(`| … ${rest} more | |`);
    parts.push(['| parameter | type |', '| --- | --- |', ...rows].join('\n'));
  }
  const memoryText = bytes
    ? [
        `${byteText(bytes.float32)} float32`,
        `${byteText(bytes.bfloat16)} bfloat16`,
        // Where no weight has a last axis that the groups fit, it would say the same again.
        ...(bytes.affine4 < bytes.bfloat16 ? [`${byteText(bytes.affine4)} 4-bit`] : []),
      ].join(' · ')
    : null;
  const summary = [count, memoryText].filter(Boolean).join(' · ');
  if (summary) parts.push(summary);
  return parts.join('\n\n');
}

/** `[B, L, 4096] → [B, L, 1024]`, of the first call that was seen; null when there was none. */
export function flowText(inputs: readonly ArrayType[], outputs: readonly ArrayType[]): string | null {
  if (inputs.length === 0 && outputs.length === 0) return null;
  const side = (types: readonly ArrayType[]) => (types.length === 0 ? '?' : showType(types[0]));
  const more = Math.max(inputs.length, outputs.length) - 1;
  return `${side(inputs)} → ${side(outputs)}${more > 0 ? ` (and ${more} more)` : ''}`;
}
