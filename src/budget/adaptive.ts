/**
 * A budget that spends the next token where it changes the answer most, and stops when the answer is settled: when the
 * whole budget would give the same one, for certain or with the stated confidence (`forecast.ts`). What it did not ask
 * is absent from what it returns; what is still being generated then is cancelled.
 */
import { setMaxListeners } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { must } from '../must.js';
import type { Candidate } from '../types.js';
import { forecastOf, type Forecast } from './forecast.js';
import { knownOf, type KnownCandidate } from './known.js';
import { Costs, nextWork } from './next-work.js';
import type { Winner } from './plays.js';
import type { Work } from './work.js';
import { isSettled } from './policy.js';
import type { JudgedCandidate, Plan, Stages } from './stages.js';
import { together } from './together.js';

/**
 * Most pieces of work on their way at once: few at first, since with the model that ships half of all problems are
 * settled by two candidates that agree and one look of the tool; a third as many as are done where that settles nothing.
 */
export const FIRST_WINDOW = 2;
const GROWTH = 1 / 3;
/** Nothing more is begun where what is on its way settles the answer with at least this probability. */
const LIKELY = 0.3;

/** What the pool gives as it is. */
export interface Standing {
  /** [candidates] index of the first one with the same answer; null without an answer. */
  readonly groups: readonly (number | null)[];
  /** What the selection would take. */
  readonly chosen: Winner;
}

/** @param standing of the candidates so far, in the order of their sample index */
export async function adaptive(
  stages: Stages,
  plan: Plan,
  signal: AbortSignal,
  standing: (pool: readonly JudgedCandidate[]) => Promise<Standing>,
): Promise<SpentOn[]> {
  const spending = new Spending(stages, plan, standing);
  const settled = new AbortController();
  await together(signal, (group) => spending.run(AbortSignal.any([group.signal, settled.signal]), group.add, settled));
  return spending.spent();
}

/** A candidate, and how often tool and reward looked at it. */
export interface SpentOn extends JudgedCandidate {
  readonly looks: { readonly index: number; readonly opinions: number; readonly judgements: number };
}

class Spending {
  private readonly judged = new Map<number, JudgedCandidate>();
  private readonly looks = new Map<number, { opinions: number; judgements: number }>();
  /** Jobs that are on their way, with the pieces of work that they do. */
  private readonly running = new Set<readonly Work[]>();
  private done = 0;
  private readonly costs = new Costs();
  private begun = 0;
  private wake: () => void = () => {};

  constructor(
    private readonly stages: Stages,
    private readonly plan: Plan,
    private readonly standing: (pool: readonly JudgedCandidate[]) => Promise<Standing>,
  ) {}

  spent(): SpentOn[] {
    return this.pool().map((judged) => {
      const { index } = judged.candidate;
      return { ...judged, looks: { index, ...(this.looks.get(index) ?? { opinions: 0, judgements: 0 }) } };
    });
  }

  pool(): JudgedCandidate[] {
    return [...this.judged.values()].sort((a, b) => a.candidate.index - b.candidate.index);
  }

