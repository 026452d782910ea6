/**
 * What the WGSL generators of this folder have in common.
 */

/** A compute program. Its bindings are the parameters (a uniform buffer of u32), the inputs in order, the output. */
export interface Shader {
  /** Equal keys have equal code. */
  readonly key: string;
  readonly code: string;
}

/** Declares the bindings of a shader: `params` of u32 fields, `inputs` with their element types, `out`. */
export function bindings(params: readonly string[], inputs: Readonly<Record<string, string>>, out: string): string {
  const fields = params.map(name => `${name}: u32`).join(', ');
  const lines = [`struct Params { ${fields} }`, '@group(0) @binding(0) var<uniform> params: Params;'];
  let binding = 1;
  for (const [name, type] of Object.entries(inputs))
    lines.push(`@group(0) @binding(${binding++}) var<storage, read> ${name}: array<${type}>;`);
  lines.push(`@group(0) @binding(${binding}) var<storage, read_write> ${out}: array<f32>;`);
  return lines.join('\n');
}
