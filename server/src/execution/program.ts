/** A prepared graph as a program that somebody else computes. */
import { showBytes } from '../../../engine/src/evaluate/plan';
import { writeProgram } from '../../../engine/src/evaluate/program';
import { programText } from '../../../engine/src/evaluate/program_text';
import type { ExecuteRequest } from '../features/executor';
import type { ProgramResult } from '../protocol';
import { bindings, type Machine, MEMORY_LIMIT, outputName, requireNumbers } from './run';
import type { Prepared } from './target';

/** Bytes of arrays that a program may hold: it travels as text. Weights from a seed are operations and take none. */
const MOST_BYTES = 32 << 20;

/** @throws Error with a message for the user, also where the program is too large */
export async function program(prepared: Prepared, request: ExecuteRequest, machine: Machine): Promise<ProgramResult> {
  const { run, outputs } = prepared;
  const { bind, symbols } = await bindings(prepared, request, machine);
  const nodes = outputs.map(output => output.node);
  requireNumbers(nodes);
  const { program } = writeProgram(nodes, { facts: run.ev.facts, symbols, bind, memoryLimit: MEMORY_LIMIT });
  const bytes = program.sources.reduce((sum, { data }) => sum + data.byteLength, 0);
  if (bytes > MOST_BYTES)
    throw new Error(`its arrays are ${showBytes(bytes)}; at most ${showBytes(MOST_BYTES)} are handed over`);
  return { outputs: outputs.map(({ name }) => outputName(name, outputs)), program: programText(program) };
}
