/** Every setting of a solve: one schema for library and command line. Paper: arXiv 2504.04718. */
import { z } from 'zod';
import { T1Error } from './errors.js';
import { aggregation } from './reward/entry.js';
import { rewardModels, type RewardName } from './reward/reward.js';
import { selectors } from './select/select.js';
import { rules } from './verify/opinion-rules.js';
import type { Tool } from './verify/tool.js';
import { verifiers, type Verifier } from './verify/verify.js';

/** The engine takes any number, 256 at a time; more than this is a slip of the keyboard. */
export const MAX_SAMPLES = 65_536;

const keysOf = <T extends object>(map: T) => z.enum(Object.keys(map) as [keyof T & string, ...(keyof T & string)[]]);

export const solveOptions = z.strictObject({
  /** N: candidates to sample. */
  samples: z.int().min(1).max(MAX_SAMPLES).default(16),
  /** `adaptive` stops when the answer that leads is settled; see `confidence`. */
  budget: z.enum(['fixed', 'adaptive']).default('fixed'),
  /** With which an adaptive budget takes the leader for the winner; 1 stops only when it cannot be overtaken at all. */
  confidence: z.number().min(0.5).max(1).default(0.95),
  /** Sample i uses a seed mixed from this and i. */
  seed: z.int().min(0).max(0xffff_ffff).default(0),
  /** Of the candidates; the paper's 0.8. */
  temperature: z.number().min(0).max(100).default(0.8),
  /** 0 keeps the whole vocabulary. */
  topK: z.int().min(0).max(1_000_000).default(0),
  /** 1 is off. */
  topP: z.number().gt(0).max(1).default(1),
  /** 0 is off. */
  minP: z.number().min(0).max(1).default(0),
  /** Most new tokens of a candidate; the profile's when absent. */
  maxTokens: z.int().min(1).max(1_000_000).optional(),
  /** k: checking programs for each candidate; the profile's when absent (paper: 4). */
  programs: z.int().min(1).max(64).optional(),
  /** Time limit of one program, milliseconds. */
  programTimeoutMs: z.int().min(1).max(600_000).default(2000),
  /** A built-in one, or a tool of your own. */
  verifier: z
    .union([
      keysOf(verifiers),
      z.custom<Tool>((value) => typeof value === 'object' && value !== null && 'verify' in value),
    ])
    .default('math'),
  /** When a solution's programs say that it passes; the paper's `any`. */
  programRule: keysOf(rules).default('any'),
  /** Knowledge index that solutions are checked against: its name, or a path. */
  index: z.string().min(1).default('factbook'),
  /** Passages for each solution; the paper's 3. */
  passages: z.int().min(1).max(100).default(3),
  /** BM25 of the search; the index's defaults when absent. */
  bm25: z.strictObject({ k1: z.number().min(0).optional(), b: z.number().min(0).max(1).optional() }).default({}),
  /** m: fact checks for each candidate; the profile's when absent (paper: 4). */
  checks: z.int().min(1).max(64).optional(),
  /** When they say that a solution passes; the paper's `all`. */
  checkRule: keysOf(rules).default('all'),
  /** What a candidate counts as of which the tool says nothing; the paper's `fail`. */
  unknown: z.enum(['fail', 'pass']).default('fail'),
  /** `auto`: what the reward model was made for, else yes-no. */
  reward: z.enum(['auto', ...keysOf(rewardModels).options]).default('auto'),
  /** File that says what the reward model is asked, and where its answer is read; by the model's name when absent. */
  rewardEntry: z.string().min(1).optional(),
  /** How step scores become one; the reward model's when absent (paper: last). */
  aggregation: aggregation.optional(),
  /** Rationales for each candidate, where the reward is read from some; the profile's when absent (paper: 8). */
  rationales: z.int().min(1).max(256).optional(),
  /** What a rationale counts: P(Yes) at its verdict (paper, eq. 2), or 1 or 0. */
  rationaleScore: z.enum(['probability', 'vote']).default('probability'),
  select: keysOf(selectors).default('weighted'),
  /** What decides when no candidate passes the tool (unstated in the paper). */
  fallback: z.enum(['reward', 'majority', 'abstain']).default('reward'),
  /** Name of the engine's adapter that writes the checking programs; the base model when absent. */
  adapterTool: z.string().min(1).optional(),
  /** Name of the adapter that the reward is read from, of the engine that the reward asks; the base model when absent. */
  adapterReward: z.string().min(1).optional(),
});

export type SolveOptions = z.output<typeof solveOptions>;
/** With nothing left to be found out. */
export type PipelineOptions = Omit<SolveOptions, 'verifier' | 'reward'> & {
  readonly verifier: Verifier;
  readonly reward: RewardName;
};
export type SolveSettings = z.input<typeof solveOptions>;

/**
 * @param nameOf how the caller calls a setting, for messages (the command line: its flags)
 * @throws T1Error USAGE that names the setting and what it may be
 */
export function parseOptions(
  settings: { readonly [Name in keyof SolveSettings]: unknown },
  nameOf: (setting: string) => string = (setting) => setting,
): SolveOptions {
  const parsed = solveOptions.safeParse(settings);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const name = nameOf(String(issue?.path[0] ?? 'settings'));
  throw new T1Error('USAGE', `${name}: ${issue?.message ?? 'not usable'}`);
}
