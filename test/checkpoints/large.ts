/** A checkpoint of 8 GB in four shards that takes no room on disk, its model, and what checking it costs. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Arrays, writeSparse } from './files';

const MODEL = `import mlx.core as mx
import mlx.nn as nn


class Attention(nn.Module):
    def __init__(self, width, heads, kv_heads):
        super().__init__()
        self.head_dim = width // heads
        self.q_proj = nn.Linear(width, heads * self.head_dim, bias=False)
        self.k_proj = nn.Linear(width, kv_heads * self.head_dim, bias=False)
        self.v_proj = nn.Linear(width, kv_heads * self.head_dim, bias=False)
        self.o_proj = nn.Linear(heads * self.head_dim, width, bias=False)


class Block(nn.Module):
    def __init__(self, width, heads, kv_heads, hidden):
        super().__init__()
        self.self_attn = Attention(width, heads, kv_heads)
        self.gate_proj = nn.Linear(width, hidden, bias=False)
        self.up_proj = nn.Linear(width, hidden, bias=False)
        self.down_proj = nn.Linear(hidden, width, bias=False)
        self.input_layernorm = nn.RMSNorm(width)
        self.post_attention_layernorm = nn.RMSNorm(width)


class Model(nn.Module):
    def __init__(self, width=4096, heads=32, kv_heads=8, hidden=6144, layers=32, vocab=64000):
        super().__init__()
        self.embed_tokens = nn.Embedding(vocab, width)
        self.layers = [Block(width, heads, kv_heads, hidden) for _ in range(layers)]
        self.norm = nn.RMSNorm(width)
        self.lm_head = nn.Linear(width, vocab, bias=False)

    def sanitize(self, weights):
        return {k.removeprefix("model."): v for k, v in weights.items() if "rotary_emb.inv_freq" not in k}
`;
const [WIDTH, KV, HIDDEN, LAYERS, VOCAB] = [4096, 1024, 6144, 32, 64000];

function arrays(): Arrays {
  const all: Record<string, readonly [string, readonly number[]]> = {};
  const add = (name: string, ...shape: number[]) => {
    all[`model.${name}`] = ['bfloat16', shape];
  };
  add('embed_tokens.weight', VOCAB, WIDTH);
  for (let i = 0; i < LAYERS; i++) {
    const layer = `layers.${i}`;
    for (const [name, rows] of Object.entries({ q_proj: WIDTH, k_proj: KV, v_proj: KV, o_proj: WIDTH }))
      add(`${layer}.self_attn.${name}.weight`, rows, WIDTH);
    add(`${layer}.self_attn.rotary_emb.inv_freq`, 64);
    for (const name of ['gate_proj', 'up_proj']) add(`${layer}.${name}.weight`, HIDDEN, WIDTH);
    add(`${layer}.down_proj.weight`, WIDTH, HIDDEN);
    for (const name of ['input_layernorm', 'post_attention_layernorm']) add(`${layer}.${name}.weight`, WIDTH);
  }
  add('norm.weight', WIDTH);
  all['lm_head.weight'] = ['bfloat16', [VOCAB, WIDTH]];
  return all;
}

export interface Cost {
  readonly gigabytes: number;
  readonly seconds: number;
  readonly megabytes: number;
  readonly output: string;
  readonly status: number | null;
}

/** Checks it with the command line at this path, in a process of its own. */
export function checkLarge(cli: string): Cost {
  const folder = mkdtempSync(path.join(tmpdir(), 'mlx-scope-large-'));
  try {
    writeFileSync(path.join(folder, 'model.py'), MODEL);
    const entries = Object.entries(arrays());
    const part = Math.ceil(entries.length / 4);
    let bytes = 0;
    mkdirSync(path.join(folder, 'weights'));
    for (let i = 0; i < 4; i++) {
      const name = `model-0000${i + 1}-of-00004.safetensors`;
      bytes += writeSparse(
        path.join(folder, 'weights', name),
        Object.fromEntries(entries.slice(i * part, (i + 1) * part)),
      );
    }
    const peak = path.join(folder, 'peak.cjs');
    writeFileSync(peak, "process.on('exit', () => console.error('peak', process.resourceUsage().maxRSS));");
    const began = performance.now();
    const run = spawnSync(process.execPath, ['-r', peak, cli, 'checkpoint', 'model.py', '--weights', 'weights'], {
      cwd: folder,
      encoding: 'utf8',
    });
    const seconds = (performance.now() - began) / 1000;
    const kilobytes = Number(/peak (\d+)/.exec(run.stderr)?.[1]);
    return { gigabytes: bytes / 1e9, seconds, megabytes: kilobytes / 1024, output: run.stdout, status: run.status };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
