/** A tool of the user's own, as a verifier: units, a database, a shell, a web API. `docs/verifiers.md` has one of 30 lines. */
import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';
import { existsSync } from 'node:fs';
import { z } from 'zod';
import { T1Error } from '../errors.js';
import { contentKey } from '../store/key.js';
import type { Candidate, Opinion, ToolVerdict } from '../types.js';
import type { Verifier } from './verify.js';

/** What a tool is told. */
export interface ToolRequest {
  readonly problem: string;
  /** The whole solution. */
  readonly solution: string;
  /** Its final answer, as written. */
  readonly answer: string;
  /** Ends what the tool still does when the run is interrupted. */
  readonly signal: AbortSignal;
}

export interface ToolReply {
  readonly verdict: Opinion;
  /** Why, in one line; shown with the verdict. */
  readonly note?: string | undefined;
}

export interface Tool {
  /** Part of the key under which verdicts are kept. */
  readonly name: string;
  /** Raise it when the same solution could get another verdict. */
  readonly version: number;
  /** A tool that throws says nothing of the solution: the verdict is `unknown`, with the error as its note, and is not kept. */
  verify(request: ToolRequest): ToolReply | Promise<ToolReply>;
}

const toolSchema = z.object({ name: z.string().min(1), version: z.number(), verify: z.function() });
const replySchema = z.object({ verdict: z.enum(['pass', 'fail', 'unknown']), note: z.string().optional() });

/** Every distinct solution with an answer is asked about once, all at the same time, and never again while the store has it. */
export const toolVerifier = (tool: Tool): Verifier => ({
  async verify({ text: problem }, _prompt, candidates, run) {
    const bySolution = new Map<string, Promise<ToolVerdict>>();
    const ask = async (solution: string, answer: string): Promise<ToolVerdict> => {
      const key = contentKey('tool', tool.name, tool.version, problem, solution);
      const known = run.store.verdict(key);
      if (known) return known;
      try {
        const { verdict, note } = replySchema.parse(
          await tool.verify({ problem, solution, answer, signal: run.signal }),
        );
        const told: ToolVerdict = { verdict, programs: [], note };
        run.store.saveVerdict(key, tool.name, told);
        return told;
      } catch (cause) {
        if (run.signal.aborted) throw new T1Error('ABORTED', 'aborted', { cause });
        if (cause instanceof T1Error) throw cause;
        return {
          verdict: 'unknown',
          programs: [],
          note: cause instanceof z.ZodError ? `${tool.name} gave no verdict` : String(cause),
        };
      }
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
