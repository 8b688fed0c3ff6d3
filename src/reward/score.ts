/** What a model thinks of "yes" against "no" after so many tokens: one look at the logits, remembered. */
import { z } from 'zod';
import type { ScoreSequence } from '../engine/engine-types.js';
import { concatTokens } from '../engine/tokens.js';
import { modelHandle, wholeJobs, type ModelHandle } from '../model/model-handle.js';
import { must } from '../must.js';
import type { StageContext } from '../stage-context.js';
import { remember, type Computation } from '../store/remember.js';
import { goodShare } from './verdict-words.js';

interface Item {
  /** [n] everything up to the place whose next token is asked about. */
  readonly tokens: Int32Array;
}

interface Words {
  readonly good: Int32Array;
  readonly bad: Int32Array;
}

const scoring: Computation<{ readonly model: ModelHandle }, Words, Item, number, Pick<StageContext, 'usage'>> = {
  stage: 'score',
  version: 1,
  value: z.number(),
  together: wholeJobs,
  async compute({ handles: { model }, shared: { good, bad }, items, runtime: { usage }, signal, done }) {
    const sequences = joined(items);
    const result = await model.engine.score({
      sequences,
      targets: concatTokens([good, bad]),
      adapter: model.adapter,
      signal,
    });
    usage.add(result.usage);
    const width = good.length + bad.length;
    let item = 0;
    for (const [i, { positions }] of sequences.entries()) {
      const row = must(result.logprobs[i], 'the logits of a sequence');
      for (const place of positions.keys())
        done(item++, goodShare(row.subarray(place * width, (place + 1) * width), good.length));
    }
  },
};

/** One sequence for places that follow one another in the same text, in the items' order. */
function joined(items: readonly Item[]): ScoreSequence[] {
  const sequences: { tokens: Int32Array; positions: number[] }[] = [];
  for (const { tokens } of items) {
    const last = sequences.at(-1);
    if (last && last.tokens.length < tokens.length && last.tokens.every((token, i) => token === tokens[i])) {
      last.tokens = tokens;
      last.positions.push(tokens.length - 1);
    } else sequences.push({ tokens, positions: [tokens.length - 1] });
  }
  return sequences.map(({ tokens, positions }) => ({ tokens, positions: Int32Array.from(positions) }));
}

/**
 * Asks the model that gives the reward; all that is not known is one job over shared prefixes.
 *
 * @param prefixes [n] token ids up to each place
 * @param onScore called once for each, those that are known first
 * @returns [n] P(good) / (P(good) + P(bad))
 */
export function scoresAt(
  prefixes: readonly Int32Array[],
  words: Words,
  { reward, memory, usage, signal }: StageContext,
  onScore?: (prefix: number, score: number) => void,
): Promise<number[]> {
  const handles = { model: modelHandle(reward, reward.adapter) };
  const items = prefixes.map((tokens) => ({ tokens }));
  return remember(memory, scoring, { handles, shared: words, items, runtime: { usage }, signal }, onScore);
}
