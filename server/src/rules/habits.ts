/**
 * Names that PyTorch and NumPy have and MLX has not: what to write instead.
 *
 * A template is Python. `{x}` is the object, `{args}` its arguments as written (with `dim=` and `keepdim=` renamed),
 * `{0}` the first of them, `{mx}`, `{nn}` and `{np}` what the file calls these modules. A template is a fix only where
 * it is certain to mean the same; everything else is `advice`.
 */

export interface Habit {
  /** The MLX name, where only the spelling differs: the name alone is replaced. */
  readonly name?: string;
  /** Replacements of a call whose only argument is this literal; they win over `call`. */
  readonly literal?: Readonly<Record<string, string>>;
  /** The replacement of the whole call (or attribute), by number of arguments; `n` takes any number. */
  readonly call?: Readonly<Partial<Record<0 | 1 | 2 | 3 | 'n', string>>>;
  /** What to do instead, for the message: "MLX arrays have `reshape`". */
  readonly advice: string;
}

const renamed = (to: string, advice = `Use \`${to}\``): Habit => ({ call: { n: `{x}.${to}({args})` }, advice });
const ofMx = (to: string): Habit => ({ call: { n: `{mx}.${to}({x}, {args})` }, advice: `Use \`mx.${to}(x, …)\`` });
const elementwise = (to: string): Habit => ({ call: { 0: `{mx}.${to}({x})` }, advice: `Use \`mx.${to}(x)\`` });
const removed = (advice: string): Habit => ({ call: { 0: '{x}', 1: '{x}' }, advice });
const cast = (dtype: string): Habit => ({
  call: { 0: `{x}.astype({mx}.${dtype})` },
  advice: `Use \`x.astype(mx.${dtype})\``,
});
const operator = (symbol: string): Habit => ({
  call: { 1: `{x} ${symbol} {0}` },
  advice: `Use the operator \`${symbol}\``,
});
const advice = (text: string): Habit => ({ advice: text });

const NO_DEVICES = 'MLX arrays live in memory that the CPU and GPU share: there is nothing to move';
const NO_INPLACE = 'MLX has no in-place methods: assign the result';

