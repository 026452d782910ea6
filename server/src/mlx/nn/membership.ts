/**
 * What of a module's attributes Python keeps in the module's own dict.
 *
 * An `nn.Module` is a dict: assigning an array, a dict (so also a module), a list or a tuple stores it there, where
 * `parameters()` and `self["weight"]` look; anything else is a plain attribute.
 */
import type { ClassValue, InstanceValue, Value } from '../../interpreter/values';

/** `nn.Module`, once it is made (./module). */
let moduleClass: ClassValue | null = null;
export const registerModuleClass = (cls: ClassValue): ClassValue => (moduleClass = cls);

/** Whether the class certainly derives from `nn.Module`. */
export const isModuleClass = (cls: ClassValue): boolean => moduleClass !== null && cls.mro.includes(moduleClass);

/** Whether the value is certainly an `nn.Module`. */
export const isModule = (v: Value): v is InstanceValue => v.kind === 'instance' && isModuleClass(v.cls);

/** Whether Python keeps the value in the module's dict; null when it cannot be told. */
export function isMember(v: Value): boolean | null {
  switch (v.kind) {
    case 'array':
    case 'dict':
    case 'list':
    case 'tuple':
      return true;
    case 'instance': {
      const { open } = v.cls;
      return isModule(v) || (open ? null : false);
    }
    case 'union': {
      const answers = new Set(v.options.map(isMember));
      return answers.size === 1 ? [...answers][0] : null;
    }
    case 'parameter':
      return v.settled ? isMember(v.settled) : null;
    case 'unknown':
      return null;
    default:
      return false;
  }
}

/** The entries of the module's dict in order; `open` when there may be others. */
export function moduleEntries(module: InstanceValue): { entries: [string, Value][]; open: boolean } {
  let open = module.open;
  const entries: [string, Value][] = [];
  for (const [name, value] of module.attributes) {
    const member = isMember(value);
    if (member) entries.push([name, value]);
    else if (member === null) open = true;
  }
  return { entries, open };
}
