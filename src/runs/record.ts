/** What a run keeps of each problem: enough for every table and page, without the model. */
import { z } from 'zod';
import { errorKind, errorKinds } from './error-kind.js';
import type { SolveResult } from '../types.js';
import type { TaskProblem } from '../task/task-problems.js';

const opinion = z.enum(['pass', 'fail', 'unknown']);
/** Not asked, since the answer was settled without it; records of 0.1.0 have none. */
const skipped = z.literal('skipped');

const candidate = z.object({
  index: z.int(),
  text: z.string(),
  finish: z.enum(['eog', 'stop', 'length']),
  answer: z.string().nullable(),
  /** Index of the first candidate with the same answer; null without one. */
  group: z.int().nullable(),
  /** Of what is not right. */
  kind: z.enum(errorKinds).optional(),
  /** Null when nobody could decide whether it equals the right answer. */
  correct: z.boolean().nullable(),
  /** Null where there was nothing to score. */
  reward: z.union([z.number().nullable(), skipped]),
  weight: z.number(),
  /** Generated: of the candidate, of its verifier and of its reward. */
  tokens: z.int(),
  toolTokens: z.int(),
  rewardTokens: z.int(),
  tool: z.object({
    verdict: z.union([opinion, skipped]),
    programs: z.array(z.looseObject({ code: z.string().nullable(), status: z.string(), stdout: z.string() })),
    steps: z.array(z.looseObject({ step: z.string(), holds: z.boolean(), value: z.string() })).optional(),
    passages: z
      .array(z.object({ id: z.string(), title: z.string().nullable(), text: z.string(), score: z.number() }))
      .optional(),
    checks: z.array(z.object({ text: z.string(), verdict: opinion })).optional(),
    note: z.string().optional(),
  }),
  rationales: z.array(z.object({ text: z.string(), score: z.number().nullable() })).optional(),
  stepScores: z.array(z.object({ text: z.string(), score: z.number() })).optional(),
});

const problem = {
  id: z.string(),
  seed: z.int(),
  problem: z.string(),
  gold: z.string(),
  category: z.string().optional(),
  level: z.string().optional(),
};

export const recordSchema = z.discriminatedUnion('outcome', [
  z.object({
    ...problem,
    outcome: z.literal('solved'),
    /** Of the strategy that the run was asked for. */
    answer: z.string().nullable(),
    correct: z.boolean().nullable(),
    verified: z.boolean(),
    chosen: z.int().nullable(),
    candidates: z.array(candidate),
    /** One more, with temperature 0; no strategy chooses it. */
    greedy: z.object({ answer: z.string().nullable(), correct: z.boolean().nullable() }),
    /** Milliseconds from the first prompt token to the answer; others ran beside it. */
    milliseconds: z.number(),
  }),
  z.object({ ...problem, outcome: z.literal('failed'), code: z.string(), message: z.string() }),
  z.object({
    ...problem,
    outcome: z.literal('claim'),
    /** Whether the claim holds; null when it was not said. */
    byThinking: z.boolean().nullable(),
    byProgram: z.boolean().nullable(),
    thought: z.string(),
    program: z.string(),
    printed: z.string(),
    tokens: z.int(),
    toolTokens: z.int(),
  }),
]);

/** A problem of a run with several seeds has a record for each. */
export const recordKey = ({ id, seed }: { readonly id: string; readonly seed: number }): string => `${id}#${seed}`;

export type RunRecord = z.output<typeof recordSchema>;
export type ClaimRecord = Extract<RunRecord, { outcome: 'claim' }>;
export type SolvedRecord = Extract<RunRecord, { outcome: 'solved' }>;

/**
 * @returns tokens that the whole of it takes, whether they were generated for it or came from the cache: solutions that
 *   are written alike have their checks once. 0 where no problem was solved
 */
export function tokensOfRecord(record: RunRecord): number {
  if (record.outcome !== 'solved') return 0;
  return tokensOfCandidates(record).reduce((sum, each) => sum + each.candidate + each.checks, 0);
}

/** @returns [candidates] tokens of each and of its checks and reward; 0 for the latter where one before is written alike */
export function tokensOfCandidates({ candidates }: SolvedRecord): { candidate: number; checks: number }[] {
  const texts = new Set<string>();
  return candidates.map(({ text, tokens, toolTokens, rewardTokens }) => {
    const again = texts.has(text);
    texts.add(text);
    return { candidate: tokens, checks: again ? 0 : toolTokens + rewardTokens };
  });
}

/** @param equal [distinct answers] whether each equals the right one */
export function solvedRecord(
  task: TaskProblem,
  seed: number,
  result: SolveResult,
  greedy: string | null,
  equal: ReadonlyMap<string, boolean | null>,
): SolvedRecord {
  const judged = (answer: string | null): boolean | null => (answer === null ? false : (equal.get(answer) ?? null));
  return recordSchema.parse({
    id: task.id,
    seed,
    problem: task.problem,
    gold: task.gold,
    category: task.category,
    level: task.level,
    outcome: 'solved',
    answer: result.answer,
    correct: judged(result.answer),
    verified: result.verified,
    chosen: result.chosen,
    greedy: { answer: greedy, correct: judged(greedy) },
    candidates: result.candidates.map(({ generatedTokens, tool, rewardTokens, ...rest }) => ({
      ...rest,
      tool,
      correct: judged(rest.answer),
      kind: judged(rest.answer) === true ? undefined : errorKind(rest),
      tokens: generatedTokens,
      toolTokens: tool.tokens ?? 0,
      rewardTokens: rewardTokens ?? 0,
    })),
    milliseconds: result.timing.total,
  }) as SolvedRecord;
}
