/**
 * Complex functions, for the kernels of complex64: principal values, computed in double precision.
 */

/** Real and imaginary part. */
export type Complex = readonly [re: number, im: number];

export const I: Complex = [0, 1];
export const ONE: Complex = [1, 0];

export const add = (a: Complex, b: Complex): Complex => [a[0] + b[0], a[1] + b[1]];
export const subtract = (a: Complex, b: Complex): Complex => [a[0] - b[0], a[1] - b[1]];
export const multiply = (a: Complex, b: Complex): Complex => [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]];
export function divide(a: Complex, b: Complex): Complex {
  if (b[0] === 0 && b[1] === 0) return [a[0] / 0, a[1] / 0];
  const size = b[0] * b[0] + b[1] * b[1];
  return [(a[0] * b[0] + a[1] * b[1]) / size, (a[1] * b[0] - a[0] * b[1]) / size];
}
export const negate = (z: Complex): Complex => [-z[0], -z[1]];
export const scale = (z: Complex, factor: number): Complex => [z[0] * factor, z[1] * factor];
export const abs = (z: Complex): number => Math.hypot(z[0], z[1]);
export const square = (z: Complex): Complex => multiply(z, z);

export const exp = ([re, im]: Complex): Complex => {
  const size = Math.exp(re);
  return [size * Math.cos(im), size * Math.sin(im)];
};
export const log = (z: Complex): Complex => [Math.log(abs(z)), Math.atan2(z[1], z[0])];
export function sqrt(z: Complex): Complex {
  const size = abs(z);
  const re = Math.sqrt((size + z[0]) / 2);
  const im = Math.sqrt((size - z[0]) / 2);
  return [re, z[1] < 0 || Object.is(z[1], -0) ? -im : im];
}
export function power(a: Complex, b: Complex): Complex {
  if (b[0] === 0 && b[1] === 0) return ONE;
  if (a[0] === 0 && a[1] === 0) return [0, 0];
  return exp(multiply(b, log(a)));
}

export const sin = ([re, im]: Complex): Complex => [Math.sin(re) * Math.cosh(im), Math.cos(re) * Math.sinh(im)];
export const cos = ([re, im]: Complex): Complex => [Math.cos(re) * Math.cosh(im), -Math.sin(re) * Math.sinh(im)];
export const tan = (z: Complex): Complex => divide(sin(z), cos(z));
export const sinh = ([re, im]: Complex): Complex => [Math.sinh(re) * Math.cos(im), Math.cosh(re) * Math.sin(im)];
export const cosh = ([re, im]: Complex): Complex => [Math.cosh(re) * Math.cos(im), Math.sinh(re) * Math.sin(im)];
export const tanh = (z: Complex): Complex => divide(sinh(z), cosh(z));

/** asin z = -i · log(iz + √(1 - z²)) */
export const arcsin = (z: Complex): Complex => {
  const [re, im] = log(add(multiply(I, z), sqrt(subtract(ONE, square(z)))));
  return [im, -re];
};
export const arccos = (z: Complex): Complex => {
  const [re, im] = arcsin(z);
  return [Math.PI / 2 - re, -im];
};
/** atan z = i/2 · (log(1 - iz) - log(1 + iz)) */
export const arctan = (z: Complex): Complex => {
  const iz = multiply(I, z);
  return multiply([0, 0.5], subtract(log(subtract(ONE, iz)), log(add(ONE, iz))));
};
export const arcsinh = (z: Complex): Complex => log(add(z, sqrt(add(square(z), ONE))));
export const arccosh = (z: Complex): Complex => log(add(z, multiply(sqrt(add(z, ONE)), sqrt(subtract(z, ONE)))));
export const arctanh = (z: Complex): Complex => scale(subtract(log(add(ONE, z)), log(subtract(ONE, z))), 0.5);

/** Whether a comes before b as MLX orders them: by real part, then by imaginary part. */
export const precedes = (a: Complex, b: Complex): boolean => a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
