/**
 * `repr` of a module, as MLX prints it.
 */
import type { Interpreter } from '../../interpreter/interpreter';
import { type BuiltinValue, type InstanceValue, str } from '../../interpreter/values';
import { isModule } from './membership';
import { moduleMethod } from './methods';
import { childrenOf } from './parameters';
import { leavesOf } from './tree';

export const reprMethods: readonly BuiltinValue[] = [
  moduleMethod('Module._extra_repr()', () => str('')),
  moduleMethod('Module.__repr__()', (c, self) => str(represent(c.interpreter, self))),
];

/** `repr(module)`, as MLX prints it; null where it cannot be known. */
export function represent(interpreter: Interpreter, self: InstanceValue): string | null {
  const extra = interpreter.getAttribute(self, '_extra_repr');
  const inside = extra ? interpreter.settled(interpreter.callWith(extra)) : str('');
  if (inside.kind !== 'str' || inside.value === null) return null;
  const { pairs, open } = leavesOf(interpreter, childrenOf(interpreter, self), isModule);
  if (open) return null;
  let text = `${self.cls.name}(${inside.value}`;
  for (const [path, child] of pairs) {
    const shown = isModule(child) ? represent(interpreter, child) : interpreter.format(child);
    if (shown === null || path === null) return null;
    text += `\n${`(${path}): ${shown}`.replace(/^(?=.)/gm, '  ')}`;
  }
  return `${text}${pairs.length > 0 ? '\n' : ''})`;
}
