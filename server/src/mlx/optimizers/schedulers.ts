/**
 * Learning rate schedules: functions that make a function of the step.
 */
import { Refusal } from '../../../../engine/src/graph/refusal';
import { type BuiltinValue, builtin, float, int, type Value } from '../../interpreter/values';
import { type Call, define } from '../define';
import { Mx } from '../nn/mx';

/** A schedule: the rate at a step, which is a number or an array. */
const schedule = (rate: (mx: Mx, step: Value) => Value): Value =>
  builtin('schedule', (interpreter, passed) => rate(new Mx(interpreter), passed.positional[0] ?? int(0)));

/** A number of steps, at least 1. @throws Refusal of kind 'value' */
function stepsArgument(c: Call, name: string): Value {
  const steps = c.float(name);
  if (steps !== null && steps < 1)
    throw new Refusal('value', `${c.signature.name} needs ${name} of at least 1, not ${steps}`, { name });
  return c.value(name);
}

/** `a op b` of two numbers, null where either is not known. */
const numbers = (a: number | null, b: number | null, of: (a: number, b: number) => number): Value =>
  float(a === null || b === null ? null : of(a, b));

export const schedulers: readonly BuiltinValue[] = [
  define('optim.exponential_decay(init, decay_rate)', c => {
    const [init, rate] = [c.value('init'), c.value('decay_rate')];
    return schedule((mx, step) => mx.multiply(init, mx.power(rate, step)));
  }),
  define('optim.step_decay(init, decay_rate, step_size)', c => {
    const size = stepsArgument(c, 'step_size');
    const [init, rate] = [c.value('init'), c.value('decay_rate')];
    return schedule((mx, step) => mx.multiply(init, mx.power(rate, mx.floorDivide(step, size))));
  }),
  define('optim.cosine_decay(init, decay_steps, end=0.0)', c => {
    const steps = stepsArgument(c, 'decay_steps');
    const [init, end] = [c.float('init'), c.float('end')];
    const angle = numbers(c.float('decay_steps'), 0, n => Math.PI / n);
    return schedule((mx, step) => {
      const cosine = mx.call('cos', [mx.multiply(angle, mx.call('minimum', [step, steps]))]);
      const decay = mx.multiply(float(0.5), mx.add(float(1), cosine));
      return mx.add(
        float(end),
        mx.multiply(
          decay,
          numbers(init, end, (a, b) => a - b),
        ),
      );
    });
  }),
  define('optim.join_schedules(schedules, boundaries)', c => {
    const [schedules, boundaries] = [c.items('schedules'), c.items('boundaries')];
    if (schedules.length === 0) throw new Refusal('value', 'join_schedules needs at least one schedule');
    if (schedules.length !== boundaries.length + 1)
      throw new Refusal(
        'value',
        `join_schedules of ${schedules.length} schedules needs ${schedules.length - 1} boundaries, not ${boundaries.length}`,
      );
    const { interpreter } = c;
    return schedule((mx, step) =>
      boundaries.reduce<Value>(
        (rate, boundary, i) => {
          const later = interpreter.callWith(schedules[i + 1], mx.subtract(step, boundary));
          return mx.call('where', [mx.compare('<', step, boundary), rate, later]);
        },
        interpreter.callWith(schedules[0], step),
      ),
    );
  }),
  define('optim.linear_schedule(init, end, steps)', c => {
    const steps = stepsArgument(c, 'steps');
    const [init, end, count] = [c.float('init'), c.float('end'), c.float('steps')];
    const slope = float(init === null || end === null || count === null ? null : (end - init) / count);
    const start = c.value('init');
    return schedule((mx, step) => mx.add(mx.multiply(mx.call('minimum', [step, steps]), slope), start));
  }),
];
