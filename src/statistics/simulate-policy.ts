/**
 * A policy played over recorded pools, down to single looks of the tool: what it would have asked, what it would have
 * answered, and how often that is the answer of the whole budget. Candidates come in random orders, and so do the looks
 * at each.
 */
import type { Work } from '../budget/work.js';
import type { KnownCandidate } from '../budget/known.js';
import type { Policy, Seen, WorkKind } from '../budget/policy.js';
import { T1Error } from '../errors.js';
import { fallbackSelector, select, selectors, type SelectorName } from '../select/select.js';
import type { Fallback, Opinion, ScoredCandidate, Verdict } from '../types.js';
import { judge, type Rule as OpinionRule } from '../verify/opinion-rules.js';
import {
  bootstrapMeans,
  bootstrapRatio,
  bootstrapShares,
  pairedBootstrap,
  type BootstrapOptions,
  type Comparison,
  type Estimate,
} from './bootstrap.js';
import type { PoolCandidate, PoolRun, Pools } from './pools.js';
import { Random } from '../numbers/random.js';
import { lacksSome, rulesOf, type Unknown } from './selector-arrays.js';
import { availableStrategies, fallbackFor, PLAYED_WHOLE } from './strategies.js';
import { shapeOf } from './summary.js';
import { Tally } from './tally.js';
import { Turn } from './turn.js';

