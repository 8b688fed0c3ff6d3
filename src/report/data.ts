/**
 * From records to what a page shows: a short row for every problem, and all of one problem where somebody looks at it.
 */
import type { ClaimRecord, RunRecord, SolvedRecord } from '../runs/record.js';
import { byBoth, decisionOf, isPartialDecision } from '../runs/run-summary.js';
import { strategyTitles } from '../statistics/strategies.js';
import { selectors, type SelectorName } from '../select/select.js';
import type { Selector } from '../select/selector.js';
import { voteOn, type Combine } from '../select/vote.js';

/** How pages call what can be right or wrong of a problem, in the order of the tables. */
const { weighted, majority, reward, 'best-of-n': bestOfN, tool, oracle } = strategyTitles;
export const STRATEGIES = { weighted, majority, reward, 'best-of-n': bestOfN, tool, oracle } as const satisfies Record<
  SelectorName | 'oracle',
  string
>;
export const JUDGES = { thinking: 'by thinking', program: 'by program', both: 'by both' } as const;

/** A line of the table of problems. Names are short because there are many. */
export interface Row {
  readonly id: string;
  readonly text: string;
  readonly gold: string;
  readonly category: string;
  readonly level: string;
  readonly outcome: RunRecord['outcome'];
  /** Of the strategy that the run was asked for; null where there is none. */
  readonly answer: string | null;
  /** [strategies] 1 where it is right; null where nobody could say. */
  readonly right: Readonly<Record<string, 0 | 1 | null>>;
  /** Share of candidates that are right. */
  readonly share: number | null;
  readonly note: string;
}

/** Candidates that give the same answer, and what they come to. */
export interface AnswerTally {
  readonly answer: string;
  readonly right: boolean | null;
  /** Their weights together, or the heaviest of them. */
  readonly total: number;
  /** Indices of those that count. */
  readonly candidates: readonly number[];
  /** It is the one that was chosen. */
  readonly decided: boolean;
}

/** How a strategy decided. */
export interface Decision {
  readonly name: string;
  readonly answer: string | null;
  readonly chosen: number | null;
  readonly right: boolean | null;
  readonly fallback: string | null;
  /** Something was skipped that the strategy looks at: it chose with what there is. */
  readonly partial: boolean;
  readonly combine: Combine;
  /** [candidates] */
  readonly weights: readonly number[];
  /** The heaviest first; of two alike, the one that was chosen. */
  readonly tallies: readonly AnswerTally[];
}

/** All of one problem. */
export interface ProblemData {
  readonly record: RunRecord;
  /** As the run decided, then every strategy. */
  readonly decisions: readonly Decision[];
}

type Pool = SolvedRecord['candidates'];
/** What a run was asked for; only what of it decides is looked at. */
type Configuration = Readonly<Partial<Record<'select' | 'fallback' | 'unknown', unknown>>>;

export function rowOf(record: RunRecord): Row {
  const { id, problem: text, gold, category = '', level = '', outcome } = record;
  const row = { id, text, gold, category, level, outcome, answer: null, right: {}, share: null, note: '' };
  switch (outcome) {
    case 'solved':
      return { ...row, answer: record.answer, right: rightOf(record.candidates), share: shareOf(record.candidates) };
    case 'claim':
      return { ...row, right: judgedRightly(record) };
    case 'failed':
      return { ...row, note: `${record.code}: ${record.message}` };
  }
}

const bit = (right: boolean | null): 0 | 1 | null => (right === null ? null : right ? 1 : 0);

function rightOf(pool: Pool): Row['right'] {
  const names = Object.keys(selectors) as SelectorName[];
  return {
    ...Object.fromEntries(names.map((name) => [name, bit(rightness(pool, decisionOf(pool, name).chosen))])),
    oracle: bit(pool.some(({ correct }) => correct === true)),
  };
}

const shareOf = (pool: Pool): number =>
  pool.filter(({ correct }) => correct === true).length / Math.max(1, pool.length);

/** Without an answer nothing is right. */
function rightness(pool: Pool, chosen: number | null): boolean | null {
  return chosen === null ? false : (pool.find(({ index }) => index === chosen)?.correct ?? null);
}

