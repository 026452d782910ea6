/** An attribute that a model does not have is refused only where everything that could give it one was followed. */
import { describe, expect, it } from 'vitest';
import { findings } from '../../support/analysis';

const net = (init: string, use: string, before = ''): string => `
class Net(nn.Module):
    def __init__(self, wide):
        super().__init__()
        if wide:
            self.gate = nn.Linear(8, 8)
${init ? `        ${init}\n` : ''}
    def __call__(self, x):
        return self.gate(x)

${before}
net = Net(False)
${use}
y = net(mx.zeros((2, 8)))
`;

describe('an attribute that no path sets', () => {
  it('is refused where it is read, once', () => {
    expect(findings(net('', ''))).toEqual(['MLX132 Net has no attribute gate']);
    expect(findings(net('', 'y = net(mx.zeros((2, 8)))'))).toHaveLength(1);
  });

  it.each([
    ['is given later', '', 'net.gate = nn.Linear(8, 8)', ''],
    ['is given under a name not known', '', 'setattr(net, input(), 1)', ''],
    ['is given as an item', '', 'net[input()] = nn.Linear(8, 8)', ''],
    ['may be given by what is out of reach', '', 'prepare(net)', 'from elsewhere import prepare'],
    ['may be given through a list', '', 'prepare([net])', 'from elsewhere import prepare'],
    ['may be given through a bound method', '', 'prepare(net.__call__)', 'from elsewhere import prepare'],
    ['may be given through its dict', 'self.__dict__.update(gate=1)', '', ''],
    ['is asked for with care', '', 'net = net if hasattr(net, "gate") else (lambda x: x)', ''],
  ])('that %s is not', (_, init, use, before) => {
    expect(findings(net(init, use, before))).toEqual([]);
  });

  it('is not refused in a class whose base or decorator is out of reach', () => {
    const program = (head: string, base: string) =>
      `${head}\nclass Net(${base}):\n    def __init__(self):\n        super().__init__()\nprint(Net().gate)\n`;
    expect(findings(program('', 'nn.Module'))).toHaveLength(1);
    expect(findings(program('from elsewhere import Base', 'Base'))).toEqual([]);
    expect(findings(program('from elsewhere import register\n@register', 'nn.Module'))).toEqual([]);
    expect(findings(program('', 'nn.ReLU'))).toEqual([]);
  });

  it('is not refused where a method is read on its own', () => {
    const text = `
class Net(nn.Module):
    def __init__(self):
        super().__init__()
    def __call__(self, x):
        return self.gate(x)
`;
    expect(findings(text)).toEqual([]);
  });
});
