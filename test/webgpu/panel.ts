/**
 * The Run panel in a page with a GPU: its script as it ships, and an editor that this file plays.
 */

import type { FromPage, ToPage } from '../../client/src/panels/messages';
import { Facts } from '../../engine/src/dims/facts';
import { writeProgram } from '../../engine/src/evaluate/program';
import { programText } from '../../engine/src/evaluate/program_text';
import { record, source } from '../../engine/src/graph/graph';
import type { BackendName, RunParams, RunResult } from '../../server/src/protocol';
import { random } from '../unit/engine-backends/cases';

const PATIENCE_MILLISECONDS = 20_000;

/** What the page has sent and this file has not looked at yet. */
const sent: FromPage<'run'>[] = [];
let wake: () => void = () => {};

function playEditor(): void {
  const api = {
    postMessage(message: FromPage<'run'>) {
      sent.push(message);
      wake();
    },
  };
  Object.assign(window, { acquireVsCodeApi: () => api });
}

const tell = (message: ToPage<'run'>) => window.postMessage(message, '*');

/** The next message of this type from the page. */
async function heard<K extends FromPage['type']>(type: K): Promise<FromPage<'run'> & { type: K }> {
  for (;;) {
    const at = sent.findIndex(message => message.type === type);
    if (at >= 0) return sent.splice(at, 1)[0] as FromPage<'run'> & { type: K };
    await new Promise<void>((resolve, reject) => {
      wake = resolve;
      setTimeout(() => reject(new Error(`the page does not send ${type}`)), PATIENCE_MILLISECONDS);
    });
  }
}

/** Waits until the fact line says so. */
async function says(wanted: RegExp): Promise<void> {
  const line = () => document.querySelector('.facts')?.textContent ?? '';
  for (const end = performance.now() + PATIENCE_MILLISECONDS; performance.now() < end; )
    if (wanted.test(line())) return;
    else await new Promise(resolve => setTimeout(resolve, 20));
  throw new Error(`the panel says ${JSON.stringify(line())}, not ${wanted}`);
}

function layer() {
  const [x, w] = [
    [70, 90],
    [90, 65],
  ].map((shape, i) => source({ shape, dtype: 'float32' }, { value: random('float32', shape, i) }));
  const [product] = record(new Facts(), 'matmul', [x, w], {});
  return record(new Facts(), 'tanh', [product], {});
}

const params = (backend: BackendName): RunParams => ({
  uri: 'file:///net.py',
  target: { kind: 'layer', name: 'self.fc1', range: null },
  inputs: [],
  seed: 0,
  config: null,
  backend,
});

const stats = { min: 0, max: 0, mean: 0, std: 0, nan: 0, inf: 0, histogram: null };
const result: RunResult = {
  outputs: [{ name: 'output', shape: [1], dtype: 'float32', stats, values: [0], complete: true }],
  layers: [],
  inputs: [],
  symbols: {},
  seed: 0,
  backend: 'wasm',
  seconds: 0.01,
  peakBytes: 100,
  notes: [],
};

/** A run as the editor tells it. */
function ran(backend: BackendName): void {
  const asked = params(backend);
  tell({ type: 'started', subject: { target: asked.target, uri: asked.uri, place: 'net.py:1' }, params: asked });
  tell({ type: 'result', result });
}

async function answer(): Promise<void> {
  const { id } = await heard('program');
  const { program } = writeProgram(layer());
  tell({ type: 'program', id, answer: { outputs: ['output'], program: programText(program) } });
}

const COMPARED = /computed by wasm.*webgpu: .*s, (equal to|at most .* from) WASM$/;

/** In order: they share the page. */
export const PANEL_TESTS: Readonly<Record<string, () => Promise<void>>> = {
  async opens() {
    playEditor();
    await import('../../client/webview/run/main');
    await heard('ready');
  },

  async 'compares on a click'() {
    ran('wasm');
    await says(/Compare with WebGPU$/);
    document.querySelector<HTMLElement>('.gpu button')!.click();
    await answer();
    await says(COMPARED);
  },

  async 'compares by itself where WebGPU is the backend'() {
    ran('webgpu');
    await answer();
    await says(COMPARED);
  },

  async 'tells the figures on pointing'() {
    const { title } = document.querySelector<HTMLElement>('.gpu [title]')!;
    if (!/^2 of 2 operations were computed by WebGPU.*\nThe largest value of the output is [\d.]+\.$/.test(title))
      throw new Error(`the title is ${title}`);
  },

  async 'tells why there is no program'() {
    ran('webgpu');
    const { id } = await heard('program');
    tell({ type: 'program', id, answer: { problem: 'its arrays are 51.2 MB' } });
    await says(/not compared with WebGPU: its arrays are 51.2 MB$/);
  },

  async 'leaves answers to an older run'() {
    ran('webgpu');
    const { id } = await heard('program');
    ran('wasm');
    tell({ type: 'program', id, answer: { problem: 'too late' } });
    await says(/Compare with WebGPU$/);
  },

  async 'says what fails'() {
    ran('webgpu');
    const { id } = await heard('program');
    tell({ type: 'program', id, answer: { outputs: ['output'], program: '{' } });
    await says(/WebGPU failed: /);
  },

  async 'without an adapter says that it was WebAssembly'() {
    const { requestAdapter } = GPU.prototype;
    GPU.prototype.requestAdapter = async () => null;
    try {
      ran('webgpu');
      await says(/computed by wasm.*no WebGPU adapter here$/);
      ran('wasm');
      await says(/computed by wasm.*seed 0$/);
    } finally {
      GPU.prototype.requestAdapter = requestAdapter;
    }
  },
};