function judgedRightly(claim: ClaimRecord): Row['right'] {
  const holds = claim.gold === 'True';
  return {
    thinking: bit(claim.byThinking === holds),
    program: bit(claim.byProgram === holds),
    both: bit(byBoth(claim) === holds),
  };
}

/** @param configuration of the run: says by which strategy it answered */
export function problemOf(record: RunRecord, configuration: Configuration): ProblemData {
  if (record.outcome !== 'solved') return { record, decisions: [] };
  const names = Object.keys(STRATEGIES).filter((name): name is SelectorName => name !== 'oracle');
  return {
    record,
    decisions: [asRun(record, configuration), ...names.map((name) => decisionBy(record.candidates, name))],
  };
}

/** With the weights that were recorded, whatever fallback the run was asked for. */
function asRun(
  { candidates, answer, chosen, correct }: SolvedRecord,
  { select = 'weighted', fallback, unknown }: Configuration,
): Decision {
  const name = String(select) as SelectorName;
  const strategy: Selector = selectors[name] ?? selectors.weighted;
  const passes = candidates.some(
    (each) =>
      each.answer !== null && (each.tool.verdict === 'pass' || (unknown === 'pass' && each.tool.verdict === 'unknown')),
  );
  const steppingIn = fallback === 'majority' || fallback === 'abstain' ? fallback : 'reward';
  const fellBack = strategy.needsPass && !passes ? steppingIn : null;
  const { combine } = fellBack === 'majority' ? selectors.majority : strategy;
  const weights = candidates.map(({ weight }) => weight);
  return {
    name: 'as run',
    answer,
    chosen,
    right: correct,
    fallback: fellBack,
    partial: isPartialDecision(
      candidates,
      selectors[name] ? name : 'weighted',
      steppingIn,
      unknown === 'pass' ? 'pass' : 'fail',
    ),
    combine,
    weights,
    tallies: talliesOf(candidates, weights, combine, chosen),
  };
}

function decisionBy(pool: Pool, name: SelectorName): Decision {
  const { answer, chosen, weights, fallback } = decisionOf(pool, name);
  const { combine } = fallback === 'majority' ? selectors.majority : selectors[name];
  return {
    name: STRATEGIES[name],
    answer,
    chosen,
    right: rightness(pool, chosen),
    fallback,
    partial: isPartialDecision(pool, name),
    combine,
    weights,
    tallies: talliesOf(pool, weights, combine, chosen),
  };
}

function talliesOf(pool: Pool, weights: readonly number[], combine: Combine, decided: number | null): AnswerTally[] {
  const chosen = pool.find(({ index }) => index === decided)?.group;
  const ballots = pool.map(({ answer, group }, i) =>
    answer === null || group === null ? null : { group, weight: weights[i] ?? 0 },
  );
  return voteOn(ballots, combine)
    .answers.map(({ group, weight, places }): AnswerTally => {
      const own = places.flatMap((place) => pool[place] ?? []);
      return {
        answer: own[0]?.answer ?? '',
        right: own[0]?.correct ?? null,
        total: weight,
        candidates: own.filter((_, i) => (weights[places[i] ?? -1] ?? 0) > 0).map(({ index }) => index),
        decided: group === chosen,
      };
    })
    .sort((a, b) => b.total - a.total || Number(b.decided) - Number(a.decided));
}

/** What figures are made of: without the solutions and programs, a hundred megabytes of a large run. */
export function withoutTexts(record: RunRecord): RunRecord {
  if (record.outcome !== 'solved') return record;
  const candidates = record.candidates.map(
    ({
      index,
      finish,
      answer,
      group,
      kind,
      correct,
      reward,
      weight,
      tokens,
      toolTokens,
      rewardTokens,
      tool: { verdict },
    }) => ({
      ...{ index, finish, answer, group, kind, correct, reward, weight, tokens, toolTokens, rewardTokens },
      text: '',
      tool: { verdict, programs: [] },
    }),
  );
  return { ...record, candidates };
}