/** Methods and attributes of arrays. */
export const ARRAY_HABITS: Readonly<Record<string, Habit>> = {
  view: renamed('reshape', '`view` reinterprets the bytes as another dtype in MLX; a new shape is `reshape`'),
  permute: renamed('transpose'),
  unsqueeze: {
    literal: { '-1': '{x}[..., None]', '0': '{x}[None]' },
    call: { 1: '{mx}.expand_dims({x}, {0})' },
    advice: 'Index with `None`, or use `mx.expand_dims(x, axis)`',
  },
  size: {
    call: { 0: '{x}.shape', 1: '{x}.shape[{0}]' },
    advice: '`size` is the number of elements, not a method: use `x.shape`',
  },
  dim: { call: { 0: '{x}.ndim' }, advice: 'Use `x.ndim`' },
  ndimension: { call: { 0: '{x}.ndim' }, advice: 'Use `x.ndim`' },
  numel: { call: { 0: '{x}.size' }, advice: 'Use `x.size`' },
  nelement: { call: { 0: '{x}.size' }, advice: 'Use `x.size`' },
  t: { call: { 0: '{x}.T' }, advice: 'Use `x.T`' },
  contiguous: removed('MLX arrays need no `contiguous`'),
  cuda: removed(NO_DEVICES),
  cpu: removed(NO_DEVICES),
  to: advice(`${NO_DEVICES}. For another dtype use \`x.astype(dtype)\``),
  device: advice(NO_DEVICES),
  is_cuda: advice(NO_DEVICES),
  detach: { call: { 0: '{mx}.stop_gradient({x})' }, advice: 'Use `mx.stop_gradient(x)`' },
  clone: { call: { 0: '{mx}.array({x})' }, advice: 'Use `mx.array(x)`' },
  copy: { call: { 0: '{mx}.array({x})' }, advice: 'Use `mx.array(x)`' },
  numpy: { call: { 0: '{np}.array({x})' }, advice: 'Use `np.array(x)`' },
  float: cast('float32'),
  half: cast('float16'),
  bfloat16: cast('bfloat16'),
  double: advice('Use `x.astype(mx.float64)`, which only the CPU computes, or stay with float32'),
  int: cast('int32'),
  long: cast('int64'),
  short: cast('int16'),
  bool: cast('bool_'),
  type: { call: { 1: '{x}.astype({0})' }, advice: 'Use `x.astype(dtype)`' },
  type_as: { call: { 1: '{x}.astype({0}.dtype)' }, advice: 'Use `x.astype(y.dtype)`' },
  expand: advice('Use `mx.broadcast_to(x, shape)`; where PyTorch takes -1, write the axis’s own length'),
  expand_as: { call: { 1: '{mx}.broadcast_to({x}, {0}.shape)' }, advice: 'Use `mx.broadcast_to(x, y.shape)`' },
  view_as: { call: { 1: '{x}.reshape({0}.shape)' }, advice: 'Use `x.reshape(y.shape)`' },
  reshape_as: { call: { 1: '{x}.reshape({0}.shape)' }, advice: 'Use `x.reshape(y.shape)`' },
  repeat: advice('PyTorch’s `repeat` is `mx.tile(x, reps)`, NumPy’s is `mx.repeat(x, n, axis)`'),
  repeat_interleave: advice('Use `mx.repeat(x, n, axis)`'),
  tile: ofMx('tile'),
  masked_fill: { call: { 2: '{mx}.where({0}, {1}, {x})' }, advice: 'Use `mx.where(mask, value, x)`' },
  masked_fill_: advice(`${NO_INPLACE}: \`x = mx.where(mask, value, x)\``),
  where: advice('Use `mx.where(condition, x, y)`'),
  gather: advice('Use `mx.take_along_axis(x, indices, axis)`'),
  scatter: advice('Use `mx.put_along_axis(x, indices, values, axis)`'),
  index_select: { call: { 2: '{mx}.take({x}, {1}, axis={0})' }, advice: 'Use `mx.take(x, indices, axis)`' },
  chunk: ofMx('split'),
  unbind: { call: { 0: '{mx}.unstack({x})', n: '{mx}.unstack({x}, {args})' }, advice: 'Use `mx.unstack(x, axis)`' },
  matmul: operator('@'),
  mm: operator('@'),
  bmm: operator('@'),
  mul: operator('*'),
  add: operator('+'),
  sub: operator('-'),
  div: operator('/'),
  pow: operator('**'),
  dot: advice('Use `x @ y`, or `mx.inner(x, y)`'),
  clamp: advice('Use `mx.clip(x, low, high)`'),
  clip: advice('Use `mx.clip(x, low, high)`'),
  softmax: { call: { 1: '{mx}.softmax({x}, axis={0})' }, advice: 'Use `mx.softmax(x, axis)`' },
  log_softmax: { call: { 1: '{nn}.log_softmax({x}, axis={0})' }, advice: 'Use `nn.log_softmax(x, axis)`' },
  sigmoid: elementwise('sigmoid'),
  tanh: elementwise('tanh'),
  relu: { call: { 0: '{nn}.relu({x})' }, advice: 'Use `nn.relu(x)`' },
  floor: elementwise('floor'),
  ceil: elementwise('ceil'),
  sign: elementwise('sign'),
  neg: { call: { 0: '-{x}' }, advice: 'Use `-x`' },
  tan: elementwise('tan'),
  erf: elementwise('erf'),
  isnan: elementwise('isnan'),
  isinf: elementwise('isinf'),
  triu: { call: { 0: '{mx}.triu({x})', n: '{mx}.triu({x}, {args})' }, advice: 'Use `mx.triu(x, k)`' },
  tril: { call: { 0: '{mx}.tril({x})', n: '{mx}.tril({x}, {args})' }, advice: 'Use `mx.tril(x, k)`' },
  sort: advice('Use `mx.sort(x, axis)`, which returns values only, and `mx.argsort` for indices'),
  argsort: { call: { 0: '{mx}.argsort({x})', 1: '{mx}.argsort({x}, axis={0})' }, advice: 'Use `mx.argsort(x, axis)`' },
  topk: advice('Use `mx.topk(x, k)`, which returns values only; for indices use `mx.argpartition`'),
  norm: advice('Use `mx.linalg.norm(x)`'),
  ravel: { call: { 0: '{x}.flatten()' }, advice: 'Use `x.flatten()`' },
  nonzero: advice('MLX has no `nonzero`, since its result’s shape depends on values; use `mx.where`'),
  flip: advice('Use `mx.flip(x, axis)`'),
  roll: ofMx('roll'),
  fill_: advice(`${NO_INPLACE}: \`x = mx.full(x.shape, value)\``),
  zero_: advice(`${NO_INPLACE}: \`x = mx.zeros_like(x)\``),
  add_: advice(`${NO_INPLACE}: \`x = x + y\``),
  mul_: advice(`${NO_INPLACE}: \`x = x * y\``),
  copy_: advice(`${NO_INPLACE}: \`x[:] = y\``),
  requires_grad: advice('Gradients come from `mx.grad` or `nn.value_and_grad`; arrays carry no flag'),
  requires_grad_: advice('Gradients come from `mx.grad` or `nn.value_and_grad`; arrays carry no flag'),
  grad: advice('Gradients come from `mx.grad` or `nn.value_and_grad`; arrays do not keep them'),
  backward: advice('Use `nn.value_and_grad(model, loss_fn)`, then `optimizer.update(model, grads)`'),
  data: advice('An MLX array has no `data`; use the array itself'),
};

