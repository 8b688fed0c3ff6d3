/**
 * A tool of the user's own, as a verifier: units, a database, a shell, a web API. `docs/verifiers.md` has one of 30
 * lines.
 */
import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';
import { existsSync } from 'node:fs';
import { z } from 'zod';
import { mapAtOnce } from '../at-once.js';
import { T1Error } from '../errors.js';
import { must } from '../must.js';
import { remember, type Computation, type Identified } from '../store/remember.js';
import type { ToolVerdict } from '../types.js';
import {
  boundedCall,
  CallLimit,
  replySchema,
  type Tool,
  type ToolBounds,
  type ToolReply,
  type ToolRequest,
} from './bounded-tool.js';
import type { Verifier } from './verify.js';

export type { Tool, ToolReply, ToolRequest } from './bounded-tool.js';

const toolSchema = z.object({ name: z.string().min(1), version: z.number(), verify: z.function() });

/** One for each tool, whoever asks it; another one for those who want another limit. */
const limits = new WeakMap<Tool, CallLimit>();

function limitOf(tool: Tool, atOnce: number, timeoutMs: number): CallLimit {
  const known = limits.get(tool);
  if (known?.atOnce === atOnce && known.patienceMs === timeoutMs) return known;
  const limit = new CallLimit(atOnce, timeoutMs);
  limits.set(tool, limit);
  return limit;
}

interface ToolHandle extends Identified {
  readonly tool: Tool;
}

const asking: Computation<
  { readonly tool: ToolHandle },
  null,
  Omit<ToolRequest, 'signal'>,
  ToolReply,
  Omit<ToolBounds, 'signal'>
> = {
  stage: 'tool',
  version: 1,
  value: replySchema,
  async compute({ handles, items, runtime, signal, done }) {
    const { tool } = handles.tool;
    await mapAtOnce(
      items,
      async (request, stop, item) => {
        const { verdict, note, transient } = await boundedCall(tool, request, { ...runtime, signal: stop });
        done(item, { verdict, note }, transient ? 'transient' : 'certain');
      },
      { signal },
    );
  },
};

/** Every distinct solution with an answer is asked about once, and never again while the store has it. */
export const toolVerifier = (tool: Tool): Verifier => ({
  identity: async () => ({ name: tool.name, version: tool.version }),
  async verify({ text: problem }, _prompt, candidates, { memory, settings, signal, emit }) {
    const asked = candidates.flatMap(({ text, answer }, place) =>
      answer === null ? [] : [{ place, item: { problem, solution: text, answer } }],
    );
    const verdicts: ToolVerdict[] = candidates.map(() => ({ verdict: 'unknown', programs: [] })); // no answer, no question
    const { name, version } = tool;
    const { toolTimeoutMs: timeoutMs, toolCalls } = settings;
    await remember(
      memory,
      asking,
      {
        handles: { tool: { identity: { name, version }, tool } },
        shared: null,
        items: asked.map(({ item }) => item),
        runtime: { timeoutMs, limit: limitOf(tool, toolCalls, timeoutMs) },
        signal,
      },
      (i, { verdict, note }) => {
        const { place } = must(asked[i], 'what was asked');
        const told: ToolVerdict = { verdict, programs: [], note };
        verdicts[place] = told;
        emit({ type: 'verdict', index: must(candidates[place], 'a candidate').index, tool: told });
      },
    );
    return verdicts;
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
