/**
 * What an index such as `x[:, i, None, ..., 1:]` means: which axes the result has, and where each comes from.
 *
 * Reading and writing lay their axes out differently in MLX (an int beside arrays counts as an array when reading
 * only), so there is a plan for each. A plan is a list of groups of axes; shape rule and kernel both walk it.
 */
import type { Dim } from '../dims/dim';
import type { RankedType } from '../graph/op';
import { Refusal } from '../graph/refusal';
import { showType } from '../graph/show';
import type { SliceBounds } from './slices';

/** One item of an index. An array stands for the operation's next input; `unknown` for a value nothing is known of. */
export type IndexItem =
  | { readonly kind: 'int'; readonly at: Dim }
  | { readonly kind: 'slice'; readonly start: Dim | null; readonly stop: Dim | null; readonly step: Dim }
  | { readonly kind: 'new' }
  | { readonly kind: 'ellipsis' }
  | { readonly kind: 'array' }
  | { readonly kind: 'unknown' };

export const WHOLE: SliceBounds = { start: null, stop: null, step: 1 };

/** An item with the axis it is about. */
export type Placed =
  | { readonly kind: 'int'; readonly axis: number; readonly at: Dim }
  | { readonly kind: 'slice'; readonly axis: number; readonly bounds: SliceBounds }
  | { readonly kind: 'array'; readonly axis: number; readonly input: number }
  | { readonly kind: 'new' };

/** Axes of a result that belong together; `gather` stands for the axes of all index arrays broadcast. */
export type Group =
  | { readonly kind: 'slice'; readonly axis: number; readonly bounds: SliceBounds }
  | { readonly kind: 'new' }
  | { readonly kind: 'gather' };

/** The items an index spends on an axis each. */
export const consumed = (items: readonly IndexItem[]): number =>
  items.filter(item => item.kind !== 'new' && item.kind !== 'ellipsis').length;

/**
 * The items with the ellipsis written out and axes they do not mention added.
 * @param first the input that the first array stands for
 * @throws Refusal of kind 'index-rank' for more items than axes or several ellipses
 */
export function place(type: RankedType, items: readonly IndexItem[], first: number): Placed[] {
  const rank = type.shape.length;
  const count = consumed(items);
  if (items.filter(item => item.kind === 'ellipsis').length > 1)
    throw new Refusal('index-rank', 'An index can hold only one ellipsis (...)');
  if (count > rank)
    throw new Refusal(
      'index-rank',
      rank === 0
        ? 'A 0-dimensional array cannot be indexed'
        : `Too many indices: ${count} for ${showType(type)}, which has ${rank} ${rank === 1 ? 'axis' : 'axes'}`,
      { input: 0, expected: rank, actual: count },
    );
  const placed: Placed[] = [];
  let axis = 0;
  let input = first;
  const rest = () => {
    for (let i = rank - count; i > 0; i--) placed.push({ kind: 'slice', axis: axis++, bounds: WHOLE });
  };
  for (const item of items) {
    if (item.kind === 'ellipsis') rest();
    else if (item.kind === 'new') placed.push(item);
    else if (item.kind === 'int') placed.push({ ...item, axis: axis++ });
    else if (item.kind === 'array') placed.push({ kind: 'array', axis: axis++, input: input++ });
    else if (item.kind === 'slice') placed.push({ kind: 'slice', axis: axis++, bounds: item });
    else throw new Error('an unknown index has no plan');
  }
  if (!items.some(item => item.kind === 'ellipsis')) rest();
  return placed;
}

/** The groups of what reading answers. With an array in the index its ints are gathered along with it. */
export function readPlan(placed: readonly Placed[]): Group[] {
  const arrays = placed.some(p => p.kind === 'array');
  const gathered = (p: Placed) => p.kind === 'array' || (arrays && p.kind === 'int');
  return arrange(
    placed.filter(p => arrays || p.kind !== 'int'),
    gathered,
  );
}

/**
 * The groups of what is written, when the index holds arrays. The slices of step 1 after the last array come last,
 * behind any new axis.
 */
export function writePlan(placed: readonly Placed[]): Group[] {
  const items = placed.filter(p => p.kind !== 'int');
  const last = items.findLastIndex(p => p.kind === 'array' || (p.kind === 'slice' && p.bounds.step !== 1));
  const plain = (p: Placed, i: number): p is Group & Placed => p.kind === 'slice' && i > last;
  return [
    ...arrange(
      items.filter((p, i) => !plain(p, i)),
      p => p.kind === 'array',
    ),
    ...items.filter(plain),
  ];
}

/** The gathered items become one group: where they stand side by side, else in front. */
function arrange(items: readonly Placed[], gathered: (p: Placed) => boolean): Group[] {
  const first = items.findIndex(gathered);
  const groups: Group[] = items.filter((p): p is Group & Placed => !gathered(p));
  if (first < 0) return groups;
  const last = items.findLastIndex(gathered);
  const apart = items.slice(first, last).some(p => !gathered(p));
  groups.splice(apart ? 0 : first, 0, { kind: 'gather' });
  return groups;
}
