/** What a budget spends: pieces of work on one problem, each a stage of the pipeline with its inputs filled in. */
import type { Selector } from '../select/selector.js';
import type { Candidate, Opinion, Reward, ToolVerdict } from '../types.js';
import type { Rule } from '../verify/opinion-rules.js';

export interface Stages {
  /**
   * Samples these candidates, in one job of the engine.
   *
   * @param indices sample indices, 0 ≤ index < plan.candidates
   * @param onCandidate told of each as soon as it is done
   * @returns [indices] candidates
   */
  sample(
    indices: readonly number[],
    signal: AbortSignal,
    onCandidate?: (candidate: Candidate) => void,
  ): Promise<Candidate[]>;
  /** @param opinions of each candidate, in all: those of an earlier call are not asked for again */
  verify(candidates: readonly Candidate[], opinions: number, signal: AbortSignal): Promise<ToolVerdict[]>;
  /** @param judgements of each candidate, in all, as above */
  reward(candidates: readonly Candidate[], judgements: number, signal: AbortSignal): Promise<Reward[]>;
  /** Tells listeners what is known of a candidate without asking: the same was asked about another one. */
  tell(judged: JudgedCandidate): void;
  /** What the tool said of a candidate, look by look. */
  opinionsOf(tool: ToolVerdict): readonly Opinion[];
}

/** The whole budget of one problem, and what is made of what it gives. */
export interface Plan {
  /** N */
  readonly candidates: number;
  /** Looks of the tool at a candidate, k programs for example, and what they come to. */
  readonly opinions: number;
  readonly rule: Rule;
  /** Looks of the reward at a candidate: rationales, or 1. */
  readonly judgements: number;
  /** How the answer is chosen, and how where this needs a candidate that passes and none does; null abstains. */
  readonly strategy: Selector;
  readonly otherwise: Selector | null;
  /** What a candidate counts as of which the tool says nothing. */
  readonly unknown: 'fail' | 'pass';
  /** How sure an adaptive budget must be that the whole budget would give the same answer, ½…1. */
  readonly confidence: number;
  /** One job at a time: the engine is to compute the same job for the same inputs. */
  readonly reproducible: boolean;
}

/** A candidate with what was found out about it. */
export interface JudgedCandidate {
  readonly candidate: Candidate;
  /** Absent: the tool was not asked. */
  readonly tool?: ToolVerdict | undefined;
  /** Absent: nobody asked for it. */
  readonly reward?: Reward | undefined;
}
