/**
 * Source text to syntax tree. Pyright's parser stands behind it (see `pyright/`); nothing else in the project sees it.
 */

import type { Comment, Module, Node } from './ast';
import { readTree } from './pyright/front';
import type { Source } from './pyright/source';
import { lowerStatements } from './pyright/statements';
import { children, extent } from './walk';

export interface ParseOptions {
  /** Accept IPython's `%magic` and `!shell` lines, as notebook cells have them. */
  notebook?: boolean;
}

/**
 * Parses any text: it never throws, and an unfinished line costs only itself. What is broken is listed in `problems`
 * and stands in the tree as ErrorExpr, ErrorStmt and MatchError.
 */
export function parse(text: string, { notebook = false }: ParseOptions = {}): Module {
  try {
    const tree = readTree(text, notebook);
    const source: Source = { text, tokens: tree.tokens, sawYield: false };
    const module: Module = {
      kind: 'Module',
      start: 0,
      end: text.length,
      body: lowerStatements(source, tree.statements),
      comments: commentsOf(source),
      problems: tree.problems,
    };
    if (module.problems.length > 0) nest(module);
    return module;
  } catch (error) {
    // The parser descends as deep as the code nests, so some text exhausts any stack.
    const message =
      error instanceof RangeError ? 'The code nests too deeply to be read.' : `The code cannot be read: ${error}`;
    const problem = { start: 0, end: text.length, message };
    return { kind: 'Module', start: 0, end: text.length, body: [], comments: [], problems: [problem] };
  }
}

/** Why nothing of a text could be read, for a user; null when it was read, however broken it is. */
export function unreadable({ body, problems, end }: Module): string | null {
  const [only] = problems;
  return body.length === 0 && only?.start === 0 && only.end === end ? only.message : null;
}

/** Pyright's CommentType of a `#` comment; the others are IPython's magics. */
const HASH_COMMENT = 0;

function commentsOf({ tokens }: Source): Comment[] {
  const comments: Comment[] = [];
  for (let i = 0; i < tokens.count; i++) {
    for (const { start, length, value, type } of tokens.getItemAt(i).comments ?? []) {
      // Pyright's range starts after the `#`.
      if (type === HASH_COMMENT) comments.push({ start: start - 1, end: start + length, text: value });
    }
  }
  return comments;
}

/** Pyright places error nodes at the token it stumbled over, which may lie outside the parent: widens the parents. */
function nest(node: Node): void {
  for (const child of children(node)) {
    nest(child);
    const { start, end } = extent(child);
    if (start < extent(node).start) node.start = start;
    node.end = Math.max(node.end, end);
  }
}
