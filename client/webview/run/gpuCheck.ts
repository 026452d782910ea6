/**
 * The last of a run's facts: its outputs computed again by WebGPU, where this page has an adapter.
 *
 * The server computes by WebAssembly, since it has no GPU; so the page asks it for the program, and computes that both
 * ways. Where WebGPU is the chosen backend this happens by itself, elsewhere on a click.
 */
import type { ProgramResult, RunParams } from '../../../server/src/protocol';
import { h } from '../shared/dom';
import { number, seconds } from '../shared/format';
import { type Comparison, compare, hasWebGpu } from './compare';

export class GpuCheck {
  readonly element = h('span', { class: 'gpu' });
  /** Of the program that is awaited or computed: answers to others come too late. */
  private id = 0;
  private current: AbortController | null = null;

  /**
   * @param ask wants the program of a run
   * @param say tells screen readers
   */
  constructor(
    private readonly ask: (id: number, params: RunParams) => void,
    private readonly say: (text: string) => void,
  ) {}

  /** A run has a new result. */
  async offer(params: RunParams): Promise<void> {
    this.current?.abort();
    const id = ++this.id;
    this.show('');
    const wanted = params.backend === 'webgpu';
    if (!(await hasWebGpu())) {
      if (wanted && id === this.id) this.show('no WebGPU adapter here');
      return;
    }
    if (id !== this.id) return;
    const start = () => {
      this.show('computing on WebGPU…');
      this.ask(id, params);
    };
    if (wanted) start();
    else this.show(h('button', { type: 'button', class: 'link', onclick: start }, 'Compare with WebGPU'));
  }

  /** The program has come, or why it does not. */
  async receive(id: number, answer: ProgramResult | { problem: string }): Promise<void> {
    if (id !== this.id) return;
    if ('problem' in answer) return this.show(`not compared with WebGPU: ${answer.problem}`);
    const controller = new AbortController();
    this.current = controller;
    try {
      const comparison = await compare(answer.program, controller.signal);
      if (id !== this.id) return;
      const { text, detail } = describe(comparison);
      this.show(h('span', { title: detail }, text));
      this.say(text);
    } catch (error) {
      if (id === this.id) this.show(`WebGPU failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  private show(content: HTMLElement | string): void {
    this.element.replaceChildren(content);
  }
}

/** What is shown of a comparison, and what on pointing at it. */
export function describe(comparison: Comparison): { text: string; detail: string } {
  const { onGpu, operations, gpuSeconds, wasmSeconds, difference, scale, troubles } = comparison;
  if (onGpu === 0) {
    const text = troubles.length > 0 ? 'WebGPU gave up' : 'WebGPU computes none of its operations';
    return { text, detail: troubles.join('\n') };
  }
  const apart = difference === 0 ? 'equal to WASM' : `at most ${number(difference)} from WASM`;
  return {
    text: `webgpu: ${seconds(gpuSeconds)}, ${apart}`,
    detail: [
      `${onGpu} of ${operations} operations were computed by WebGPU, in ${seconds(gpuSeconds)}; by WebAssembly in this page they take ${seconds(wasmSeconds)}.`,
      `The largest value of the output is ${number(scale)}.`,
      ...troubles.map(trouble => `WebGPU gave up in between: ${trouble}`),
    ].join('\n'),
  };
}
