/** What can be an entry, and how a config reaches it. */
import { expect, test } from 'vitest';
import { showType } from '../../../engine/src/graph/show';
import { Analyser } from '../../../server/src/analysis/analyser';
import { inputSpecs, parseConfig, parseInput } from '../../../server/src/session/inputs';
import { MemoryFileSystem } from '../../../server/src/workspace/file-system';
import { Workspace } from '../../../server/src/workspace/workspace';

const PATH = '/w/net.py';
const TEXT = `
import mlx.core as mx
import mlx.nn as nn

class Net(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.up = nn.Linear(config.dims, config.hidden)
        self.down = nn.Linear(config.hidden, config.dims)

    def encode(self, x):
        return self.up(x)

    def __call__(self, x):
        return self.down(self.encode(x))

class Keyed(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.up = nn.Linear(config["dims"], config["hidden"])

    def __call__(self, x):
        return self.up(x)

class Options:
    def __init__(self, dims, hidden):
        self.dims = dims
        self.hidden = hidden

def small(**options):
    return Net(Options(8, 16))

def sized(dims, hidden=16):
    return Net(Options(dims, hidden))

def twice(x):
    model = small()
    return model(model(x))

def wrong(x):
    y = nn.Linear(4, 4)(x)
    return y + 1
`;

function enter(name: string, config: string | null, ...inputs: string[]) {
  const workspace = new Workspace(new MemoryFileSystem([[PATH, TEXT]]), { folders: ['/w'] });
  return new Analyser(workspace).entry({
    file: PATH,
    name,
    config: config === null ? null : parseConfig(config, 'config'),
    inputs: inputSpecs(inputs.map(parseInput)),
    seed: null,
  });
}

const output = (...given: Parameters<typeof enter>): string => {
  const { outputs } = enter(...given);
  return outputs.kind === 'array' ? showType(outputs.node) : outputs.kind;
};

const CONFIG = '{"dims": 8, "hidden": 16}';

test.each([
  ['a class whose config is read by attributes', 'Net', CONFIG, 'float32[2, 8]'],
  ['a class whose config is read by keys', 'Keyed', CONFIG, 'float32[2, 16]'],
  ['a method of what a class makes', 'Net.encode', CONFIG, 'float32[2, 16]'],
  ['a function that makes the model', 'small', null, 'float32[2, 8]'],
  ['a function that makes the model from a config', 'sized', '{"dims": 8}', 'float32[2, 8]'],
  ['a function that takes the inputs', 'twice', null, 'float32[2, 8]'],
])('%s', (_, name, config, expected) => {
  expect(output(name, config, 'x=float32[2,8]')).toBe(expected);
});

test('names that are not there', () => {
  expect(() => enter('Missing', null, 'x=float32[2,8]')).toThrow('Missing is not defined');
  expect(() => enter('Net.decode', CONFIG, 'x=float32[2,8]')).toThrow('there is no method decode');
});

test('an entry ends where MLX refuses', () => {
  const { observations, run } = enter('wrong', null, 'x=float32[2,8]');
  expect(run.notes.findings.map(f => f.message)).toEqual([expect.stringContaining('Linear expects 4 features')]);
  expect(observations.filter(o => o.kind === 'return' && o.function === 'wrong')).toEqual([]);
});
