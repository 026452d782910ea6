/**
 * Path patterns of settings, as in `.gitignore`: `*` within a name, `**` across folders, `?` one letter, and a pattern
 * without a slash meets a name at any depth.
 */

export type PathPattern = (relativePath: string) => boolean;

/** Whether a path, as seen from the folder of the settings, is (or lies in) what the pattern names. */
export function pathPattern(pattern: string): PathPattern {
  const anchored = pattern.replace(/^\.?\//, '').replace(/\/$/, '');
  const anywhere = !anchored.includes('/');
  const body = anchored
    .split('/')
    .map(part =>
      part === '**'
        ? '**'
        : part
            .replace(/[.+^${}()|[\]\\]/g, '\\$&')
            .replaceAll('*', '[^/]*')
            .replaceAll('?', '[^/]'),
    )
    .join('/')
    .replaceAll('**/', '(?:[^/]+/)*')
    .replaceAll('**', '.*');
  const expression = new RegExp(`^${anywhere ? '(?:.*/)?' : ''}${body}(?:/.*)?$`);
  return path => expression.test(path);
}
