/** A model with a classification head, read after the whole conversation (llama.cpp's rank pooling). */
import { z } from 'zod';
import { T1Error } from '../errors.js';
import { modelHandle, wholeJobs, type ModelHandle } from '../model/model-handle.js';
import { must } from '../must.js';
import { message, named } from '../message.js';
import type { Problem } from '../problem/problem.js';
import { renderPrompt, type Prompt } from '../prompt/prompt.js';
import { rolePrompts } from '../prompt/role-prompts.js';
import type { RewardSource, StageContext } from '../stage-context.js';
import { remember, type Computation } from '../store/remember.js';
import type { Candidate, Reward } from '../types.js';
import type { ClassifierEntry } from './entry.js';

/**
 * Makes sure, before anything is sampled, that the model has the head and the class.
 *
 * @throws T1Error USAGE: no entry says how, or the file has no head; MODEL_INVALID: a head without that class, or
 *   unusable
 */
export async function checkClassifier({ reward }: StageContext): Promise<void> {
  const entry = classifierEntry(reward);
  await renderPrompt(reward.engine, entry, { problem: 'problem', solution: 'solution' });
  goodClass(reward, entry);
}

interface Item {
  /** [n] the whole conversation. */
  readonly tokens: Int32Array;
}

/** All classes are kept: which of them is the good one changes nothing. */
const classifying: Computation<
  { readonly model: ModelHandle },
  null,
  Item,
  Float32Array,
  Pick<StageContext, 'usage'>
> = {
  stage: 'classes',
  version: 1,
  value: z.instanceof(Float32Array),
  together: wholeJobs,
  async compute({ handles: { model }, items, runtime: { usage }, signal, done }) {
    const sequences = items.map(({ tokens }) => tokens);
    const result = await model.engine.classify({ sequences, adapter: model.adapter, signal });
    usage.add(result.usage);
    for (const [i, scores] of result.scores.entries()) {
      if (!scores.every((score) => score < Infinity))
        throw new T1Error('DECODE_FAILED', `the classification head of ${model.engine.model.name} gave no number`);
      done(i, scores);
    }
  },
};

export async function classifier(
  problem: Problem,
  solvePrompt: Prompt,
  candidates: readonly Candidate[],
  run: StageContext,
): Promise<Reward[]> {
  const { reward, memory, usage, signal } = run;
  const { engine, adapter } = reward;
  const entry = classifierEntry(reward);
  const good = goodClass(reward, entry);
  const own = engine === run.engine ? solvePrompt : undefined;
  const asked = await rolePrompts(engine, entry, problem, own, candidates, 0);
  const rewards = new Map<number, number>(); // by index of the candidate
  await remember(
    memory,
    classifying,
    {
      handles: { model: modelHandle(reward, adapter) },
      shared: null,
      items: asked.map(({ prompt: { tokens } }) => ({ tokens })),
      runtime: { usage },
      signal,
    },
    (i, scores) => {
      const score = Math.exp(must(scores[good], 'the class')); // a probability as it is: no further softmax
      for (const { index } of must(asked[i], 'what was asked').candidates) {
        rewards.set(index, score);
        run.emit({ type: 'score', index, reward: score });
      }
    },
  );
  return candidates.map(({ index }) => ({ score: rewards.get(index) ?? null }));
}

function classifierEntry({ engine, entry }: RewardSource): ClassifierEntry {
  if (entry?.kind === 'classifier') return entry;
  throw new T1Error(
    'USAGE',
    message`nothing says which class of ${engine.model.name} means that a solution is right: give a classifier with ${named('rewardModel')}, a description with ${named('rewardEntry')}, or another ${named('reward')}`,
  );
}

/** Number of the class. */
function goodClass({ engine: { model } }: RewardSource, { name, good }: ClassifierEntry): number {
  if (!model.head)
    throw new T1Error(
      'USAGE',
      `the reward entry '${name}' is for a classification head, and ${model.path} has none (no tensor cls.output.weight)`,
    );
  const { labels, problem } = model.head;
  if (problem !== undefined)
    throw new T1Error('MODEL_INVALID', `the classification head of ${model.path} cannot be used: ${problem}`);
  const index =
    typeof good === 'number' ? good : labels.findIndex((label) => label.toLowerCase() === good.toLowerCase());
  if (index >= 0 && index < labels.length) return index;
  throw new T1Error(
    'MODEL_INVALID',
    `the reward entry '${name}' wants the class ${JSON.stringify(good)}, and the head of ${model.path} has ${JSON.stringify(labels)}`,
  );
}
