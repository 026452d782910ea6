import { describe, expect, it } from 'vitest';
import type { MarkupContent } from 'vscode-languageserver';
import type { LayerPreview } from '../../../server/src/features/executor';
import { hover, type PreviewLayer } from '../../../server/src/features/hover';
import { histogramSvg, histogramUri, shortValue } from '../../../server/src/features/picture';
import type { ErrorMeasures } from '../../../server/src/protocol';
import { open } from '../../support/view';

const MODEL = `import mlx.core as mx
import mlx.nn as nn


class Block(nn.Module):
    def __init__(self, dims: int, heads: int = 8):
        super().__init__()
        self.heads = heads
        self.proj = nn.Linear(dims, 3 * dims, bias=False)

    def __call__(self, x):
        B, L, D = x.shape
        q, k, v = mx.split(self.proj(x), 3, axis=-1)
        q = q.reshape(B, L, self.heads, -1)
        return q
`;

async function shown(
  code: string,
  into: number,
  preview: PreviewLayer | null = null,
  text = MODEL,
): Promise<string | null> {
  const { view, at } = open(text);
  const answer = await hover(view, at(code, into), preview);
  return answer && (answer.contents as MarkupContent).value;
}

describe('a hover', () => {
  it('shows an array in the words of the model', async () => {
    expect(await shown('q = q.re', 0)).toContain('q: [B, L, heads, dims // heads]');
  });

  it('says what symbols stand for', async () => {
    expect(await shown('q = q.re', 0)).toContain('`heads` is 8 by default');
  });

  it('shows a layer where it is made and where it is called', async () => {
    for (const place of ['self.proj =', 'self.proj(x)', 'nn.Linear(dims']) {
      const text = await shown(place, 6);
      expect(text).toContain('**self.proj: Linear**');
      expect(text).toContain('| `weight` | `float32[3 * dims, dims]` |');
      expect(text).toContain('[B, L, dims] → ');
    }
  });

  it('shows a class with all its parameters', async () => {
    expect(await shown('class Block', 8)).toContain('`proj.weight`');
  });

  it('shows an MLX name with a link', async () => {
    const text = await shown('mx.split', 4);
    expect(text).toContain('mx.split(');
    expect(text).toContain('/_autosummary/mlx.core.split.html');
    expect(await shown('nn.Linear(', 4)).toContain('/nn/_autosummary/mlx.nn.Linear.html');
    expect(await shown('q.reshape', 3)).toContain('/mlx.core.array.reshape.html');
  });

  it('shows live output, its histogram and the quantization errors', async () => {
    const errors: ErrorMeasures = { relativeError: 0.0512, sqnrDb: 25.8, cosine: 0.99, p50: 0, p95: 0.1, max: 0.2 };
    const live: LayerPreview = {
      result: {
        outputs: [
          {
            name: 'output',
            shape: [1, 4, 24],
            dtype: 'float32',
            stats: {
              min: -1.5,
              max: 1.25,
              mean: 0.0123456,
              std: 0.5,
              nan: 2,
              inf: 0,
              histogram: { from: -1.5, to: 1.25, counts: [1, 5, 2] },
            },
            values: [],
            complete: false,
          },
        ],
        layers: [],
        inputs: [],
        symbols: { B: 1, L: 4, dims: 8 },
        seed: 0,
        backend: 'wasm',
        seconds: 0.01,
        peakBytes: 100,
        notes: ['weights are random'],
      },
      rows: [
        {
          parameter: 'weight',
          mode: 'affine',
          bits: 4,
          groupSize: 64,
          bitsPerWeight: 4.5,
          bytes: 100,
          weight: errors,
          output: null,
          seconds: 0.1,
        },
      ],
      unquantized: null,
    };
    const text = await shown('self.proj =', 6, async () => live);
    expect(text).toContain('**output** `float32[1, 4, 24]` — 2 NaN');
    expect(text).toContain('min -1.5 · mean 0.01235 · max 1.25 · std 0.5');
    expect(text).toContain('![histogram](data:image/svg+xml;utf8,');
    expect(text).toContain('with B = 1, L = 4, dims = 8; weights are random');
    expect(text).toContain('| 4-bit g64 | 4.50 | 5.12 % | 25.8 dB |');
    const unfit = { ...live, rows: [], unquantized: 'its last axis, 8, is not a multiple of 64' };
    expect(await shown('self.proj =', 6, async () => unfit)).toContain('its last axis, 8, is not a multiple of 64.');
  });

  it('does not fail where nothing can be said', async () => {
    expect(await shown('class Block', 2)).toBeNull();
    expect(await shown('', 0, null, '')).toBeNull();
  });
});

describe('a histogram', () => {
  it('is an SVG with a bar for each count', () => {
    const svg = histogramSvg({ from: -1, to: 1, counts: [0, 2, 4] });
    expect(svg.match(/<rect /g)).toHaveLength(3);
    expect(svg).toContain('>-1</text>');
  });
  it('survives inside a markdown link', () => {
    expect(histogramUri({ from: 0, to: 1, counts: [1] })).not.toMatch(/[()\s]/);
  });
  it('shortens numbers', () => {
    expect(shortValue(1234567)).toBe('1235000');
    expect(shortValue(null)).toBe('–');
    expect(shortValue(1e-9)).toBe('1e-9');
  });
});
