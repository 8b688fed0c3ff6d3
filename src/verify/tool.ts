/** A tool of the user's own, as a verifier: units, a database, a shell, a web API. `docs/verifiers.md` has one of 30 lines. */
import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';
import { existsSync } from 'node:fs';
import { z } from 'zod';
import { T1Error } from '../errors.js';
import { contentKey } from '../store/key.js';
import type { Candidate, ToolVerdict } from '../types.js';
import { boundedCall, CallLimit, TOOL_DEFAULTS, type Tool } from './bounded-tool.js';
import type { Verifier } from './verify.js';

export type { Tool, ToolReply, ToolRequest } from './bounded-tool.js';

const toolSchema = z.object({ name: z.string().min(1), version: z.number(), verify: z.function() });

/** One for each tool, whoever asks it. */
const limits = new WeakMap<Tool, CallLimit>();

function limitOf(tool: Tool): CallLimit {
  const limit = limits.get(tool) ?? new CallLimit();
  limits.set(tool, limit);
  return limit;
}

/** Every distinct solution with an answer is asked about once, and never again while the store has it. */
export const toolVerifier = (tool: Tool): Verifier => ({
  async verify({ text: problem }, _prompt, candidates, run) {
    const limit = limitOf(tool);
    const bySolution = new Map<string, Promise<ToolVerdict>>();
    const ask = async (solution: string, answer: string): Promise<ToolVerdict> => {
      const key = contentKey('tool', tool.name, tool.version, problem, solution);
      const known = run.store.verdict(key);
      if (known) return known;
      const request = { problem, solution, answer };
      const { timeoutMs } = TOOL_DEFAULTS;
      const { verdict, note, transient } = await boundedCall(tool, request, { timeoutMs, limit, signal: run.signal });
      const told: ToolVerdict = { verdict, programs: [], note };
      if (!transient) run.store.saveVerdict(key, tool.name, told);
      return told;
    };
    const verdictOf = async ({ index, text, answer }: Candidate): Promise<ToolVerdict> => {
      if (answer === null) return { verdict: 'unknown', programs: [] };
      const asked = bySolution.get(text) ?? ask(text, answer);
      bySolution.set(text, asked);
      const verdict = await asked;
      run.emit({ type: 'verdict', index, tool: verdict });
      return verdict;
    };
    return Promise.all(candidates.map(verdictOf));
  },
});

/**
 * @param path of a JavaScript module whose default export is a tool
 * @throws T1Error FILE_NOT_FOUND, INPUT
 */
export async function loadTool(path: string): Promise<Tool> {
  if (!existsSync(path)) throw new T1Error('FILE_NOT_FOUND', `no tool at ${path}: check the path`);
  try {
    const module: unknown = await import(pathToFileURL(resolve(path)).href);
    const tool = z.object({ default: toolSchema }).parse(module).default;
    return tool as unknown as Tool; // what it returns is checked when it does
  } catch (cause) {
    const why = cause instanceof z.ZodError ? 'its default export must be { name, version, verify }' : String(cause);
    throw new T1Error('INPUT', `cannot use the tool ${path}: ${why}`, { cause });
  }
}
