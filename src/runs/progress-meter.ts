/** How far a run is: candidates and programs as they are done, not problems alone, and how long the rest will take. */
import type { SolveEvent, StageName } from '../types.js';
import { tokensOfRecord, type RunRecord } from './record.js';

export interface EvaluateProgress {
  /** Problems. */
  readonly finished: number;
  readonly total: number;
  readonly correct: number;
  /** Those that ended in an error. */
  readonly failed: number;
  /** Sampled, and of how many if every problem gets all; those from the cache included. */
  readonly candidates: number;
  readonly candidatesTotal: number;
  /** Programs, or whatever the tool's looks are, that were written. */
  readonly programs: number;
  readonly generatedTokens: number;
  /** In the last seconds. */
  readonly tokensPerSecond: number;
  readonly cacheHits: number;
  readonly seconds: number;
  /** Null as long as nothing says how long anything takes. */
  readonly secondsLeft: number | null;
}

const EVERY_MS = 500;
/** Of the rate. */
const WINDOW_MS = 10_000;

interface Stage {
  finished: number;
  total: number;
  generatedTokens: number;
}

const nothing = (): Stage => ({ finished: 0, total: 0, generatedTokens: 0 });

/** One problem's part. */
interface Watched {
  readonly stages: Map<StageName, Stage>;
  candidates: number;
  /** Tokens of those candidates, wherever they come from. */
  candidateTokens: number;
  hits: number;
  /** Tokens that it took in all, those that came from the cache included; undefined while it goes on. */
  cost: number | undefined;
}

/** So many problems say what one takes. */
const ENOUGH = 3;

const generatedBy = ({ stages }: Watched): number =>
  [...stages.values()].reduce((total, each) => total + each.generatedTokens, 0);

/** Of what a problem takes: what is there of it, candidates from the cache included. */
const coveredBy = (each: Watched): number => {
  const sampled = each.stages.get('sample')?.generatedTokens ?? 0;
  return generatedBy(each) - sampled + Math.max(sampled, each.candidateTokens);
};

export class ProgressMeter {
  private readonly started = performance.now();
  private readonly watched: Watched[] = [];
  private readonly marks: { readonly at: number; readonly tokens: number }[] = [];
  private readonly timer: NodeJS.Timeout | undefined;
  private finished = 0;
  private correct = 0;
  private failed = 0;

  /** @param samples of each problem, at most */
  constructor(
    private readonly problems: number,
    private readonly samples: number,
    private readonly tell: ((progress: EvaluateProgress) => void) | undefined,
  ) {
    if (tell) this.timer = setInterval(() => tell(this.now()), EVERY_MS).unref();
  }

  /** @returns where events of one more problem go, and what to call at its end */
  problem(): { readonly event: (event: SolveEvent) => void; readonly end: (record: RunRecord) => void } {
    const mine: Watched = {
      stages: new Map(),
      candidates: 0,
      candidateTokens: 0,
      hits: 0,
      cost: undefined,
    };
    this.watched.push(mine);
    return {
      event: (event) => {
        if (event.type === 'candidate') {
          mine.candidates++;
          mine.candidateTokens += event.candidate.tokens.length;
        }
        if (event.type === 'progress') mine.stages.set(event.stage, event);
        if (event.type === 'answer') mine.hits = event.result.cache.hits;
      },
      end: (record) => {
        mine.cost = Math.max(tokensOfRecord(record), generatedBy(mine));
        this.finished++;
        if (record.outcome === 'failed') this.failed++;
        else if (record.outcome === 'solved' && record.correct === true) this.correct++;
        this.tell?.(this.now());
      },
    };
  }

  stop(): void {
    clearInterval(this.timer);
  }

  now(): EvaluateProgress {
    const at = performance.now();
    const sum = (of: (each: Watched) => number): number => this.watched.reduce((total, each) => total + of(each), 0);
    const generatedTokens = sum(generatedBy);
    const candidates = sum((each) => each.candidates);
    this.marks.push({ at, tokens: generatedTokens });
    while ((this.marks[1]?.at ?? at) < at - WINDOW_MS) this.marks.shift();
    const [first] = this.marks;
    const window = first && at - first.at > 1000 ? first : { at: this.started, tokens: 0 };
    const seconds = (at - this.started) / 1000;
    return {
      finished: this.finished,
      total: this.problems,
      correct: this.correct,
      failed: this.failed,
      candidates,
      candidatesTotal: this.problems * this.samples,
      programs: sum(({ stages }) => stages.get('verify')?.finished ?? 0),
      generatedTokens,
      tokensPerSecond: (1000 * (generatedTokens - window.tokens)) / Math.max(1, at - window.at),
      cacheHits: sum((each) => each.hits),
      seconds,
      secondsLeft: this.secondsLeft(seconds, generatedTokens),
    };
  }

  /**
   * What a problem takes is the mean of those that are done, whether it was generated now or came from the cache; as
   * long as too few are, what a stage takes is its tokens so far over its pieces so far, which counts the long ones that
   * are still going on. What is left of that goes on as fast as until now.
   */
  private secondsLeft(seconds: number, generated: number): number | null {
    if (this.finished === this.problems) return 0;
    const going = this.watched.filter(({ cost }) => cost === undefined);
    const costs = this.watched.flatMap(({ cost }) => cost ?? []);
    const problem =
      costs.length >= ENOUGH ? costs.reduce((total, cost) => total + cost, 0) / costs.length : this.byStages(going);
    // Nothing was generated, or nobody counts it: problems are all that there is to go by.
    if (generated === 0 || problem <= 0)
      return costs.length === 0 ? null : (seconds * (this.problems - costs.length)) / costs.length;
    // One that takes more than others has at least what is begun of it.
    const left = going.reduce((total, each) => total + Math.max(problem - coveredBy(each), this.begunBy(each)), 0);
    const untouched = (this.problems - this.watched.length) * problem;
    return (seconds * (left + untouched)) / generated;
  }

  /** Tokens that the pieces will take which are begun and not done. */
  private begunBy({ stages }: Watched): number {
    let begun = 0;
    for (const [stage, { finished, total }] of stages) {
      if (total <= finished) continue;
      const all = this.total(stage);
      if (all.finished > 0) begun += ((total - finished) * all.generatedTokens) / all.finished;
    }
    return begun;
  }

  /** Of all problems. */
  private total(stage: StageName): Stage {
    return this.watched.reduce((sum, { stages }) => {
      const each = stages.get(stage) ?? nothing();
      return {
        finished: sum.finished + each.finished,
        total: sum.total + each.total,
        generatedTokens: sum.generatedTokens + each.generatedTokens,
      };
    }, nothing());
  }

  /** Tokens of a problem, from its candidates and from the programs that there are for those so far. */
  private byStages(going: readonly Watched[]): number {
    const [sample, verify, reward] = [this.total('sample'), this.total('verify'), this.total('reward')];
    if (sample.finished === 0) return 0;
    const per = (stage: Stage): number => (stage.finished > 0 ? stage.generatedTokens / stage.finished : 0);
    const cached = this.watched.reduce((n, each) => n + each.candidateTokens, 0);
    const candidate = Math.max(sample.generatedTokens, cached) / sample.finished;
    const candidates = going.reduce((n, each) => n + each.candidates, 0) || sample.finished;
    const looks = (stage: Stage): number => stage.total / candidates;
    return this.samples * (candidate + looks(verify) * per(verify) + looks(reward) * per(reward));
  }
}