/** Methods of layers and models. */
export const MODULE_HABITS: Readonly<Record<string, Habit>> = {
  cuda: removed(NO_DEVICES),
  cpu: removed(NO_DEVICES),
  to: advice(`${NO_DEVICES}. For another dtype use \`model.set_dtype(dtype)\``),
  half: { call: { 0: '{x}.set_dtype({mx}.float16)' }, advice: 'Use `model.set_dtype(mx.float16)`' },
  float: { call: { 0: '{x}.set_dtype({mx}.float32)' }, advice: 'Use `model.set_dtype(mx.float32)`' },
  bfloat16: { call: { 0: '{x}.set_dtype({mx}.bfloat16)' }, advice: 'Use `model.set_dtype(mx.bfloat16)`' },
  state_dict: advice('Use `model.parameters()`, or `model.save_weights(path)`'),
  load_state_dict: advice('Use `model.load_weights(path)`, or `model.update(parameters)`'),
  named_parameters: advice('Use `mlx.utils.tree_flatten(model.parameters())`'),
  zero_grad: advice('Gradients are values here: nothing has to be zeroed'),
  requires_grad_: advice('Use `model.freeze()` and `model.unfreeze()`'),
  register_buffer: advice('Assign the array to an attribute; a name that begins with `_` is no parameter'),
  register_parameter: advice('Assign the array to an attribute: `self.weight = mx.zeros(…)`'),
  forward: advice('MLX calls `__call__`; call the layer itself'),
  add_module: advice('Assign the layer to an attribute, or keep layers in a list'),
};

/** Names of `mlx.core`. */
export const CORE_HABITS: Readonly<Record<string, Habit>> = {
  ...names({
    cat: 'concatenate',
    tensor: 'array',
    Tensor: 'array',
    from_numpy: 'array',
    as_tensor: 'array',
    unsqueeze: 'expand_dims',
    permute: 'transpose',
    bmm: 'matmul',
    mm: 'matmul',
    clamp: 'clip',
    mul: 'multiply',
    sub: 'subtract',
    div: 'divide',
    neg: 'negative',
    eq: 'equal',
    ne: 'not_equal',
    gt: 'greater',
    ge: 'greater_equal',
    lt: 'less',
    le: 'less_equal',
    chunk: 'split',
    unbind: 'unstack',
    copy: 'array',
    clone: 'array',
    gather: 'take_along_axis',
    manual_seed: 'random.seed',
    long: 'int64',
    int: 'int32',
    short: 'int16',
    half: 'float16',
    float: 'float32',
    bool: 'bool_',
  }),
  relu: advice('Activations are in `mlx.nn`: `nn.relu(x)`'),
  gelu: advice('Activations are in `mlx.nn`: `nn.gelu(x)`'),
  silu: advice('Activations are in `mlx.nn`: `nn.silu(x)`'),
  log_softmax: advice('Use `nn.log_softmax(x, axis)`'),
  dropout: advice('Use the layer `nn.Dropout(p)`'),
  randn: advice('Use `mx.random.normal(shape)`'),
  rand: advice('Use `mx.random.uniform(shape=shape)`'),
  randint: advice('Use `mx.random.randint(low, high, shape)`'),
  randperm: advice('Use `mx.random.permutation(n)`'),
  multinomial: advice('Use `mx.random.categorical(logits)`'),
  norm: advice('Use `mx.linalg.norm(x)`'),
  dot: advice('Use `x @ y`, or `mx.inner(x, y)`'),
  masked_fill: advice('Use `mx.where(mask, value, x)`'),
  index_select: advice('Use `mx.take(x, indices, axis)`'),
  nonzero: advice('MLX has no `nonzero`, since its result’s shape depends on values; use `mx.where`'),
  no_grad: advice('Nothing is recorded for gradients unless `mx.grad` asks: leave it out'),
  device: advice('Use `mx.set_default_device(mx.cpu)`, or a function’s `stream` argument'),
  nn: advice('Layers are in `mlx.nn`: `import mlx.nn as nn`'),
  optim: advice('Optimizers are in `mlx.optimizers`'),
  hstack: advice('Use `mx.concatenate(arrays, axis=1)`'),
  vstack: advice('Use `mx.concatenate(arrays, axis=0)`'),
};