export interface PolicyOptions extends BootstrapOptions {
  readonly strategy: SelectorName;
  /** Begins a play: a policy may remember what it saw. */
  readonly policy: () => Policy;
  /** Most candidates of a problem; the smallest pool when absent. */
  readonly maximum?: number | undefined;
  /** What the looks of the tool at a candidate come to: as in the run that recorded them; `any` when absent. */
  readonly rule?: OpinionRule | undefined;
  /** Random orders in which each pool is played; `pool` plays the order of sampling alone. */
  readonly orders?: number | 'pool' | undefined;
  readonly fallback?: Fallback | undefined;
  readonly unknown?: Unknown | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Means per problem. */
export interface PolicySide {
  readonly accuracy: Estimate;
  /** Pieces of work of each kind. */
  readonly work: Readonly<Record<WorkKind, Estimate>>;
  /** Generated for each kind of work; null where not every candidate says what it cost. */
  readonly tokens: Readonly<Record<WorkKind, Estimate>> | null;
}

/** Plays that stopped with such a confidence. */
export interface ConfidenceBin {
  /** Confidences of [from, to), the last bin with its end. */
  readonly from: number;
  readonly to: number;
  readonly plays: number;
  /** Null in an empty bin. */
  readonly meanConfidence: number | null;
  /** How many of them gave the answer of the whole budget, with its interval over problems. */
  readonly same: Estimate | null;
}

export interface PolicyResult {
  readonly adaptive: PolicySide;
  /** The same candidates, always all of them and all that can be asked. */
  readonly fixed: PolicySide;
  /** Accuracy of adaptive minus fixed, paired over problems. */
  readonly difference: Comparison;
  /** Share of problems in which the answer is not that of the fixed budget. */
  readonly differs: Estimate;
  /** Generated tokens, Σ adaptive / Σ fixed; null where they are not known. */
  readonly tokensRatio: Estimate | null;
  readonly calibration: readonly ConfidenceBin[];
  /** Share of plays in which the policy went on until everything was asked. */
  readonly exhausted: number;
}

const KINDS = ['candidate', 'opinion', 'judgement'] as const satisfies readonly WorkKind[];
/** Finer near 1, where policies stop. */
const EDGES = [0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975, 0.99, 1];

/**
 * @throws T1Error USAGE when the pool lacks what the strategy needs, or some of it was skipped, and for numbers out of
 *   range; INPUT when the recorded looks do not come to the recorded verdict by `rule`; INTERNAL when the policy asks
 *   for what is not there; ABORTED
 */
export async function simulatePolicy(pools: Pools, options: PolicyOptions): Promise<PolicyResult> {
  const settings = settingsOf(pools, options);
  const sums = emptySums(pools.runs.length);
  const tally = Tally.for(pools);
  const turn = new Turn(options.signal);
  for (const [r, run] of pools.runs.entries()) {
    const { strategy, policy, unknown = 'fail' } = options;
    const rules = rulesOf(run, strategy, settings.fallback, unknown);
    if (lacksSome(rules, run.group.length, 1))
      throw new T1Error('USAGE', `'${strategy}' cannot be played: ${PLAYED_WHOLE}`);
    const random = new Random(options.seed ?? 0, r);
    const order = Int32Array.from(run.group, (_, i) => i);
    const { id = '' } = pools.problems[r % pools.problems.length] ?? {};
    for (let each = 0; each < settings.orders; each++) {
      await turn.taken();
      if (settings.shuffled) random.shuffle(order);
      const candidates = [...order.subarray(0, settings.maximum)].map((i) => candidateOf(run, i, settings, id));
      if (settings.shuffled) for (const { opinions } of candidates) random.shuffle(opinions);
      const play = new Play(candidates, settings, { strategy, unknown });
      const confidence = play.through(policy());
      const [answer, whole] = [play.answer(), tally.winner(rules, run.group, order, settings.maximum)];
      record(sums.adaptive, r, play.spent, answer === 0);
      record(sums.fixed, r, wholeOf(candidates), whole === 0);
      add(sums.same, r, answer === whole ? 1 : 0);
      if (confidence === null) sums.exhausted++;
      else noteStop(sums.bins, r, confidence, answer === whole);
    }
  }
  return resultOf(pools, sums, settings, options);
}

/** Vectors are [seeds × problems], over all orders. */
interface Sums {
  readonly adaptive: Ledger;
  readonly fixed: Ledger;
  readonly same: Float64Array;
  readonly bins: readonly { confidence: number; readonly stops: Float64Array; readonly same: Float64Array }[];
  exhausted: number;
}

const emptySums = (runs: number): Sums => ({
  adaptive: emptyLedger(runs),
  fixed: emptyLedger(runs),
  same: new Float64Array(runs),
  bins: EDGES.slice(1).map(() => ({ confidence: 0, stops: new Float64Array(runs), same: new Float64Array(runs) })),
  exhausted: 0,
});

function noteStop(bins: Sums['bins'], r: number, confidence: number, same: boolean): void {
  const bin =
    confidence >= 0
      ? bins[
          Math.min(
            bins.length - 1,
            EDGES.findLastIndex((edge) => edge <= confidence),
          )
        ]
      : undefined;
  if (!bin || confidence > 1)
    throw new T1Error('INTERNAL', `a policy stopped with confidence ${confidence}: it is a probability`);
  bin.confidence += confidence;
  add(bin.stops, r, 1);
  add(bin.same, r, same ? 1 : 0);
}

function resultOf(pools: Pools, sums: Sums, { orders, counted }: Settings, options: PolicyOptions): PolicyResult {
  const shape = shapeOf(pools);
  const means = (values: Float64Array): Float64Array => values.map((sum) => sum / orders);
  const share = (values: Float64Array): Estimate => only(bootstrapShares([means(values)], shape, options));
  const amounts = (of: Readonly<Record<WorkKind, Float64Array>>): Record<WorkKind, Estimate> =>
    byKind((kind) => only(bootstrapMeans([means(of[kind])], shape, options)));
  const sideOf = ({ right, pieces, tokens }: Ledger): PolicySide => ({
    accuracy: share(right),
    work: amounts(pieces),
    tokens: counted ? amounts(tokens) : null,
  });
  const { adaptive, fixed, same, bins, exhausted } = sums;
  return {
    adaptive: sideOf(adaptive),
    fixed: sideOf(fixed),
    difference: pairedBootstrap(means(adaptive.right), means(fixed.right), shape, options),
    differs: share(same.map((count) => orders - count)),
    tokensRatio: counted ? bootstrapRatio(allTokens(adaptive), allTokens(fixed), shape, options) : null,
    calibration: bins.map((bin, i) => {
      const plays = bin.stops.reduce((sum, count) => sum + count, 0);
      return {
        from: EDGES[i] ?? NaN,
        to: EDGES[i + 1] ?? NaN,
        plays,
        meanConfidence: plays === 0 ? null : bin.confidence / plays,
        same: bootstrapRatio(bin.same, bin.stops, shape, options),
      };
    }),
    exhausted: exhausted / (orders * pools.runs.length),
  };
}

const only = ([estimate]: readonly Estimate[]): Estimate => {
  if (!estimate) throw new T1Error('INTERNAL', 'a figure without an estimate');
  return estimate;
};

const byKind = <Value>(of: (kind: WorkKind) => Value): Record<WorkKind, Value> => ({
  candidate: of('candidate'),
  opinion: of('opinion'),
  judgement: of('judgement'),
});

type Settings = ReturnType<typeof settingsOf>;

function settingsOf(
  pools: Pools,
  { strategy, maximum = pools.candidates, rule = 'any', orders = 20, fallback }: PolicyOptions,
) {
  const { leftOut } = availableStrategies(pools, [strategy]);
  if (leftOut[strategy] !== undefined)
    throw new T1Error('USAGE', `'${strategy}' cannot be played: ${leftOut[strategy]}`);
  const whole = (value: number, most: number): boolean => Number.isInteger(value) && value >= 1 && value <= most;
  if (!whole(maximum, pools.candidates))
    throw new T1Error('USAGE', `maximum: a whole number from 1 to ${pools.candidates}, the smallest pool`);
  if (orders !== 'pool' && !whole(orders, Infinity))
    throw new T1Error('USAGE', "orders: a whole number from 1, or 'pool'");
  const all = pools.runs.flatMap(({ candidates }) => candidates);
  const chosenFallback = fallbackFor(pools, fallback);
  // What neither the strategy nor its fallback looks at costs the fixed budget nothing either.
  const otherwise = selectors[strategy].needsPass ? fallbackSelector(selectors[strategy], chosenFallback) : null;
  const needs = [...selectors[strategy].needs, ...(otherwise?.needs ?? [])];
  return {
    maximum,
    rule,
    orders: orders === 'pool' ? 1 : orders,
    shuffled: orders !== 'pool',
    fallback: chosenFallback,
    usesTool: pools.has.tool && needs.includes('tool'),
    usesReward: pools.has.reward && needs.includes('reward'),
    /** Looks of the tool at each candidate: a policy is not told that of some there are fewer. */
    looks: all.reduce((most, { opinions }) => Math.max(most, opinions?.length ?? 0), 1),
    counted:
      pools.has.generatedTokens && (pools.has.verifierTokens || all.every((each) => each.toolTokens !== undefined)),
  };
}

/** One candidate of a play, with all that can be asked of it. */
interface Played {
  /** 0 for the right answer, −1 for none. */
  readonly group: number;
  /** In the order in which they are told; none without an answer. */
  readonly opinions: Opinion[];
  readonly reward: number | null;
  readonly asksReward: boolean;
  readonly tokens: Readonly<Record<WorkKind, number>>;
}

function candidateOf({ candidates, group }: PoolRun, i: number, settings: Settings, id: string): Played {
  const candidate = candidates[i];
  if (!candidate) throw new T1Error('INTERNAL', `problem '${id}' has no candidate ${i + 1}`);
  const answered = (group[i] ?? -1) >= 0;
  const { reward = null, generatedTokens = 0, verifierTokens = 0, toolTokens, rewardTokens = 0 } = candidate;
  const opinions = answered && settings.usesTool ? looksAt(candidate, settings.rule, id, i) : [];
  return {
    group: group[i] ?? -1,
    opinions,
    reward: typeof reward === 'number' ? reward : null,
    asksReward: answered && settings.usesReward,
    tokens: {
      candidate: generatedTokens,
      opinion: (toolTokens ?? verifierTokens - rewardTokens) / Math.max(1, opinions.length),
      judgement: rewardTokens,
    },
  };
}

/** Where only a verdict was recorded, it is the one look. */
function looksAt(
  { tool = 'unknown', opinions = [] }: PoolCandidate,
  rule: OpinionRule,
  id: string,
  i: number,
): Opinion[] {
  if (tool === 'skipped') throw new T1Error('INTERNAL', `problem '${id}': candidate ${i + 1} was not asked about`);
  if (opinions.length === 0) return [tool];
  const verdict = judge(opinions, rule);
  if (verdict === tool) return [...opinions];
  throw new T1Error(
    'INPUT',
    `problem '${id}': candidate ${i + 1} is recorded as '${tool}', and its looks come to '${verdict}' by the rule '${rule}': name the rule that it was recorded with`,
  );
}

/** One pool in one order, as a policy sees it piece by piece. */
class Play {
  readonly spent: Record<WorkKind, { pieces: number; tokens: number }> = byKind(() => ({ pieces: 0, tokens: 0 }));
  private readonly known: KnownCandidate[] = [];

