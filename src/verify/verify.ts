/**
 * Stage 4: what the tool says of each candidate.
 *
 * A verifier is one file with one function of this type, and one entry in the map. A tool from outside is a `Tool`.
 */
import type { Problem } from '../problem/problem.js';
import type { Prompt } from '../prompt/prompt.js';
import type { StageContext } from '../stage-context.js';
import type { Candidate, ToolVerdict } from '../types.js';
import { checkKnowledge, verifyKnowledge } from './fact-check.js';
import { checkLooks, programLooks, type Looks } from './looks.js';
import { verifyMath } from './math.js';
import { verifySteps, verifyStepsThenMath } from './steps.js';

export interface Verifier {
  /** Makes sure, before anything is sampled, that the tool can be had; throws a T1Error otherwise. */
  readonly check?: (run: StageContext) => void | Promise<void>;
  /** What its verdicts depend on beside models, sandbox and settings, as plain data; nothing when absent. */
  readonly identity?: (context: StageContext) => Promise<object>;
  /**
   * Told when candidates begin to be generated: what takes long to start may start beside that. It throws nothing; what
   * goes wrong is told when it is needed.
   */
  readonly prepare?: (run: StageContext) => void;
  /** How often it looks at a candidate; once when absent. */
  readonly looks?: Looks;
  /** @returns [candidates] verdicts, in the candidates' order */
  readonly verify: (
    problem: Problem,
    prompt: Prompt,
    candidates: readonly Candidate[],
    run: StageContext,
  ) => Promise<ToolVerdict[]>;
}

const startSandbox = (run: StageContext): void => void run.sandbox().catch(() => {});

export const verifiers = {
  math: { prepare: startSandbox, looks: programLooks, verify: verifyMath },
  steps: { verify: verifySteps },
  'steps-then-math': { prepare: startSandbox, looks: programLooks, verify: verifyStepsThenMath },
  knowledge: {
    check: checkKnowledge,
    identity: async (context) => ({ index: (await context.knowledge()).fingerprint }),
    looks: checkLooks,
    verify: verifyKnowledge,
  },
} satisfies Record<string, Verifier>;