/** Names of `mlx.nn`. */
export const NN_HABITS: Readonly<Record<string, Habit>> = {
  ...names({
    MultiheadAttention: 'MultiHeadAttention',
    Hardtanh: 'HardTanh',
    Swish: 'SiLU',
    Hardshrink: 'HardShrink',
    Logsigmoid: 'LogSigmoid',
    BatchNorm1d: 'BatchNorm',
    BatchNorm2d: 'BatchNorm',
    BatchNorm3d: 'BatchNorm',
    InstanceNorm1d: 'InstanceNorm',
    InstanceNorm2d: 'InstanceNorm',
    InstanceNorm3d: 'InstanceNorm',
  }),
  Flatten: advice('MLX has no Flatten layer: call `x.flatten(1)` or `x.reshape(x.shape[0], -1)`'),
  ModuleList: advice('Keep layers in a plain list: MLX finds parameters in lists'),
  ModuleDict: advice('Keep layers in a plain dict: MLX finds parameters in dicts'),
  ParameterList: advice('Keep arrays in a plain list'),
  Parameter: advice('An array that is assigned to an attribute is a parameter: leave `Parameter` out'),
  functional: advice('The functions are in `mlx.nn` itself: `nn.relu(x)`'),
  CrossEntropyLoss: advice('Use `nn.losses.cross_entropy(logits, targets, reduction="mean")`'),
  NLLLoss: advice('Use `nn.losses.nll_loss(inputs, targets)`'),
  MSELoss: advice('Use `nn.losses.mse_loss(predictions, targets)`'),
  L1Loss: advice('Use `nn.losses.l1_loss(predictions, targets)`'),
  BCELoss: advice('Use `nn.losses.binary_cross_entropy(inputs, targets, with_logits=False)`'),
  BCEWithLogitsLoss: advice('Use `nn.losses.binary_cross_entropy(inputs, targets)`'),
  AdaptiveAvgPool2d: advice('For a size of 1 use `x.mean(axis=(1, 2))`; MLX has no adaptive pooling'),
  LSTMCell: advice('`nn.LSTM` runs over a whole sequence; a sequence of length 1 is a cell'),
  GRUCell: advice('`nn.GRU` runs over a whole sequence; a sequence of length 1 is a cell'),
  ConstantPad2d: advice('Use `mx.pad(x, widths)`'),
  ZeroPad2d: advice('Use `mx.pad(x, widths)`'),
  PixelShuffle: advice('Write it with `reshape` and `transpose`, channels last'),
  Unflatten: advice('Use `mx.unflatten(x, axis, shape)`'),
};

/** Keyword arguments: name in PyTorch → name in MLX, or null where MLX has none and the argument can go. */
export const KEYWORD_HABITS: Readonly<Record<string, string | null>> = {
  dim: 'axis',
  keepdim: 'keepdims',
  in_features: 'input_dims',
  out_features: 'output_dims',
  embedding_dim: 'dims',
  normalized_shape: 'dims',
  elementwise_affine: 'affine',
  num_channels: 'dims',
  correction: 'ddof',
  inplace: null,
  device: null,
  requires_grad: null,
  batch_first: null,
};

/** Names that only differ in spelling: the attribute alone is replaced. */
function names(table: Readonly<Record<string, string>>): Record<string, Habit> {
  return Object.fromEntries(Object.entries(table).map(([from, to]) => [from, { name: to, advice: `Use \`${to}\`` }]));
}