  constructor(
    private readonly all: readonly Played[],
    private readonly settings: Settings,
    private readonly asked: { readonly strategy: SelectorName; readonly unknown: Unknown },
  ) {}

  /** @returns the confidence with which it stopped; null when everything was asked before */
  through(policy: Policy): number | null {
    const { known, spent, all } = this;
    const chosen = (): ReturnType<Seen['chosen']> => {
      const { place, byFallback } = this.choose();
      return { group: place === null ? null : (known[place]?.group ?? null), byFallback };
    };
    while (this.isOpen()) {
      const next = policy({ known, spent, chosen, candidatesLeft: all.length - known.length });
      if (next.kind === 'stop') return next.confidence;
      this.work(next);
    }
    return null;
  }

  /** @returns group of the pool, 0 for the right answer; −1 for none */
  answer(): number {
    const { place } = this.choose();
    return place === null ? -1 : (this.all[place]?.group ?? -1);
  }

  private isOpen(): boolean {
    const { known, all } = this;
    return known.length < all.length || known.some((each) => each.opinionsLeft > 0 || each.judgementsLeft > 0);
  }

  private work(work: Work): void {
    const place = work.kind === 'candidate' ? this.known.length : work.candidate;
    const candidate = this.all[place];
    if (!candidate) throw missing(work);
    this.known[place] = work.kind === 'candidate' ? this.sampled(candidate, place) : this.askedAgain(candidate, work);
    const spent = this.spent[work.kind];
    spent.pieces++;
    spent.tokens += candidate.tokens[work.kind];
  }

