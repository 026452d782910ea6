import { describe, expect, it } from 'vitest';
import type { RefusalDetail, RefusalKind } from '../../../engine/src/graph/refusal';
import { findingsToDiagnostics } from '../../../server/src/rules/report';
import { analysisOf, finding } from '../../support/hand_made';

const HEAD = 'import mlx.core as mx\nimport mlx.nn as nn\nimport numpy as np\n';

/** The diagnostic for a refusal at `at`, and the statement after its fix. */
function judged(kind: RefusalKind, statement: string, at: string, detail: RefusalDetail, message: string, head = HEAD) {
  const text = `${head}${statement}\n`;
  const analysis = analysisOf(text, { findings: place => [finding(kind, place(at), message, detail)] });
  const [shown] = findingsToDiagnostics(analysis, {
    selection: () => ({ select: [], ignore: [] }),
    isOwn: () => true,
    source: () => analysis.source,
  });
  const [fix] = shown.fixes;
  const fixed = fix?.edits.reduce((t, e) => t.slice(0, e.start) + e.newText + t.slice(e.end), text);
  return { shown, fixed: fixed?.slice(head.length, -1) ?? null };
}

describe('methods of other libraries', () => {
  it.each([
    ['y = x.unsqueeze(-1)', 'x.unsqueeze', 'y = x[..., None]'],
    ['y = x.unsqueeze(0)', 'x.unsqueeze', 'y = x[None]'],
    ['y = x.unsqueeze(axis)', 'x.unsqueeze', 'y = mx.expand_dims(x, axis)'],
    ['y = x.permute(0, 2, 1)', 'x.permute', 'y = x.transpose(0, 2, 1)'],
    ['y = x.cuda() + 1', 'x.cuda', 'y = x + 1'],
    ['y = f(x).numpy()', 'f(x).numpy', 'y = np.array(f(x))'],
    ['y = x.float()', 'x.float', 'y = x.astype(mx.float32)'],
    ['y = x.chunk(3, dim=-1)', 'x.chunk', 'y = mx.split(x, 3, axis=-1)'],
    ['y = x.softmax(dim=-1)', 'x.softmax', 'y = mx.softmax(x, axis=-1)'],
    ['y = x.mul(a + b).sum()', 'x.mul', 'y = (x * (a + b)).sum()'],
    ['y = x.matmul(w)', 'x.matmul', 'y = x @ w'],
    ['y = x.masked_fill(m == 0, -1e9)', 'x.masked_fill', 'y = mx.where(m == 0, -1e9, x)'],
    ['y = x.detach()', 'x.detach', 'y = mx.stop_gradient(x)'],
  ])('%s', (statement, at, fixed) => {
    const name = at.split('.').pop()!;
    const result = judged('attribute', statement, at, { name }, `an array has no attribute ${name}`);
    expect(result.shown.rule.code).toBe('MLX402');
    expect(result.fixed).toBe(fixed);
  });

  it('that MLX has for something else are told too', () => {
    const view = judged('signature', 'y = x.view(2, -1)', 'x.view(2, -1)', {}, 'array.view takes 1 argument');
    expect(view.shown.rule.code).toBe('MLX402');
    expect(view.fixed).toBe('y = x.reshape(2, -1)');
    const size = judged('signature', 'B = x.size(0)', 'x.size(0)', {}, 'an int cannot be called');
    expect(size.fixed).toBe('B = x.shape[0]');
  });

  it('are only advised against where the meaning may differ', () => {
    const { shown, fixed } = judged('attribute', 'y = x.to(d)', 'x.to', { name: 'to' }, 'an array has no attribute to');
    expect(fixed).toBeNull();
    expect(shown.message).toContain('x.astype(dtype)');
  });

  it('are not replaced by a module that the file does not import', () => {
    const head = 'import mlx.core as mx\n';
    const { fixed } = judged('attribute', 'y = x.numpy()', 'x.numpy', { name: 'numpy' }, 'an array has no numpy', head);
    expect(fixed).toBeNull();
  });
});

describe('names of other libraries', () => {
  it.each([
    ['y = mx.cat([a, b])', 'mx.cat', 'y = mx.concatenate([a, b])', 'MLX403'],
    ['n = nn.BatchNorm2d(8)', 'nn.BatchNorm2d', 'n = nn.BatchNorm(8)', 'MLX403'],
    ['mx.manual_seed(0)', 'mx.manual_seed', 'mx.random.seed(0)', 'MLX403'],
  ])('%s', (statement, at, fixed, code) => {
    const name = at.split('.').pop()!;
    const result = judged('attribute', statement, at, { name }, `no attribute ${name}`);
    expect(result.shown.rule.code).toBe(code);
    expect(result.fixed).toBe(fixed);
  });

  it('that nobody knows keep the general rule, underlining the name', () => {
    const { shown } = judged('attribute', 'y = mx.fooo(x)', 'mx.fooo(x)', { name: 'fooo' }, 'mlx.core has no fooo');
    expect(shown.rule.code).toBe('MLX132');
    expect(shown.end - shown.start).toBe(4);
  });
});

describe('keywords of other libraries', () => {
  const signature = 'It is called as mx.sum(a, /, axis=None, keepdims=False)';
  it.each([
    ['y = mx.sum(x, dim=1)', 'dim', 'y = mx.sum(x, axis=1)'],
    ['y = mx.sum(x, 1, keepdim=True)', 'keepdim', 'y = mx.sum(x, 1, keepdims=True)'],
    ['y = mx.sum(x, device=d)', 'device', 'y = mx.sum(x)'],
    ['y = mx.sum(a=x, inplace=True)', 'inplace', 'y = mx.sum(a=x)'],
  ])('%s', (statement, name, fixed) => {
    const at = statement.slice(4);
    const result = judged('signature', statement, at, { name }, `mx.sum has no argument ${name}. ${signature}`);
    expect(result.shown.rule.code).toBe('MLX401');
    expect(result.fixed).toBe(fixed);
  });

  it('are renamed only to what the function takes', () => {
    const { fixed } = judged('signature', 'y = f(dim=1)', 'f(dim=1)', { name: 'dim' }, 'f has no argument dim');
    expect(fixed).toBeNull();
  });

  it('batch_first goes only where it is what MLX does', () => {
    const first = (value: string) =>
      judged(
        'signature',
        `r = nn.LSTM(4, 8, batch_first=${value})`,
        `nn.LSTM(4, 8, batch_first=${value})`,
        { name: 'batch_first' },
        'no',
      );
    expect(first('True').fixed).toBe('r = nn.LSTM(4, 8)');
    expect(first('False').fixed).toBeNull();
  });
});
