/**
 * Which findings are shown: settings that select and ignore codes, and comments in the source.
 *
 *     x = f(y)  # mlx-scope: ignore[MLX101]        this line; without brackets, every code
 *     # mlx-scope: ignore[MLX1]                    on a line of its own: the next line
 *     # mlx-scope: ignore-file                     the whole file
 */
import type { SourceFile } from '../analysis/types';
import type { Rule } from './diagnostic';

export interface Selection {
  /** Codes, their beginnings (`MLX1`), or names. Empty: all. */
  readonly select: readonly string[];
  readonly ignore: readonly string[];
}

/** Whether a rule is wanted. Where both lists name it, the more exact one counts, and `ignore` when they are alike. */
export function isSelected({ code, name }: Rule, { select, ignore }: Selection): boolean {
  const exactness = (list: readonly string[]): number =>
    Math.max(-1, ...list.map(entry => (entry === name ? code.length : code.startsWith(entry) ? entry.length : -1)));
  const wanted = select.length === 0 ? 0 : exactness(select);
  return wanted >= 0 && exactness(ignore) < Math.max(wanted, Number(select.length === 0) * 0.5);
}

const DIRECTIVE = /^\s*mlx-scope:\s*ignore(-file)?(?![\w-])(?:\s*\[([^\]]*)\])?/;

/** What a source's comments silence. */
export class Suppressions {
  /** Line (from 0) → entries; null for every code. */
  private readonly lines = new Map<number, (string | null)[]>();
  private readonly file: (string | null)[] = [];

  constructor(private readonly source: SourceFile) {
    for (const { start, text } of source.module.comments) {
      const match = DIRECTIVE.exec(text);
      if (!match) continue;
      const codes =
        match[2] === undefined
          ? [null]
          : match[2]
              .split(',')
              .map(code => code.trim())
              .filter(Boolean);
      if (match[1]) this.file.push(...codes);
      else {
        const line = source.lines.lineAt(start);
        const isAlone = source.lines.lineText(line).trimStart().startsWith('#');
        const at = isAlone ? line + 1 : line;
        this.lines.set(at, [...(this.lines.get(at) ?? []), ...codes]);
      }
    }
  }

  /** Whether a comment silences the rule on any line that the range touches. */
  silences({ code, name }: Rule, start: number, end: number): boolean {
    const meets = (entry: string | null) => entry === null || entry === name || code.startsWith(entry);
    if (this.file.some(meets)) return true;
    if (this.lines.size === 0) return false;
    const last = this.source.lines.lineAt(end);
    for (let line = this.source.lines.lineAt(start); line <= last; line++)
      if (this.lines.get(line)?.some(meets)) return true;
    return false;
  }
}
