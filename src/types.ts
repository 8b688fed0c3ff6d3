/** What travels through the pipeline, in the order in which it comes to be. */
import type { Sample, Usage } from './engine/engine-types.js';
import type { ProgramStatus } from './sandbox/sandbox.js';

/** One sampled solution; `index` is its sample index, from 0. */
export interface Candidate extends Omit<Sample, 'prompt'> {
  /** Final answer as written; null when the solution has none. */
  readonly answer: string | null;
}

/** A sample as it is remembered; `index` is its place among those of its prompt. */
export type StoredSample = Omit<Sample, 'prompt' | 'top'>;

/** What one look of a tool says. A tool that crashed is `unknown`, never `fail`. */
export const OPINIONS = ['pass', 'fail', 'unknown'] as const;
export type Opinion = (typeof OPINIONS)[number];
/** `skipped`: the tool was not asked, since the answer was settled without it; never to be taken for `unknown`. */
export type Verdict = Opinion | 'skipped';

/** One checking program and what came of it. */
export interface ProgramRun {
  /** Source that ran; null when the model wrote no program. */
  readonly code: string | null;
  readonly status: ProgramStatus | 'missing';
  readonly stdout: string;
  /** Wall time of the program alone, milliseconds; 0 when nothing ran. */
  readonly ms: number;
  /** Name of the module whose absence ended it. */
  readonly missingModule?: string | undefined;
}

/** A passage that the retriever found for a candidate. */
export interface FoundPassage {
  readonly id: string;
  readonly title: string | null;
  readonly text: string;
  /** BM25; higher is better. */
  readonly score: number;
}

/** A judgement of the model on a solution, given passages. */
export interface FactCheck {
  readonly text: string;
  /** `unknown` when it never came to one. */
  readonly verdict: Opinion;
}

export interface StatedStep {
  /** As it was read, for example "12 * 20 = 240". */
  readonly step: string;
  readonly holds: boolean;
  /** What the left side comes to. */
  readonly value: string;
}

/** What the tool says of a candidate. A tool that crashed is `unknown`, never `fail`. */
export interface ToolVerdict {
  readonly verdict: Verdict;
  readonly programs: readonly ProgramRun[];
  /** Calculations that the solution states, where the verifier looked for them. */
  readonly steps?: readonly StatedStep[] | undefined;
  /** What was looked up, and the judgements that it led to. */
  readonly passages?: readonly FoundPassage[] | undefined;
  readonly checks?: readonly FactCheck[] | undefined;
  /** Generated to find this out. */
  readonly tokens?: number | undefined;
  /** Why, in a line, from a tool of the user's own. */
  readonly note?: string | undefined;
}

/** A written judgement, and what it came to. */
export interface Rationale {
  readonly text: string;
  /** P(Yes), or the vote; null when it never came to its verdict. */
  readonly score: number | null;
}

/** A step of a solution, and what a process reward model thinks of the solution up to there. */
export interface StepScore {
  readonly text: string;
  /** 0…1 */
  readonly score: number;
}

/** How good a candidate looks. */
export interface Reward {
  /**
   * 0…1; null where there is nothing to score (no answer, it does not fit the context, no rationale came to a verdict).
   */
  readonly score: number | null;
  readonly rationales?: readonly Rationale[] | undefined;
  readonly steps?: readonly StepScore[] | undefined;
  /** Generated for it. */
  readonly tokens?: number | undefined;
}

/** A candidate with everything the selection may use. */
export interface ScoredCandidate extends Candidate {
  /** Index of the first candidate that gives the same answer, however it is written; null without an answer. */
  readonly group: number | null;
  readonly tool: ToolVerdict;
  /** The reward's score, 0…1; null where there is nothing to score; `skipped` where it was not asked for. */
  readonly reward: number | null | 'skipped';
  /** What the score was read from: judgements in words, or scores of the steps. */
  readonly rationales?: readonly Rationale[] | undefined;
  readonly stepScores?: readonly StepScore[] | undefined;
  readonly rewardTokens?: number | undefined;
}

export type Fallback = 'reward' | 'majority' | 'abstain';

/** What was chosen and why. */
export interface Selection {
  /** As the chosen candidate wrote it; null when nothing could be chosen. */
  readonly answer: string | null;
  /** Index of the candidate that stands for the answer. */
  readonly chosen: number | null;
  /** True when a candidate with this answer passed the tool. */
  readonly verified: boolean;
  /** The policy that stepped in because no candidate passed; null when none had to. */
  readonly fallback: Fallback | null;
  /** [candidates] what each contributed. */
  readonly weights: readonly number[];
}

export interface CacheCounts {
  readonly hits: number;
  readonly misses: number;
}

export type StageName = 'load' | 'sample' | 'verify' | 'reward' | 'select';
/** Milliseconds of wall time. */
export type Timing = Readonly<Record<StageName | 'total', number>>;

/** Programs that ended because a module is not there, by its name: what they would have said is not known. */
export type MissingModules = Readonly<Record<string, number>>;

/** Of `SolveResult`; `resultSchema` describes it. */
export const RESULT_VERSION = 1;

/** The whole result; the command line prints it as JSON. */
export interface SolveResult {
  readonly version: typeof RESULT_VERSION;
  readonly problem: string;
  readonly answer: string | null;
  readonly verified: boolean;
  readonly select: string;
  readonly fallback: Fallback | null;
  readonly chosen: number | null;
  readonly candidates: readonly (Omit<ScoredCandidate, 'tokens' | 'logprobs'> & {
    readonly weight: number;
    readonly generatedTokens: number;
  })[];
  /** Programs that were lost because the sandbox does not have a module, by its name. */
  readonly missingModules: MissingModules;
  /** Tokens of all stages, those of a reward model included. */
  readonly usage: Usage;
  readonly cache: CacheCounts;
  readonly timing: Timing;
}

/** What a caller can show while a problem is being solved. */
export type SolveEvent =
  | { readonly type: 'candidate'; readonly candidate: Candidate }
  | { readonly type: 'verdict'; readonly index: number; readonly tool: ToolVerdict }
  | { readonly type: 'score'; readonly index: number; readonly reward: number | null }
  | {
      readonly type: 'progress';
      readonly stage: StageName;
      readonly finished: number;
      readonly total: number;
      readonly generatedTokens: number;
    }
  /** Something worth a line, such as an index that is made at its first use. */
  | { readonly type: 'note'; readonly note: string }
  | { readonly type: 'answer'; readonly result: SolveResult };
