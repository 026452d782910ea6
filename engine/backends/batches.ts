/**
 * Batched products as few large ones: neighbouring rows of x that meet the same matrix go together.
 */

/** `count` matrices of x from `x` on, all times matrix `w`; results stand from matrix `at` on. */
export interface Run {
  readonly x: number;
  readonly w: number;
  readonly at: number;
  readonly count: number;
}

/** The i-th product is matrix ofX[i] times matrix ofW[i]. */
export function runs(ofX: Int32Array, ofW: Int32Array): Run[] {
  const found: Run[] = [];
  for (let at = 0; at < ofX.length; ) {
    let end = at + 1;
    while (end < ofX.length && ofW[end] === ofW[at] && ofX[end] === ofX[end - 1] + 1) end++;
    found.push({ x: ofX[at], w: ofW[at], at, count: end - at });
    at = end;
  }
  return found;
}