  private sampled({ group, opinions, asksReward }: Played, index: number): KnownCandidate {
    const first = this.all.findIndex((other) => other.group === group);
    return {
      index,
      group: group === -1 ? null : first,
      opinions: [],
      opinionsLeft: opinions.length === 0 ? 0 : this.settings.looks,
      reward: asksReward ? undefined : null,
      judgements: 0,
      judgementsLeft: asksReward ? 1 : 0,
    };
  }

  private askedAgain({ opinions, reward }: Played, work: Exclude<Work, { kind: 'candidate' }>): KnownCandidate {
    const before = this.known[work.candidate];
    if (!before || (work.kind === 'opinion' ? before.opinionsLeft : before.judgementsLeft) === 0) throw missing(work);
    if (work.kind === 'judgement') return { ...before, reward, judgements: 1, judgementsLeft: 0 };
    const heard = opinions.slice(0, before.opinions.length + 1);
    return { ...before, opinions: heard, opinionsLeft: heard.length === opinions.length ? 0 : before.opinionsLeft - 1 };
  }

  /** As a run would choose, of what is known. */
  private choose(): { readonly place: number | null; readonly byFallback: boolean } {
    const { strategy, unknown } = this.asked;
    const { fallback, rule } = this.settings;
    const pool = this.known.map((each) => scored(each, rule));
    const selection = select(pool, strategy, fallback, unknown);
    return { place: selection.chosen, byFallback: selection.fallback !== null };
  }
}

const missing = (work: Work): T1Error =>
  new T1Error(
    'INTERNAL',
    `a policy asked for ${work.kind === 'candidate' ? 'one more candidate' : `one more ${work.kind} of candidate ${work.candidate}`}, which is not left`,
  );

function scored({ index, group, opinions, reward }: KnownCandidate, rule: OpinionRule): ScoredCandidate {
  const verdict: Verdict = opinions.length === 0 ? 'skipped' : judge(opinions, rule);
  return {
    index,
    seed: 0,
    text: '',
    tokens: NO_TOKENS,
    logprobs: NO_LOGPROBS,
    finish: 'eog',
    answer: group === null ? null : '',
    group,
    tool: { verdict, programs: [] },
    reward: reward === undefined ? 'skipped' : reward,
  };
}

const NO_TOKENS = new Int32Array();
const NO_LOGPROBS = new Float32Array();

/** Vectors are [seeds × problems], sums over orders. */
interface Ledger {
  readonly right: Float64Array;
  readonly pieces: Readonly<Record<WorkKind, Float64Array>>;
  readonly tokens: Readonly<Record<WorkKind, Float64Array>>;
}

const emptyLedger = (runs: number): Ledger => ({
  right: new Float64Array(runs),
  pieces: byKind(() => new Float64Array(runs)),
  tokens: byKind(() => new Float64Array(runs)),
});

const add = (values: Float64Array, at: number, value: number): void => {
  values[at] = (values[at] ?? 0) + value;
};

function record(ledger: Ledger, r: number, spent: Seen['spent'], right: boolean): void {
  add(ledger.right, r, right ? 1 : 0);
  for (const kind of KINDS) {
    add(ledger.pieces[kind], r, spent[kind].pieces);
    add(ledger.tokens[kind], r, spent[kind].tokens);
  }
}

function wholeOf(candidates: readonly Played[]): Seen['spent'] {
  const pieces = ({ opinions, asksReward }: Played): Record<WorkKind, number> => ({
    candidate: 1,
    opinion: opinions.length,
    judgement: asksReward ? 1 : 0,
  });
  return byKind((kind) => ({
    pieces: candidates.reduce((sum, each) => sum + pieces(each)[kind], 0),
    tokens: candidates.reduce((sum, each) => sum + pieces(each)[kind] * each.tokens[kind], 0),
  }));
}

const allTokens = ({ tokens }: Ledger): Float64Array =>
  tokens.candidate.map((value, i) => value + (tokens.opinion[i] ?? 0) + (tokens.judgement[i] ?? 0));
