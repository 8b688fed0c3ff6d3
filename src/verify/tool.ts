/** A tool of the user's own, as a verifier: units, a database, a shell, a web API. `docs/verifiers.md` has one of 30 lines. */
import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';
import { existsSync } from 'node:fs';
import { z } from 'zod';
import { T1Error } from '../errors.js';
import { must } from '../must.js';
import { remember, type Computation, type Identified } from '../store/remember.js';
import { unlessAborted } from '../unless-aborted.js';
import type { Opinion, ToolVerdict } from '../types.js';
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
  /** Calls at the same time; 16 when absent. */
  readonly concurrency?: number | undefined;
  /** After so long a call says nothing of the solution, milliseconds; a minute when absent. */
  readonly timeoutMs?: number | undefined;
  /** A tool that throws says nothing of the solution: the verdict is `unknown`, with the error as its note, and is not kept. */
  verify(request: ToolRequest): ToolReply | Promise<ToolReply>;
}

const toolSchema = z.object({
  name: z.string().min(1),
  version: z.number(),
  concurrency: z.int().min(1).optional(),
  timeoutMs: z.number().positive().optional(),
  verify: z.function(),
});
const replySchema = z.object({ verdict: z.enum(['pass', 'fail', 'unknown']), note: z.string().optional() });

const CONCURRENCY = 16;
const TIMEOUT_MS = 60_000;

interface ToolHandle extends Identified {
  readonly tool: Tool;
}

const asking: Computation<{ readonly tool: ToolHandle }, null, Omit<ToolRequest, 'signal'>, ToolReply, null> = {
  stage: 'tool',
  version: 1,
  value: replySchema,
  async compute({ handles, items, signal, done }) {
    const { tool } = handles.tool;
    const ask = async (request: Omit<ToolRequest, 'signal'>, item: number): Promise<void> => {
      using _place = await placesOf(tool).take(signal);
      const { timeoutMs = TIMEOUT_MS } = tool;
      const limit = AbortSignal.timeout(timeoutMs);
      const stop = AbortSignal.any([signal, limit]);
      try {
        done(item, replySchema.parse(await unlessAborted(tool.verify({ ...request, signal: stop }), stop)));
      } catch (cause) {
        if (signal.aborted) throw new T1Error('ABORTED', 'aborted', { cause });
        if (cause instanceof T1Error && !limit.aborted) throw cause;
        done(item, { verdict: 'unknown', note: noteOf(tool, cause, limit) }, 'transient');
      }
    };
    await Promise.all(items.map(ask));
  },
};

function noteOf({ name, timeoutMs = TIMEOUT_MS }: Tool, cause: unknown, limit: AbortSignal): string {
  if (limit.aborted) return `${name} gave no verdict within ${timeoutMs / 1000} s`;
  return cause instanceof z.ZodError ? `${name} gave no verdict` : String(cause);
}

/** As many calls as the tool allows at the same time, whoever makes them. */
class Places {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(count: number) {
    this.#free = count;
  }

  /** @throws T1Error ABORTED */
  async take(signal: AbortSignal): Promise<Disposable> {
    if (this.#free > 0) this.#free--;
    else {
      let mine = (): void => {};
      const turn = new Promise<void>((resolve) => (mine = resolve));
      this.#waiting.push(mine);
      await unlessAborted(turn, signal).catch((error: unknown) => {
        const at = this.#waiting.indexOf(mine);
        if (at === -1)
          this.#give(); // it came as the signal did
        else this.#waiting.splice(at, 1);
        throw error;
      });
    }
    return { [Symbol.dispose]: () => this.#give() };
  }

  #give(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free++;
  }
}

const places = new WeakMap<Tool, Places>();

function placesOf(tool: Tool): Places {
  const known = places.get(tool) ?? new Places(tool.concurrency ?? CONCURRENCY);
  places.set(tool, known);
  return known;
}

/** Every distinct solution with an answer is asked about once, and never again while the store has it. */
export const toolVerifier = (tool: Tool): Verifier => ({
  async verify({ text: problem }, _prompt, candidates, { memory, signal, emit }) {
    const asked = candidates.flatMap(({ text, answer }, place) =>
      answer === null ? [] : [{ place, item: { problem, solution: text, answer } }],
    );
    const verdicts: ToolVerdict[] = candidates.map(() => ({ verdict: 'unknown', programs: [] })); // no answer, no question
    const { name, version } = tool;
    await remember(
      memory,
      asking,
      {
        handles: { tool: { identity: { name, version }, tool } },
        shared: null,
        items: asked.map(({ item }) => item),
        runtime: null,
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
