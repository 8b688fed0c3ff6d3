/** A model with a classification head, read after the whole conversation (llama.cpp's rank pooling). */
import { T1Error } from '../errors.js';
import { message, named } from '../message.js';
import { jobOf } from '../generate/cached.js';
import { adapterKey } from '../model/run-adapter.js';
import type { Problem } from '../problem/problem.js';
import { renderPrompt, type Prompt } from '../prompt/prompt.js';
import { rolePrompts } from '../prompt/role-prompts.js';
import type { RewardSource, StageContext } from '../stage-context.js';
import { contentKey } from '../store/key.js';
import type { Candidate, Reward } from '../types.js';
import type { ClassifierEntry } from './entry.js';

/**
 * Makes sure, before anything is sampled, that the model has the head and the class.
 *
 * @throws T1Error USAGE: no entry says how, or the file has no head; MODEL_INVALID: a head without that class, or unusable
 */
export async function checkClassifier({ reward }: StageContext): Promise<void> {
  const entry = classifierEntry(reward);
  await renderPrompt(reward.engine, entry, { problem: 'problem', solution: 'solution' });
  goodClass(reward, entry);
}

export async function classifier(
  problem: Problem,
  solvePrompt: Prompt,
  candidates: readonly Candidate[],
  run: StageContext,
): Promise<Reward[]> {
  const { engine, modelHash, adapter } = run.reward;
  const entry = classifierEntry(run.reward);
  const good = goodClass(run.reward, entry);
  const own = engine === run.engine ? solvePrompt : undefined;
  const asked = (await rolePrompts(engine, entry, problem, own, candidates, 0)).map((row) => ({
    ...row,
    key: contentKey('classifier', engine.build, modelHash, adapterKey(adapter), row.prompt.tokens, Int32Array.of(good)),
  }));
  const scores = new Map<number, number>(); // by index of the candidate
  const tell = (same: readonly Candidate[], reward: number): void => {
    for (const { index } of same) {
      scores.set(index, reward);
      run.emit({ type: 'score', index, reward });
    }
  };
  const unknown = asked.filter(({ key, candidates: same }) => {
    const known = run.store.score(key);
    if (known !== undefined) tell(same, known);
    return known === undefined;
  });
  const missing = jobOf(engine, asked, unknown);
  if (missing.length > 0) {
    const result = await engine.classify({
      sequences: missing.map(({ prompt }) => prompt.tokens),
      adapter: adapter?.name,
      signal: run.signal,
    });
    run.usage.add(result.usage);
    missing.forEach(({ key, candidates: same }, i) => {
      const reward = Math.exp(result.scores[i]?.[good] ?? NaN); // a probability as it is: no further softmax
      if (!Number.isFinite(reward))
        throw new T1Error('DECODE_FAILED', `the classification head of ${engine.model.name} gave no number`);
      run.store.saveScore(key, 'classifier', reward);
      tell(same, reward);
    });
  }
  return candidates.map(({ index }) => ({ score: scores.get(index) ?? null }));
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
