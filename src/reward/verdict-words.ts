/** What a model thinks of one word against another, from the logits of one position. */
import type { Engine } from '../engine/engine-types.js';
import { T1Error } from '../errors.js';

/**
 * @param logprobs [good + bad] natural logs
 * @returns Σ P(good) / (Σ P(good) + Σ P(bad)); exact also where both are tiny
 */
export function goodShare(logprobs: Float32Array, goodCount: number): number {
  const highest = logprobs.reduce((most, logprob) => Math.max(most, logprob), -Infinity);
  const odds = Array.from(logprobs, (logprob) => Math.exp(logprob - highest));
  const good = odds.slice(0, goodCount).reduce((sum, p) => sum + p, 0);
  const share = good / odds.reduce((sum, p) => sum + p, 0);
  if (!Number.isFinite(share))
    throw new T1Error('DECODE_FAILED', 'the reward is not a number: the model gave no usable logits');
  return share;
}

/** Ids of those words that are one token in this vocabulary; the rest cannot be read from a single position. */
export async function singleTokens(engine: Engine, words: readonly string[]): Promise<Int32Array> {
  const read = words.map((word) => engine.tokenize(word, { special: false, addBos: false }));
  const ids = (await Promise.all(read)).filter(({ length }) => length === 1);
  if (ids.length === 0) {
    throw new T1Error(
      'MODEL_INVALID',
      `none of ${JSON.stringify(words)} is a single token of ${engine.model.name}: its reward cannot be read`,
    );
  }
  return Int32Array.from(new Set(ids.flatMap((tokens) => [...tokens])));
}

/**
 * Tokens of both verdicts.
 *
 * @throws T1Error MODEL_INVALID when one has no single token, or both have the same
 */
export async function verdictTokens(
  engine: Engine,
  words: { readonly good: readonly string[]; readonly bad: readonly string[] },
): Promise<Record<'good' | 'bad', Int32Array>> {
  const good = await singleTokens(engine, words.good);
  const bad = await singleTokens(engine, words.bad);
  if (!good.some((token) => bad.includes(token))) return { good, bad };
  throw new T1Error(
    'MODEL_INVALID',
    `${JSON.stringify(words.good)} and ${JSON.stringify(words.bad)} have a token of ${engine.model.name} in common: they are no two verdicts`,
  );
}
