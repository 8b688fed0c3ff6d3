/**
 * Grading: is this answer the same as that one? The cheap cases here, everything else in a worker with a time limit.
 */
import { setMaxListeners } from 'node:events';
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { aborted } from '../abort.js';
import { T1Error } from '../errors.js';
import { choiceOfAnswer, extractChoice } from './choice.js';
import { extractAnswer, extractBoxed, isBareAnswer } from './extract.js';
import { plainNumber, sameNumber } from './plain-number.js';
import { JudgePool } from './worker-pool.js';

export type GradeKind = 'math' | 'choice' | 'auto';

export interface GradeOptions {
  /**
   * `choice`: compare option letters. `auto` (default): that where gold is a letter and the prediction prose, else
   * maths.
   */
  readonly kind?: GradeKind;
  /** The prediction is a whole solution; its answer is extracted first, and nothing else of it counts. */
  readonly fromText?: boolean;
  /** Options of a multiple-choice question (default 10: A to J). */
  readonly choices?: number;
  /** Numbers are also equal when they differ by at most half a unit of this digit after the point. Default: exact. */
  readonly decimals?: number;
  readonly signal?: AbortSignal;
}

export interface Grade {
  /** null: undecided. */
  readonly equal: boolean | null;
  /** The prediction's answer; null when there is none. */
  readonly extracted: string | null;
  /** One line for people. */
  readonly why: string;
}

export interface GraderOptions {
  /**
   * Worker threads; they start when the first comparison needs one. Default: as many as there are processors, at most
   * 8.
   */
  readonly workers?: number;
  /** Limit of one comparison. Default: 3000. */
  readonly timeoutMs?: number;
}

export interface GradePair {
  readonly gold: string | null;
  readonly prediction: string | null;
}

/** Longer answers are not compared unless they are the same text. */
const LONGEST_ANSWER = 10_000;
/** A text as long as this is tried as an answer too, when what was extracted from it is not the one. */
const LONGEST_WHOLE = 200;

const graderOptions = z.object({
  workers: z.int().min(1).max(256).optional(),
  timeoutMs: z.int().min(1).max(600_000).optional(),
});
const gradeOptions = z.object({
  kind: z.enum(['math', 'choice', 'auto']).optional(),
  fromText: z.boolean().optional(),
  choices: z.int().min(1).max(26).optional(),
  decimals: z.int().min(0).max(100).optional(),
});

export class Grader {
  readonly #pool: JudgePool;
  readonly #inFlight: number;

  /** @throws T1Error USAGE */
  constructor(options: GraderOptions = {}) {
    const { workers = Math.min(8, availableParallelism()), timeoutMs = 3000 } = parsed(graderOptions, options);
    this.#pool = new JudgePool({ workers, timeoutMs });
    this.#inFlight = workers * 8;
  }

  /**
   * @param gold the right answer, or a solution that states it; null: there is none, and nothing equals it
   * @param prediction the answer to grade; null: none was given
   * @throws T1Error USAGE for options out of range, ABORTED, DISPOSED
   */
  async grade(gold: string | null, prediction: string | null, options: GradeOptions = {}): Promise<Grade> {
    parsed(gradeOptions, options);
    if (gold === null || gold.trim() === '')
      return { equal: false, extracted: prediction, why: 'there is no gold answer' };
    if (prediction === null || prediction.trim() === '')
      return { equal: false, extracted: null, why: 'there is no prediction' };
    return isChoice(gold, prediction, options)
      ? gradeChoice(gold, prediction, options)
      : this.#gradeMath(gold, prediction, options);
  }

