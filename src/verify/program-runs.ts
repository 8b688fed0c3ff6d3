/** Programs in the sandbox, remembered: a program that has run under these limits in this sandbox is not run again. */
import { z } from 'zod';
import type { ProgramRunner, StageContext } from '../stage-context.js';
import { DEFAULT_OUTPUT_BYTES } from '../sandbox/program.js';
import { remember, type Computation, type Identified, type Worth } from '../store/remember.js';
import type { ProgramRun } from '../types.js';

/** Starts at its first use. */
export interface SandboxHandle extends Identified {
  start(): Promise<ProgramRunner>;
}

interface Limits {
  readonly timeoutMs: number;
  readonly outputBytes: number;
  /** Of Python's `random`. */
  readonly seed: number;
}

interface Item {
  readonly code: string;
}

export type RanProgram = Omit<ProgramRun, 'code'> & { readonly status: Exclude<ProgramRun['status'], 'missing'> };

const running: Computation<{ readonly sandbox: SandboxHandle }, Limits, Item, RanProgram, null> = {
  stage: 'program',
  version: 1,
  value: z.strictObject({
    status: z.enum(['ok', 'error', 'timeout', 'memory', 'output', 'died']),
    stdout: z.string(),
    ms: z.number(),
    missingModule: z.string().optional(),
  }),
  async compute({ handles, shared: limits, items, signal, done }) {
    const sandbox = await handles.sandbox.start();
    await Promise.all(
      items.map(async ({ code }, item) => {
        const { status, stdout, ms, error } = await sandbox.run({ code, ...limits, signal });
        const missingModule = error?.missingModule ?? undefined;
        done(item, { status, stdout, ms, missingModule }, worthOf(status));
      }),
    );
  },
};

/** A sandbox that died says nothing of the program, and a time limit may have met a slow moment. */
const worthOf = (status: RanProgram['status']): Worth =>
  status === 'died' ? 'transient' : status === 'timeout' ? 'doubtful' : 'certain';

/**
 * @param codes every distinct one runs once, all at the same time
 * @returns [codes] what became of each
 * @throws T1Error ABORTED, DISPOSED, SANDBOX_UNAVAILABLE, and what the store raises
 */
export async function runPrograms(
  codes: readonly string[],
  timeoutMs: number,
  { memory, sandbox, sandboxIdentity, signal }: Pick<StageContext, 'memory' | 'sandbox' | 'sandboxIdentity' | 'signal'>,
): Promise<RanProgram[]> {
  if (codes.length === 0) return [];
  return remember(memory, running, {
    handles: { sandbox: { identity: await sandboxIdentity(), start: sandbox } },
    shared: { timeoutMs, outputBytes: DEFAULT_OUTPUT_BYTES, seed: 0 },
    items: codes.map((code) => ({ code })),
    runtime: null,
    signal,
  });
}
