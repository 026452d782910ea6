import { describe, expect, it } from 'vitest';
import type { Diagnostic } from '../../../server/src/rules/diagnostic';
import { findingsToDiagnostics } from '../../../server/src/rules/report';
import { analysisOf, finding, type HandMade, layerSite, type Parts } from '../../support/hand_made';

const report = (analysis: HandMade): Diagnostic[] =>
  findingsToDiagnostics(analysis, {
    selection: () => ({ select: [], ignore: [] }),
    isOwn: () => true,
    source: path => (path === analysis.source.path ? analysis.source : null),
  });

/** The text after a fix's edits. */
const apply = (analysis: HandMade, { edits }: Diagnostic['fixes'][number]): string =>
  [...edits]
    .sort((a, b) => b.start - a.start)
    .reduce((text, e) => text.slice(0, e.start) + e.newText + text.slice(e.end), analysis.source.text);

const linear = (construction: string, className = 'Linear', more: Parts = {}) => {
  const text = `class Net(nn.Module):\n    def __init__(self):\n        self.fc = ${construction}\n\n    def __call__(self, x):\n        return self.fc(x)\n`;
  const site = (at: HandMade['place']) => layerSite(className, at(construction));
  let layer: ReturnType<typeof site>;
  return analysisOf(text, {
    layers: at => [(layer = site(at))],
    findings: at => [
      finding('linear-input', at('self.fc(x)'), 'Linear expects 128 features on the last axis, x has 256', {
        expected: 128,
        actual: 256,
        layer: layer.instance,
      }),
    ],
    ...more,
  });
};

describe('a layer of the wrong width', () => {
  it.each([
    ['nn.Linear(128, 10)', 'Linear', 'nn.Linear(256, 10)'],
    ['nn.Linear(output_dims=10, input_dims=128)', 'Linear', 'nn.Linear(output_dims=10, input_dims=256)'],
    ['nn.GroupNorm(4, 128)', 'GroupNorm', 'nn.GroupNorm(4, 256)'],
    ['LSTM(128, 8)', 'LSTM', 'LSTM(256, 8)'],
  ])('%s is fixed where it is made', (construction, className, fixed) => {
    const analysis = linear(construction, className);
    const [{ fixes, companion, rule }] = report(analysis);
    expect(rule.code).toBe('MLX101');
    expect(fixes.map(f => f.title)).toEqual([`Make the ${className} 256 wide`]);
    expect(apply(analysis, fixes[0])).toContain(fixed);
    expect(companion).toMatchObject({
      message: `This ${className} is 128 wide; it gets 256`,
      ...analysis.place(construction),
    });
  });

  it.each([
    ['nn.Linear(width, 10)', 'Linear', 'a name is no number'],
    ['nn.Linear(*sizes)', 'Linear', 'an unpacked argument has no place'],
    ['nn.MultiHeadAttention(128, 8)', 'Linear', 'the call makes another class'],
  ])('%s has no certain fix: %s', (construction, className) => {
    expect(report(linear(construction, className))[0].fixes).toEqual([]);
  });

  it('that fits another call is left alone', () => {
    const type = { shape: [2, 10], dtype: 'float32' } as const;
    let made: ReturnType<typeof layerSite>;
    const analysis = linear('nn.Linear(128, 10)', 'Linear', {
      layers: at => [(made = layerSite('Linear', at('nn.Linear(128, 10)'), {}, { outputs: [type] }))],
      findings: at => [
        finding('linear-input', at('self.fc(x)'), 'no', { expected: 128, actual: 256, layer: made.instance }),
      ],
    });
    expect(report(analysis)[0].fixes).toEqual([]);
  });
});

describe('a report', () => {
  it('says a fault once, though several views find it', () => {
    const analysis = analysisOf('y = a @ b\n', {
      findings: at => [
        finding('matmul', at('a @ b'), 'no'),
        finding('matmul', at('a @ b'), 'no', {}, { view: 'program' }),
      ],
    });
    expect(report(analysis)).toHaveLength(1);
  });

  it('places faults of installed packages at the call in the user’s code', () => {
    const inner = { file: '/w/.venv/lib/python3.12/site-packages/mlx_lm/a.py', start: 5, end: 9 };
    const analysis = analysisOf('model(x)\n', {
      findings: at => [finding('matmul', inner, 'no', {}, { chain: [at('model(x)'), inner] })],
    });
    const [shown] = findingsToDiagnostics(analysis, {
      selection: () => ({ select: [], ignore: [] }),
      isOwn: path => !path.includes('site-packages'),
      source: () => null,
    });
    expect(shown).toMatchObject(analysis.place('model(x)'));
    expect(shown.related).toMatchObject([{ ...inner, message: 'no' }]);
  });

  it('tells the calls that led to the place, innermost first', () => {
    const analysis = analysisOf('def f(x): return x @ x\ndef g(x): return f(x)\ng(y)\n', {
      findings: at => [finding('matmul', at('x @ x'), 'no', {}, { chain: [at('g(y)'), at('f(x)', 1), at('x @ x')] })],
    });
    expect(report(analysis)[0].related.map(r => [r.start, r.message])).toEqual([
      [analysis.place('f(x)', 1).start, 'called from here'],
      [analysis.place('g(y)').start, 'called from here'],
    ]);
  });
});