  /**
   * Grades pairs as they come and hands out the results in their order; reads no further ahead than the workers need.
   *
   * @throws T1Error as `grade`, and whatever the source throws
   */
  async *gradeAll(
    pairs: Iterable<GradePair> | AsyncIterable<GradePair>,
    options: GradeOptions = {},
  ): AsyncGenerator<Grade, void, undefined> {
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, ...(options.signal ? [options.signal] : [])]);
    setMaxListeners(0, signal);
    const bell = new Bell(); // rings when there may be something to do: an answer, a pair, the end
    signal.addEventListener('abort', bell.ring, { once: true });
    const source = Symbol.asyncIterator in pairs ? pairs[Symbol.asyncIterator]() : pairs[Symbol.iterator]();
    const running: Grading[] = [];
    let end: { readonly failure?: unknown } | null = null;
    let reading = false;
    const read = async () => {
      reading = true;
      try {
        const { done, value } = await source.next();
        if (done === true) end = {};
        else running.push(begin(this.grade(value.gold, value.prediction, { ...options, signal }), bell.ring));
      } catch (failure) {
        end = { failure };
      }
      reading = false;
      bell.ring();
    };
    try {
      while (!end || running.length > 0) {
        if (signal.aborted) throw aborted(signal);
        if (!end && !reading && running.length < this.#inFlight) void read();
        // A result goes out at once, also while the source has no more to give yet.
        const [first] = running;
        if (first?.settled) {
          running.shift();
          yield await first.grade;
        } else {
          await bell.rung();
        }
      }
      throwFailure(end);
    } finally {
      stop.abort(); // a reader that stops early waits for nothing
      await Promise.allSettled(running.map(({ grade }) => grade));
      if (!end) void Promise.resolve(source.return?.()).catch(() => undefined);
    }
  }

  /** Kills the workers; comparisons that run are rejected with DISPOSED. */
  dispose(): Promise<void> {
    return this.#pool.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  async #gradeMath(
    gold: string,
    prediction: string,
    { fromText = false, decimals, signal }: GradeOptions,
  ): Promise<Grade> {
    const extracted = extractAnswer(prediction) ?? (fromText ? null : prediction.trim());
    if (extracted === null) return { equal: false, extracted, why: 'no answer found in the text' };
    const goldAnswer = extractAnswer(gold) ?? gold.trim();
    if (goldAnswer === extracted) return { equal: true, extracted, why: 'the same text' };
    if (decimals === undefined) {
      const [a, b] = [plainNumber(goldAnswer), plainNumber(extracted)];
      if (a && b)
        return sameNumber(a, b)
          ? { equal: true, extracted, why: 'the same number' }
          : { equal: false, extracted, why: 'different numbers' };
    }
    if (goldAnswer.length > LONGEST_ANSWER || extracted.length > LONGEST_ANSWER) {
      return { equal: null, extracted, why: `undecided: an answer is longer than ${LONGEST_ANSWER} characters` };
    }
    const question = {
      golds: wholeToo(goldAnswer, gold),
      predictions: fromText ? [extracted] : wholeToo(extracted, prediction),
      tolerance: { decimals: decimals ?? null },
    };
    const { equal, why } = await this.#pool.judge(question, signal);
    return { equal, extracted, why };
  }
}

const wholeToo = (answer: string, text: string): string[] =>
  text.length > LONGEST_WHOLE || text.trim() === answer || extractBoxed(text) !== null
    ? [answer]
    : [answer, text.trim()];

const LETTER = /^[\s$(]*[A-J][\s$).:]*$/;

/** A letter in gold is a choice; but "E" and "mc^2" are maths where the prediction is a formula. */
function isChoice(gold: string, prediction: string, { kind = 'auto' }: GradeOptions): boolean {
  if (kind !== 'auto') return kind === 'choice';
  const [goldIsLetter, predictionIsLetter] = [LETTER.test(gold), LETTER.test(prediction)];
  if (goldIsLetter)
    return !isBareAnswer(prediction) || (!predictionIsLetter && /^\W*[A-J][).:。、，：]/.test(prediction));
  return predictionIsLetter && /^\s*(?:\([A-J]\)|[A-J][.:)])\s+\S/.test(gold);
}

function gradeChoice(gold: string, prediction: string, { fromText = false, choices = 10 }: GradeOptions): Grade {
  const right = choiceOfAnswer(gold, { choices });
  const extracted = fromText ? extractChoice(prediction, { choices }) : choiceOfAnswer(prediction, { choices });
  if (right === null) return { equal: null, extracted, why: 'undecided: the gold answer names no choice' };
  if (extracted === null) return { equal: false, extracted, why: 'no choice found in the text' };
  return right === extracted
    ? { equal: true, extracted, why: 'the same choice' }
    : { equal: false, extracted, why: `${right} is right` };
}

function parsed<T>(schema: z.ZodType<T>, options: unknown): T {
  const result = schema.safeParse(options);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new T1Error('USAGE', `${issue?.path.join('.') ?? 'options'}: ${issue?.message ?? 'not usable'}`);
}

interface Grading {
  readonly grade: Promise<Grade>;
  settled: boolean;
}

/** Whoever waits for the grade later gets a rejection too; nobody is told that it is unhandled until then. */
function begin(grade: Promise<Grade>, onSettled: () => void): Grading {
  const grading = { grade, settled: false };
  const settle = (): void => {
    grading.settled = true;
    onSettled();
  };
  grade.then(settle, settle);
  return grading;
}

/** One who waits is woken. A race with a promise that never settles would keep a reaction for each time it was run. */
class Bell {
  #rang = false;
  #wake: (() => void) | undefined;

  readonly ring = (): void => {
    this.#rang = true;
    this.#wake?.();
  };

  /** Resolves when the bell rings next, or has since the last time. */
  async rung(): Promise<void> {
    if (!this.#rang) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#rang = false;
  }
}

/** What the source failed with, once everything before it is handed out. */
function throwFailure(end: { readonly failure?: unknown }): void {
  if ('failure' in end) throw end.failure;
}

let shared: Grader | undefined;

/**
 * Grades one prediction with workers that all calls share; idle ones keep no process alive.
 *
 * @throws T1Error USAGE for options out of range, ABORTED
 */
export function grade(gold: string | null, prediction: string | null, options?: GradeOptions): Promise<Grade> {
  shared ??= new Grader();
  return shared.grade(gold, prediction, options);
}
