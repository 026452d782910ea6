/** The inputs of a run as fields: symbols, arrays, seed and backend. */
import type { BackendName, InputArray, RunParams, RunResult } from '../../../server/src/protocol';
import { field, h, select } from '../shared/dom';
import { parseShape } from './shape';

const DTYPES = ['float32', 'float16', 'bfloat16', 'int32', 'int64', 'uint32', 'uint8', 'int8', 'bool', 'complex64'];
const BACKENDS: readonly BackendName[] = ['wasm', 'reference', 'webgpu'];
const MADE_UP = 'values from the seed';

/** One input's fields. */
interface InputRow {
  name: string;
  dtype: HTMLSelectElement;
  shape: HTMLInputElement;
  file: HTMLInputElement;
}

export class RunForm {
  private symbols = new Map<string, HTMLInputElement>();
  private inputs: InputRow[] = [];
  private readonly seed = h('input', { type: 'number', min: 0, step: 1, class: 'short' });
  private readonly backend = select(BACKENDS, 'wasm');
  private base: RunParams | null = null;

  constructor(private readonly holder: HTMLElement) {}

  /** Shows what a run was asked for; its answer fills in what was left open. */
  show(params: RunParams, used?: RunResult): void {
    this.base = params;
    this.seed.value = String(used?.seed ?? params.seed ?? 0);
    this.backend.value = params.backend ?? 'wasm';
    const symbols = Object.entries(used?.symbols ?? params.symbols ?? {});
    this.symbols = new Map(symbols.map(([name, value]) => [name, numberField(value)]));
    this.inputs = (used?.inputs ?? params.inputs).map(inputRow);
    this.holder.replaceChildren(
      ...this.inputs.map(({ name, dtype, shape, file }) =>
        h(
          'fieldset',
          {},
          h('legend', {}, name),
          field('dtype', dtype),
          field('shape', shape, 'Numbers or symbols, with commas between them'),
          field('values', file, 'An .npy file, archive.npz:key or file.safetensors:key; empty: made from the seed'),
        ),
      ),
      h(
        'div',
        { class: 'fields' },
        ...[...this.symbols].map(([name, input]) => field(name, input, 'The number that this symbol stands for')),
        field('seed', this.seed, 'mx.random.seed before weights and inputs are made'),
        field('backend', this.backend),
      ),
    );
  }

  /** What the fields say, or null when one of them is not right (then it is marked and told). */
  read(): RunParams | null {
    if (!this.base) return null;
    const inputs: InputArray[] = [];
    for (const { name, dtype, shape, file } of this.inputs) {
      const axes = parseShape(shape.value);
      shape.setCustomValidity(axes ? '' : 'Axes are numbers or names, with commas between them: B, 28, 28');
      if (!axes || !shape.reportValidity()) return null;
      const from = file.value.trim();
      inputs.push({ name, dtype: dtype.value, shape: axes, ...(from && { file: from }) });
    }
    for (const input of [...this.symbols.values(), this.seed]) if (!input.reportValidity()) return null;
    const symbols = Object.fromEntries([...this.symbols].map(([name, input]) => [name, Number(input.value)]));
    const backend = this.backend.value as BackendName;
    return { ...this.base, inputs, symbols, seed: Number(this.seed.value), backend };
  }
}

const numberField = (value: number): HTMLInputElement =>
  h('input', { type: 'number', min: 0, step: 1, required: true, value, class: 'short' });

function inputRow({ name, dtype, shape, file }: InputArray): InputRow {
  const dtypes = DTYPES.includes(dtype) ? DTYPES : [dtype, ...DTYPES];
  return {
    name,
    dtype: select(dtypes, dtype),
    shape: h('input', { type: 'text', value: shape.join(', '), spellcheck: 'false', class: 'shape' }),
    file: h('input', { type: 'text', value: file ?? '', placeholder: MADE_UP, spellcheck: 'false' }),
  };
}