  async run(signal: AbortSignal, add: (work: Promise<unknown>) => void, settled: AbortController): Promise<void> {
    const start = (works: readonly Work[], job: (signal: AbortSignal) => Promise<void>): void => {
      this.running.add(works);
      const piece = job(signal).finally(() => {
        this.running.delete(works);
        this.done += works.length;
        this.wake();
      });
      add(
        piece.catch((error: unknown) => {
          if (!settled.signal.aborted) throw error; // cancelled because nothing that it says can matter
        }),
      );
    };
    setMaxListeners(0, signal);
    while (!signal.aborted) {
      await setImmediate(); // what has ended together is looked at together
      const woken = new Promise<void>((resolve) => (this.wake = resolve));
      const known = await this.known();
      const forecast = forecastOf(known.candidates, this.plan, this.onTheirWay());
      if (isSettled(forecast, known.chosen, this.plan)) return settled.abort();
      this.fill(known.candidates, forecast, start);
      if (this.running.size === 0) return; // all is spent
      await woken;
      // Decisions may not depend on what ends first: all that was begun is waited for.
      while (this.plan.reproducible && this.running.size > 0)
        await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  private onTheirWay(): Work[] {
    return [...this.running].flat();
  }

  private async known(): Promise<{ readonly candidates: KnownCandidate[]; readonly chosen: Winner }> {
    const pool = this.pool();
    const { groups, chosen } = await this.standing(pool);
    const judgements = ({ candidate: { index } }: JudgedCandidate): number => this.looks.get(index)?.judgements ?? 0;
    return { candidates: knownOf(pool, groups, this.plan, this.stages, judgements), chosen };
  }

  private fill(
    known: readonly KnownCandidate[],
    now: Forecast,
    start: (works: readonly Work[], job: (signal: AbortSignal) => Promise<void>) => void,
  ): void {
    const window = Math.max(FIRST_WINDOW, Math.floor(this.done * GROWTH));
    const running = this.onTheirWay();
    if (running.length >= window) return;
    const wanted: number[] = [];
    for (let forecast = now; ; forecast = forecastOf(known, this.plan, running)) {
      if (forecast.settles >= LIKELY) break;
      const left = this.plan.candidates - this.begun;
      const isFree = (work: Work): boolean =>
        work.kind === 'candidate' ? left > 0 : !running.some((other) => this.isSame(work, other));
      const work = nextWork(known, forecast, this.costs, isFree, running.length === 0);
      if (!work) break;
      running.push(work);
      if (work.kind === 'candidate') wanted.push(this.begun++);
      else start([work], (signal) => this.look(work, signal));
      if (running.length >= window) break;
    }
    // Together in one job where the engine is to compute the same rows again; else each by itself.
    const jobs = this.plan.reproducible && wanted.length > 0 ? [wanted] : wanted.map((index) => [index]);
    for (const job of jobs)
      start(
        job.map(() => ({ kind: 'candidate' })),
        (signal) => this.sample(job, signal),
      );
  }

  private async sample(indices: readonly number[], signal: AbortSignal): Promise<void> {
    for (const candidate of await this.stages.sample(indices, signal)) {
      this.costs.add('candidate', candidate.tokens.length, 1);
      this.judged.set(candidate.index, { candidate });
      const twin = this.twins(candidate).find(({ index }) => this.looks.has(index));
      if (!twin) continue;
      // What was said of the same text is known, and costs nothing.
      const { tool, reward } = must(this.judged.get(twin.index), `candidate ${twin.index}`);
      this.judged.set(candidate.index, { candidate, tool, reward });
      this.looks.set(candidate.index, must(this.looks.get(twin.index), `looks at candidate ${twin.index}`));
      this.stages.tell({ candidate, tool, reward });
    }
  }

  private look(work: Exclude<Work, { kind: 'candidate' }>, signal: AbortSignal): Promise<void> {
    const { candidate } = must(this.judged.get(work.candidate), `candidate ${work.candidate}`);
    const { opinions, judgements } = this.looks.get(work.candidate) ?? { opinions: 0, judgements: 0 };
    return work.kind === 'opinion'
      ? this.ask(candidate, opinions + 1, judgements, signal)
      : this.ask(candidate, opinions, judgements + 1, signal);
  }

  /** All candidates with the same text are one question, those that came while it was asked too. */
  private async ask(candidate: Candidate, opinions: number, judgements: number, signal: AbortSignal): Promise<void> {
    const before = this.looks.get(candidate.index) ?? { opinions: 0, judgements: 0 };
    const [tool] = opinions > before.opinions ? await this.stages.verify([candidate], opinions, signal) : [];
    const [reward] = judgements > before.judgements ? await this.stages.reward([candidate], judgements, signal) : [];
    for (const twin of this.twins(candidate)) {
      const judged = must(this.judged.get(twin.index), `candidate ${twin.index}`);
      this.judged.set(twin.index, { candidate: twin, tool: tool ?? judged.tool, reward: reward ?? judged.reward });
      const now = this.looks.get(twin.index) ?? { opinions: 0, judgements: 0 };
      this.looks.set(twin.index, {
        opinions: Math.max(now.opinions, opinions),
        judgements: Math.max(now.judgements, judgements),
      });
      if (twin.index !== candidate.index) this.stages.tell({ candidate: twin, tool, reward });
    }
    if (tool) this.costs.add('opinion', tool.tokens ?? 0, opinions);
    if (reward) this.costs.add('judgement', reward.tokens ?? 0, judgements);
  }

  /** Looks of one kind at candidates with the same text are the same question. */
  private isSame(one: Work, other: Work): boolean {
    if (one.kind === 'candidate' || other.kind === 'candidate' || one.kind !== other.kind) return false;
    return this.textOf(one.candidate) === this.textOf(other.candidate);
  }

  private textOf(index: number): string {
    return must(this.judged.get(index), `candidate ${index}`).candidate.text;
  }

  private twins({ text, index }: Candidate): Candidate[] {
    const same = this.pool().flatMap(({ candidate }) => (candidate.text === text ? [candidate] : []));
    return [...same.filter((each) => each.index === index), ...same.filter((each) => each.index !== index)];
  }
}
