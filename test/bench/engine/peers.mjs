/**
 * Products by other libraries, each in a process of its own: `node peers.mjs NAME MODULES SIZES`, where MODULES is the
 * folder that the pinned packages are installed in. Prints a line of JSON.
 */
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [, , name, modules, sizes, measureAt] = process.argv;
const { measure } = await import(pathToFileURL(measureAt).href);

/** The module that an import of the package loads in Node. */
async function load(pkg) {
  const folder = path.join(modules, 'node_modules', pkg);
  const { exports, main, module } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const pick = entry =>
    typeof entry === 'string' ? entry : entry && (pick(entry.node) ?? pick(entry.import) ?? pick(entry.default));
  const file = pick(exports?.['.'] ?? exports) ?? main ?? module;
  return import(pathToFileURL(path.join(folder, file)).href);
}

// ---- an ONNX model of one product, written out: numbers are varints, everything else has its length before it ------------

function varint(n) {
  const bytes = [];
  for (; n > 127; n = Math.floor(n / 128)) bytes.push((n & 127) | 128);
  return [...bytes, n];
}
const join = (...parts) => Buffer.concat(parts.map(part => Buffer.from(part)));
const number = (field, n) => join(varint(field << 3), varint(n));
function message(field, content) {
  const bytes = Buffer.from(content);
  return join(varint((field << 3) | 2), varint(bytes.length), bytes);
}
const valueInfo = (label, dims) => {
  const shape = join(...dims.map(d => message(1, number(1, d))));
  return join(message(1, label), message(2, message(1, join(number(1, 1), message(2, shape)))));
};
function productModel(m, k, n, w) {
  const transposed = message(5, join(message(1, 'transB'), number(3, 1), number(20, 2)));
  const node = join(message(1, 'x'), message(1, 'w'), message(2, 'y'), message(4, 'Gemm'), transposed);
  const tensor = join(number(1, n), number(1, k), number(2, 1), message(8, 'w'), message(9, new Uint8Array(w.buffer)));
  const graph = join(
    message(1, node),
    message(2, 'product'),
    message(5, tensor),
    message(11, valueInfo('x', [m, k])),
    message(12, valueInfo('y', [m, n])),
  );
  return join(number(1, 8), message(7, graph), message(8, join(message(1, ''), number(2, 13))));
}

const PEERS = {
  async 'jax-js'() {
    globalThis.navigator ??= { hardwareConcurrency: 1, userAgent: 'node' }; // Node 20 has none
    const jax = await load('@jax-js/jax');
    await jax.init();
    jax.defaultDevice('wasm');
    return ([m, k, n], xs, ws) => {
      const [x, w] = [jax.numpy.array(xs, { shape: [m, k] }), jax.numpy.array(ws, { shape: [n, k] })];
      return () => jax.numpy.matmul(x.ref, jax.numpy.transpose(w.ref)).data();
    };
  },
  /** Weights are a constant of the model, which it packs once when it is loaded. */
  async 'onnxruntime-web'() {
    const ort = await load('onnxruntime-web');
    ort.env.wasm.numThreads = 1;
    return async ([m, k, n], xs, ws) => {
      const options = { executionProviders: ['wasm'] };
      const session = await ort.InferenceSession.create(productModel(m, k, n, ws), options);
      const x = new ort.Tensor('float32', xs, [m, k]);
      return async () => (await session.run({ x })).y.data;
    };
  },
  async 'tfjs-wasm'() {
    const [tf, backend] = [await load('@tensorflow/tfjs-core'), await load('@tensorflow/tfjs-backend-wasm')];
    backend.setThreadsCount?.(1);
    await tf.setBackend('wasm');
    await tf.ready();
    return ([m, k, n], xs, ws) => {
      const [x, w] = [tf.tensor2d(xs, [m, k]), tf.tensor2d(ws, [n, k])];
      return () => {
        const y = tf.matMul(x, w, false, true);
        const data = y.dataSync();
        y.dispose();
        return data;
      };
    };
  },
};

console.log(JSON.stringify(await measure(JSON.parse(sizes), await PEERS[name]())));
process.exit(0);
