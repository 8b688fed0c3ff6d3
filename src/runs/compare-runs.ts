/** Two runs on the same problems: is one better than the other, and on which problems? */
import { T1Error } from '../errors.js';
import { message, remedy } from '../message.js';
import { selectors, type SelectorName } from '../select/select.js';
import { meanOf, pairedBootstrap, type Comparison } from '../statistics/bootstrap.js';
import type { RunRecord, SolvedRecord } from './record.js';
import type { RunManifest } from './run-file.js';
import { byBoth, chosenIsRight, isPartialDecision, whyLeftOut } from './run-summary.js';

export interface ComparedRun {
  readonly manifest: RunManifest;
  readonly records: readonly RunRecord[];
}

/** A minus B, paired over problems, with 95 % interval. */
export interface RunDifference extends Comparison {
  readonly a: number;
  readonly b: number;
}

export interface StrategyDifference extends RunDifference {
  /**
   * Records of A and of B in which something was skipped that the strategy looks at: there it chose with what there is.
   */
  readonly partial: { readonly a: number; readonly b: number };
}

export interface RunComparison {
  /** Solved, or judged, in both runs. */
  readonly problems: number;
  /** As the runs answered: problems that both answer rightly, and ids of those that one answers rightly more often. */
  readonly both: number;
  readonly onlyA: readonly string[];
  readonly onlyB: readonly string[];
  readonly asRun: RunDifference;
  /** What each strategy makes of the candidates of either run; those that need what one run has not are left out. */
  readonly strategies: Readonly<Partial<Record<SelectorName, StrategyDifference>>>;
  readonly leftOut: Readonly<Partial<Record<SelectorName, string>>>;
}

/** @throws T1Error RUN_MISMATCH when the runs have other data, or no problem in common */
export function compareRuns(a: ComparedRun, b: ComparedRun): RunComparison {
  const [one, other] = [a.manifest.task, b.manifest.task];
  if (one.name !== other.name || one.sha256 !== other.sha256) {
    throw new T1Error(
      'RUN_MISMATCH',
      `the runs are on other problems (${one.name} and ${other.name}, data ${one.sha256.slice(0, 8)} and ${other.sha256.slice(0, 8)}): compare runs of the same data`,
    );
  }
  const answered = ({ records }: ComparedRun) => records.filter((record) => record.outcome !== 'failed');
  const [ids, rightA, rightB] = paired(answered(a), answered(b), isRight);
  if (ids.length === 0)
    throw new T1Error(
      'RUN_MISMATCH',
      message`the runs have no problem in common: ${remedy('goOn', 'go on with them until they have')}`,
    );
  const solved = ({ records }: ComparedRun) => records.filter((record) => record.outcome === 'solved');
  const [solvedA, solvedB] = [solved(a), solved(b)];
  const names = solvedA.length > 0 && solvedB.length > 0 ? (Object.keys(selectors) as SelectorName[]) : [];
  const missing = (name: SelectorName): string | undefined => {
    const [ofA, ofB] = [whyLeftOut(solvedA, name), whyLeftOut(solvedB, name)];
    return ofA ? `of A ${ofA}` : ofB && `of B ${ofB}`;
  };
  const byStrategy = names.flatMap((name) => {
    if (missing(name) !== undefined) return [];
    const right = ({ candidates }: SolvedRecord): boolean => chosenIsRight(candidates, name);
    const [, valuesA, valuesB] = paired(solvedA, solvedB, right);
    const partial = { a: partialChoices(solvedA, name), b: partialChoices(solvedB, name) };
    return [[name, { ...differenceOf(valuesA, valuesB), partial }] as const];
  });
  return {
    problems: ids.length,
    both: ids.filter((_, i) => rightA[i] === 1 && rightB[i] === 1).length,
    onlyA: ids.filter((_, i) => (rightA[i] ?? 0) > (rightB[i] ?? 0)),
    onlyB: ids.filter((_, i) => (rightB[i] ?? 0) > (rightA[i] ?? 0)),
    asRun: differenceOf(rightA, rightB),
    strategies: Object.fromEntries(byStrategy),
    leftOut: Object.fromEntries(names.flatMap((name) => (missing(name) === undefined ? [] : [[name, missing(name)]]))),
  };
}

const partialChoices = (records: readonly SolvedRecord[], name: SelectorName): number =>
  records.filter(({ candidates }) => isPartialDecision(candidates, name)).length;

type Answered = Exclude<RunRecord, { outcome: 'failed' }>;

const isRight = (record: Answered): boolean =>
  record.outcome === 'claim' ? byBoth(record) === (record.gold === 'True') : record.correct === true;

const differenceOf = (a: Float64Array, b: Float64Array): RunDifference => ({
  a: meanOf(a),
  b: meanOf(b),
  ...pairedBootstrap(a, b, { problems: a.length, seeds: 1 }),
});

/** Over the problems of both: their ids, and [problems] the share of seeds that are right in either run. */
function paired<Record extends Answered>(
  a: readonly Record[],
  b: readonly Record[],
  right: (record: Record) => boolean,
): [string[], Float64Array, Float64Array] {
  const [one, other] = [sharesOf(a, right), sharesOf(b, right)];
  const ids = [...one.keys()].filter((id) => other.has(id));
  const values = (shares: ReadonlyMap<string, number>): Float64Array =>
    Float64Array.from(ids, (id) => shares.get(id) ?? 0);
  return [ids, values(one), values(other)];
}

function sharesOf<Record extends Answered>(
  records: readonly Record[],
  right: (record: Record) => boolean,
): Map<string, number> {
  const counts = new Map<string, { right: number; of: number }>();
  for (const record of records) {
    const count = counts.get(record.id) ?? { right: 0, of: 0 };
    counts.set(record.id, { right: count.right + Number(right(record)), of: count.of + 1 });
  }
  return new Map([...counts].map(([id, count]) => [id, count.right / count.of]));
}
