/**
 * What an adaptive budget decides by: a policy is told what is known of a problem and says which piece of work comes next. The same
 * function can spend a live budget and be played over recorded pools (`simulate-policy.ts`).
 */
import type { Opinion } from '../types.js';

/** A candidate as far as it is known. */
export interface KnownCandidate {
  /** Place in the order of sampling, from 0. */
  readonly index: number;
  /** `index` of the first candidate with the same answer; null without an answer. */
  readonly group: number | null;
  /** What the tool has said, look by look (program by program); further looks may add to it. */
  readonly opinions: readonly Opinion[];
  readonly opinionsLeft: number;
  /** Null: there is nothing to score; undefined: not asked. */
  readonly reward: number | null | undefined;
  /** Looks of the reward so far, and those left. */
  readonly judgements: number;
  readonly judgementsLeft: number;
}

/** [candidates] in the order of sampling. */
export type Known = readonly KnownCandidate[];

/** One more piece of work; `candidate` of the last two is an index among the known ones. */
export type Work =
  | { readonly kind: 'candidate' }
  | { readonly kind: 'opinion'; readonly candidate: number }
  | { readonly kind: 'judgement'; readonly candidate: number };

export type WorkKind = Work['kind'];

/** Nothing more is asked. `confidence`: the stated probability that the whole budget would give the same answer, 0…1. */
export interface Stop {
  readonly kind: 'stop';
  readonly confidence: number;
}

export interface Seen {
  readonly known: Known;
  /** Candidates that may still be sampled. */
  readonly candidatesLeft: number;
  /** What each kind of work has taken so far in this problem: generated tokens, 0 where nobody counted. */
  readonly spent: Readonly<Record<WorkKind, { readonly pieces: number; readonly tokens: number }>>;
  /** What the strategy would choose now: the group of the answer, null for none, and whether the fallback would choose it. */
  readonly chosen: () => { readonly group: number | null; readonly byFallback: boolean };
}

/** Asked again after every piece of work, until it stops or nothing is left to do. */
export type Policy = (seen: Seen) => Work | Stop;
