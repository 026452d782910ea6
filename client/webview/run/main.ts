/** The Run panel: editable inputs, the output as picture and numbers, and every layer on the way. */
import type { LayerResult, RunParams, RunResult } from '../../../server/src/protocol';
import { h } from '../shared/dom';
import { arrayType, bytes, number, seconds } from '../shared/format';
import { Frame, notes } from '../shared/frame';
import { connect } from '../shared/host';
import { RunForm } from './form';
import { GpuCheck } from './gpuCheck';
import { layersTable } from './layers';
import { viewer } from './viewer';

const host = connect<'run'>(message => {
  frame.receive(message);
  if (message.type === 'started') {
    asked = message.params;
    form.show(message.params);
  }
  if (message.type === 'program') void gpu.receive(message.id, message.answer);
  if (message.type === 'result') show(message.result);
});
const frame = new Frame<'run'>(host, {
  startLabel: 'Run',
  switchLabel: 'Quantize & compare',
  onStart: () => {
    const params = form.read();
    if (params) host.send({ type: 'start', params });
  },
});
const form = new RunForm(frame.controls);
const gpu = new GpuCheck(
  (id, params) => host.send({ type: 'program', id, params }),
  text => frame.say(text),
);
/** What the run under way, or the last one, was asked for. */
let asked: RunParams | null = null;

function show(result: RunResult): void {
  const params = form.read();
  if (params) form.show(params, result);
  const outputs = h('div', {}, ...result.outputs.map(array => viewer(array, array.name)));
  const chosen = h('div', { 'aria-live': 'polite' });
  const choose = (layer: LayerResult) => {
    const closing = h('button', { type: 'button', class: 'link' }, 'Close');
    closing.addEventListener('click', () => chosen.replaceChildren());
    chosen.replaceChildren(...layer.outputs.map(array => viewer(array, `${layer.path} ${layer.type}`)), closing);
    chosen.scrollIntoView({ block: 'nearest', behavior: 'smooth' });
  };
  const reveal = ({ uri, range }: LayerResult) => uri && host.send({ type: 'reveal', uri, range });
  frame.result.replaceChildren(
    facts(result),
    notes(result.notes) ?? '',
    outputs,
    result.layers.length > 0 ? layersTable(result.layers, { choose, reveal }) : '',
    chosen,
  );
  if (asked) void gpu.offer(asked);
  const [first] = result.outputs;
  if (first) frame.say(`Done. ${first.name} is ${arrayType(first)}, mean ${number(first.stats.mean)}.`);
}

function facts({ backend, seconds: time, peakBytes, seed }: RunResult): HTMLElement {
  const chips = [`computed by ${backend}`, `in ${seconds(time)}`, `${bytes(peakBytes)} at most`, `seed ${seed}`];
  return h('p', { class: 'facts' }, ...chips.map(chip => h('span', {}, chip)), gpu.element);
}
