/** `import` and `from … import …`. */
import type { Import, ImportFrom } from '../python/ast';
import { bindName } from './assignment';
import type { Evaluator } from './evaluator';
import { type ModuleValue, module, unknown, type Value } from './values';

/** A module out of reach: every attribute of it is unknown. */
function outOfReach(ev: Evaluator, name: string): ModuleValue {
  let known = ev.modules.get(name);
  if (!known) ev.modules.set(name, (known = module(name, [], true)));
  return known;
}

export function importNames(ev: Evaluator, stmt: Import): void {
  for (const { name, asname } of stmt.names) {
    const found = ev.importModule(name, 0, ev.frame.module) ?? outOfReach(ev, name);
    if (asname) bindName(ev, asname, found);
    else {
      const top = name.split('.')[0];
      bindName(ev, top, top === name ? found : (ev.importModule(top, 0, ev.frame.module) ?? outOfReach(ev, top)));
    }
  }
}

export function importFrom(ev: Evaluator, stmt: ImportFrom): void {
  const found = ev.importModule(stmt.module, stmt.level, ev.frame.module) ?? outOfReach(ev, stmt.module || '.');
  for (const { name, asname } of stmt.names) {
    if (name === '*') {
      const all = found.attributes.get('__all__');
      const listed =
        all?.kind === 'list' && all.items
          ? all.items.flatMap(i => (i.kind === 'str' && i.value ? [i.value] : []))
          : null;
      for (const [key, value] of found.attributes)
        if (listed ? listed.includes(key) : !key.startsWith('_')) bindName(ev, key, value);
      continue;
    }
    bindName(ev, asname ?? name, member(ev, found, name, stmt));
  }
}

function member(ev: Evaluator, found: ModuleValue, name: string, stmt: ImportFrom): Value {
  const direct = found.attributes.get(name);
  if (direct) return direct;
  const path = stmt.module ? `${stmt.module}.${name}` : name;
  return (
    ev.importModule(path, stmt.level, ev.frame.module) ??
    unknown(`${stmt.module || 'the package'} has no ${name} in reach`)
  );
}
