/**
 * The engine's worker and its client, joined by a channel that clones as a real one does.
 */
import { describe, expect, test } from 'vitest';
import { Facts } from '../../../engine/src/dims/facts';
import { EvaluationError } from '../../../engine/src/evaluate/plan';
import { record, source } from '../../../engine/src/graph/graph';
import { defineOp } from '../../../engine/src/graph/op';
import { EngineClient } from '../../../engine/worker/client';
import { host } from '../../../engine/worker/host';
import type { WorkerPort } from '../../../engine/worker/port';
import type { Reply, Request } from '../../../engine/worker/protocol';
import { random } from './cases';

/** A worker on this thread. `fail` makes it crash. */
function localPort(): WorkerPort & { readonly sent: Request[]; terminated: boolean; fail(error: Error): void } {
  let reply: (reply: Reply) => void = () => {};
  let failure: (error: Error) => void = () => {};
  const handle = host((message, transfer) => {
    const cloned = structuredClone(message, { transfer });
    if (!port.terminated) setTimeout(() => reply(cloned));
  });
  const port = {
    sent: [] as Request[],
    terminated: false,
    post(request: Request, transfer: ArrayBuffer[]) {
      port.sent.push(request);
      const cloned = structuredClone(request, { transfer });
      setTimeout(() => handle(cloned));
    },
    onReply: (handler: typeof reply) => (reply = handler),
    onFailure: (handler: typeof failure) => (failure = handler),
    terminate: () => (port.terminated = true),
    fail: (error: Error) => failure(error),
  };
  return port as unknown as ReturnType<typeof localPort>;
}

function started() {
  const ports: ReturnType<typeof localPort>[] = [];
  const client = new EngineClient(() => {
    ports.push(localPort());
    return ports[ports.length - 1];
  });
  return { client, ports };
}

const x = source({ shape: [4, 4], dtype: 'float32' }, { value: random('float32', [4, 4], 1) });
const op = (name: string, ...inputs: (typeof x)[]) => record(new Facts(), name, inputs, {})[0];

defineOp({
  name: 'test.fails',
  infer: (_, [input]) => input,
  kernel() {
    throw new Error('out of order');
  },
});

describe('the engine in a worker', () => {
  test('computes as it does here, in order, on one worker', async () => {
    const { client, ports } = started();
    const product = op('matmul', x, x);
    const both = await Promise.all([client.evaluate([product]), client.evaluate([op('add', product, x), product])]);
    expect(both.map(result => result.outputs.length)).toEqual([1, 2]);
    expect(both[0].outputs[0]).toEqual(both[1].outputs[1]);
    expect(both[1].steps.map(step => [step.call.op, step.backend])).toEqual([
      ['matmul', 'wasm'],
      ['add', 'wasm'],
    ]);
    expect(both[0].steps[0].call).toBe(product.call);
    expect(ports).toHaveLength(1);
  });

  test('keeps sources unless they are given away', async () => {
    const { client } = started();
    const value = random('float32', [8], 2);
    const given = source({ shape: [8], dtype: 'float32' }, { value });
    await client.evaluate([op('add', given, given)]);
    expect(value.data.length).toBe(8);
    await client.evaluate([op('add', given, given)], { giveAway: true });
    expect(value.data.length).toBe(0);
  });

  test('a failing operation is named with its array, and the worker goes on', async () => {
    const { client } = started();
    const broken = op('test.fails', x);
    const error = await client.evaluate([broken]).catch(e => e);
    expect(error).toBeInstanceOf(EvaluationError);
    expect(error).toMatchObject({ problem: 'failed', message: 'test.fails failed on reference: out of order' });
    expect(error.node).toBe(broken);
    expect((await client.evaluate([op('add', x, x)])).outputs).toHaveLength(1);
  });

  test('an evaluation that waits can be cancelled without harm to the one under way', async () => {
    const { client, ports } = started();
    const controller = new AbortController();
    const first = client.evaluate([op('matmul', x, x)]);
    const second = client.evaluate([op('add', x, x)], { signal: controller.signal });
    controller.abort(new Error('not wanted'));
    await expect(second).rejects.toThrow('not wanted');
    expect((await first).outputs).toHaveLength(1);
    expect(ports[0].sent).toHaveLength(1);
  });

  test('one under way is cancelled between operations', async () => {
    const { client, ports } = started();
    const controller = new AbortController();
    const result = client.evaluate([op('matmul', x, x)], { signal: controller.signal });
    controller.abort(new Error('not wanted'));
    await expect(result).rejects.toThrow('not wanted');
    expect(ports[0].terminated).toBe(false);
    expect((await client.evaluate([op('add', x, x)])).outputs).toHaveLength(1);
  });

  test('a worker that does not hear is ended, and another started', async () => {
    const silent: WorkerPort = { post() {}, onReply() {}, onFailure() {}, terminate: () => (ended = true) };
    let ended = false;
    const ports = [silent, localPort()];
    const client = new EngineClient(() => ports.shift()!);
    const controller = new AbortController();
    const result = client.evaluate([op('matmul', x, x)], { signal: controller.signal });
    controller.abort(new Error('not wanted'));
    await expect(result).rejects.toThrow('not wanted');
    expect(ended).toBe(true);
    expect((await client.evaluate([op('add', x, x)])).outputs).toHaveLength(1);
  });

  test('a crash fails what runs, and the next gets a new worker', async () => {
    const { client, ports } = started();
    const lost = client.evaluate([op('matmul', x, x)]);
    ports[0].fail(new Error('the worker ran out of memory'));
    await expect(lost).rejects.toThrow('the worker ran out of memory');
    expect((await client.evaluate([op('add', x, x)])).outputs).toHaveLength(1);
    expect(ports).toHaveLength(2);
  });

  test('shut down, it refuses', async () => {
    const { client } = started();
    const running = client.evaluate([op('matmul', x, x)]);
    const waiting = client.evaluate([op('add', x, x)]);
    client.dispose();
    await expect(running).rejects.toThrow('shut down');
    await expect(waiting).rejects.toThrow('shut down');
    await expect(client.evaluate([op('add', x, x)])).rejects.toThrow('shut down');
  });
});
