/**
 * Shapes whose rank is not known yet: some leading axes, then a known tail.
 *
 * An array parameter starts as `OpenShape(lead, [])`; what the code does with it refines `lead` through `Facts`.
 */
import { type Dim, showDim } from './dim';

let nextId = 1;

/** A run of axes of unknown number. */
export class RowVariable {
  readonly id = nextId++;
  /** `name` is the parameter it came from. */
  constructor(readonly name: string) {}
}

export class OpenShape {
  constructor(
    readonly lead: RowVariable,
    readonly tail: readonly Dim[],
  ) {}
}

/** `[B, L, 4096]`, `[..., 4096]`, or `[...]` when nothing is known. */
export function showShape(shape: readonly Dim[] | OpenShape | null): string {
  if (shape === null) return '[...]';
  if (shape instanceof OpenShape) return `[${['...', ...shape.tail.map(showDim)].join(', ')}]`;
  return `[${shape.map(showDim).join(', ')}]`;
}
