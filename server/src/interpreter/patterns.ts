/** `match` patterns: whether a value fits, and the names it binds. */
import type { Pattern } from '../python/ast';
import { bindName } from './assignment';
import type { Evaluator } from './evaluator';
import { evaluate } from './expressions';
import { type ClassValue, freshId, keyOf, list, unknown, type Value } from './values';

/** true, false, or null when it may fit. Captured names are bound as they are met. */
export function matchPattern(ev: Evaluator, pattern: Pattern, subject: Value): boolean | null {
  const v = ev.settled(subject);
  switch (pattern.kind) {
    case 'MatchValue':
      return ev.truth(ev.compare('==', v, evaluate(ev, pattern.value)));
    case 'MatchAs': {
      const fits = pattern.pattern ? matchPattern(ev, pattern.pattern, v) : true;
      if (pattern.name && fits !== false) bindName(ev, pattern.name, v);
      return fits;
    }
    case 'MatchOr': {
      const answers = pattern.patterns.map(p => matchPattern(ev, p, v));
      return answers.includes(true) ? true : answers.includes(null) ? null : false;
    }
    case 'MatchSequence':
      return matchSequence(ev, pattern.patterns, v);
    case 'MatchMapping': {
      if (v.kind !== 'dict') return v.kind === 'unknown' || v.kind === 'union' ? null : false;
      let fits: boolean | null = v.rest ? null : true;
      const rest = new Map(v.entries);
      for (const [i, key] of pattern.keys.entries()) {
        const id = keyOf(ev.settled(evaluate(ev, key)));
        const entry = id === null ? undefined : v.entries.get(id);
        if (id !== null) rest.delete(id);
        if (!entry && !v.rest) return id === null ? null : false;
        const answer = matchPattern(ev, pattern.patterns[i], entry?.value ?? v.rest ?? unknown('is not known'));
        if (answer === false) return false;
        if (answer === null) fits = null;
      }
      if (pattern.rest) bindName(ev, pattern.rest, { ...v, id: freshId(), entries: rest });
      return fits;
    }
    case 'MatchClass': {
      const cls = ev.settled(evaluate(ev, pattern.cls));
      const fits = cls.kind === 'class' ? ev.isInstance(v, cls) : null;
      if (fits === false) return false;
      let all: boolean | null = fits;
      for (const { name, pattern: inner } of pattern.keywords) {
        const answer = matchPattern(ev, inner, ev.getAttribute(v, name) ?? unknown('is not known'));
        if (answer === false) return false;
        if (answer === null) all = null;
      }
      const names = cls.kind === 'class' ? positionalNames(ev, cls) : null;
      for (const [i, inner] of pattern.patterns.entries()) {
        const part = names ? names[i] && ev.getAttribute(v, names[i]) : v;
        const answer = matchPattern(ev, inner, part || unknown('is not known'));
        if (answer === false) return false;
        if (answer === null) all = null;
      }
      return all;
    }
    case 'MatchStar':
      if (pattern.name) bindName(ev, pattern.name, unknown('is part of a matched sequence'));
      return true;
    case 'MatchError':
      return null;
  }
}

/** What `Point(x, y)` compares by position; null for the builtin classes, whose one pattern is for the subject itself. */
function positionalNames(ev: Evaluator, cls: ClassValue): readonly string[] | null {
  if (!cls.node && !cls.dataclass) return null;
  const given = ev.getAttribute(cls, '__match_args__');
  const items = given ? ev.iterate(given).items : null;
  if (items) return items.flatMap(i => (i.kind === 'str' && i.value !== null ? [i.value] : []));
  return cls.dataclass?.filter(f => f.init && !f.keywordOnly).map(f => f.name) ?? [];
}

function matchSequence(ev: Evaluator, patterns: readonly Pattern[], v: Value): boolean | null {
  if (v.kind !== 'tuple' && v.kind !== 'list')
    return v.kind === 'unknown' || v.kind === 'union' || v.kind === 'array' ? null : false;
  if (!v.items) return null;
  const star = patterns.findIndex(p => p.kind === 'MatchStar');
  if (star < 0 ? v.items.length !== patterns.length : v.items.length < patterns.length - 1) return false;
  let fits: boolean | null = true;
  for (const [i, p] of patterns.entries()) {
    if (p.kind === 'MatchStar') {
      if (p.name) bindName(ev, p.name, list(v.items.slice(i, v.items.length - (patterns.length - 1 - i))));
      continue;
    }
    const at = star >= 0 && i > star ? v.items.length - (patterns.length - i) : i;
    const answer = matchPattern(ev, p, v.items[at]);
    if (answer === false) return false;
    if (answer === null) fits = null;
  }
  return fits;
}
