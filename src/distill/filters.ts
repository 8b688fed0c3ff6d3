/**
 * Which of a teacher's replies are worth learning from. A filter either keeps a reply or says in a word why not; the
 * words are counted and printed. The paper does not state its filters (arXiv 2504.04718 §4): these are ours.
 */
import { grade } from '../grade/grader.js';
import type { ProgramRunner } from '../stage-context.js';
import { extractCode } from '../verify/extract-code.js';
import { verdictOf, type FactRole } from '../verify/fact-check.js';
import { opinionOf } from '../verify/math.js';
import type { Completion } from './teacher.js';

/** A reply to a solution. */
export interface Reply extends Completion {
  /** Final answer of the solution. */
  readonly answer: string;
  /** The right one, where it is known. */
  readonly gold: string | undefined;
}

export type Drop =
  | 'cut off'
  | 'no program'
  | 'program did not run'
  | 'program printed no verdict'
  | 'no verdict'
  | 'disagrees with the answer';

/** @returns why it is dropped, or null to keep it */
export type Filter = (reply: Reply, signal: AbortSignal) => Promise<Drop | null>;

/** Where nobody can say whether the answer is right, nothing agrees with it. */
async function agreement({ answer, gold }: Reply, verdict: boolean, signal: AbortSignal): Promise<Drop | null> {
  if (gold === undefined) return null;
  return (await grade(gold, answer, { kind: 'math', signal })).equal === verdict ? null : 'disagrees with the answer';
}

/** A program must run, print exactly True or False, and be right about the solution. */
export const programFilter =
  (sandbox: ProgramRunner, timeoutMs: number): Filter =>
  async (reply, signal) => {
    if (!reply.complete) return 'cut off';
    const code = extractCode(reply.text);
    if (code === null) return 'no program';
    const { status, stdout } = await sandbox.run({ code, timeoutMs, signal });
    if (status !== 'ok') return 'program did not run';
    const opinion = opinionOf({ status, stdout });
    return opinion === 'unknown' ? 'program printed no verdict' : agreement(reply, opinion === 'pass', signal);
  };

/** A judgement must come to its verdict and be right about the solution. */
export const rationaleFilter =
  (role: Pick<FactRole, 'ask' | 'good' | 'bad'>): Filter =>
  async (reply, signal) => {
    if (!reply.complete) return 'cut off';
    const verdict = verdictOf(reply.text, role);
    return verdict === 'unknown' ? 'no verdict' : agreement(reply, verdict === 'pass', signal);
  };
