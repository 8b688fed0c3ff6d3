/**
 * Process reward model: a score for each step of a solution, read in one pass, and one for the whole of them
 * (arXiv 2504.04718 §3: the last step's; arXiv 2312.08935 takes the lowest).
 */
import { concatTokens } from '../engine/tokens.js';
import { T1Error } from '../errors.js';
import { message, named } from '../message.js';
import { jobOf } from '../generate/cached.js';
import { adapterKey } from '../model/run-adapter.js';
import type { Problem } from '../problem/problem.js';
import type { Prompt } from '../prompt/prompt.js';
import type { RewardSource, StageContext } from '../stage-context.js';
import { contentKey } from '../store/key.js';
import type { Candidate, Reward, StepScore } from '../types.js';
import { aggregations, type ProcessEntry } from './entry.js';
import { solutionSteps, tagToken, type SolutionSteps } from './solution-steps.js';
import { goodShare, verdictTokens } from './verdict-words.js';

const NOT_SCORED: Reward = { score: null };

/**
 * Makes sure, before anything is sampled, that the model's steps can be told apart and its verdicts read.
 *
 * @throws T1Error USAGE: no entry says how; MODEL_INVALID: words or tag that are no single token, no usable chat template
 */
export async function checkPrm({ reward }: StageContext): Promise<void> {
  const entry = processEntry(reward);
  await verdictTokens(reward.engine, entry);
  if (entry.steps.layout === 'tags') await tagToken(reward.engine, entry.steps.tag);
  const example = ['1 + 1 = 2', '2 + 1 = 3'].join(entry.separator);
  const read = await solutionSteps(reward.engine, entry, reward.profile, 'problem', example);
  if (read?.positions.length === 2) return;
  throw new T1Error(
    'MODEL_INVALID',
    `the reward entry '${entry.name}' does not fit ${reward.engine.model.name}: two steps parted by ${JSON.stringify(entry.separator)} are not two in its tokens`,
  );
}

/** Scores refuted candidates too, so that every selection can be made from the pool; all in one job over shared prefixes. */
export async function prm(
  problem: Problem,
  _prompt: Prompt,
  candidates: readonly Candidate[],
  run: StageContext,
): Promise<Reward[]> {
  const { engine, profile } = run.reward;
  const entry = processEntry(run.reward);
  const read = new Map<string, SolutionSteps>(); // by solution: equal ones are scored once
  for (const { text, answer } of candidates) {
    if (answer === null || read.has(text)) continue;
    const steps = await solutionSteps(engine, entry, profile, problem.text, text);
    if (steps && steps.tokens.length <= engine.model.contextLength) read.set(text, steps);
  }
  const scores = await stepScores([...read.values()], entry, run);
  const rewards = new Map([...read.keys()].map((text, i) => [text, rewardOf(scores[i] ?? [], entry, run)]));
  return candidates.map(({ index, text }) => {
    const reward = rewards.get(text) ?? NOT_SCORED;
    if (reward.score !== null) run.emit({ type: 'score', index, reward: reward.score });
    return reward;
  });
}

function rewardOf(steps: readonly StepScore[], entry: ProcessEntry, run: StageContext): Reward {
  const aggregate = aggregations[run.settings.aggregation ?? entry.aggregation];
  return { score: aggregate(steps.map(({ score }) => score)), steps };
}

/** @returns [sequences][steps] P(good) against P(bad) at each position */
async function stepScores(
  sequences: readonly SolutionSteps[],
  entry: ProcessEntry,
  run: StageContext,
): Promise<StepScore[][]> {
  const { engine, modelHash, adapter } = run.reward;
  const { good, bad } = await verdictTokens(engine, entry);
  const keys = sequences.map(({ tokens, positions }) =>
    Array.from(positions, (at) =>
      contentKey('prm', engine.build, modelHash, adapterKey(adapter), tokens.subarray(0, at + 1), good, bad),
    ),
  );
  const known = keys.map((row) => row.map((key) => run.store.score(key)));
  const all = [...sequences.keys()];
  const missing = jobOf(
    engine,
    all,
    all.filter((i) => known[i]?.some((score) => score === undefined)),
  );
  if (missing.length > 0) {
    const { logprobs, usage } = await engine.score({
      sequences: missing.flatMap((i) => sequences[i] ?? []),
      targets: concatTokens([good, bad]),
      adapter: adapter?.name,
      signal: run.signal,
    });
    run.usage.add(usage);
    const width = good.length + bad.length;
    missing.forEach((i, row) => {
      known[i] = (keys[i] ?? []).map((key, step) => {
        const score = goodShare(
          (logprobs[row] ?? new Float32Array()).subarray(step * width, (step + 1) * width),
          good.length,
        );
        run.store.saveScore(key, 'prm', score);
        return score;
      });
    });
  }
  return sequences.map(({ steps }, i) => steps.map((text, step) => ({ text, score: known[i]?.[step] ?? NaN })));
}

/** Of a reward model, or of a model that was trained to judge the steps of its own solutions. */
function processEntry({ engine, entry, profile }: RewardSource): ProcessEntry {
  if (entry?.kind === 'prm') return entry;
  const { process: own } = profile.roles;
  if (!entry && own)
    return {
      ...own,
      kind: 'prm',
      name: profile.name,
      source: profile.source,
      match: {},
      aggregation: 'last',
      steps: { layout: 'own' },
    };
  throw new T1Error(
    'USAGE',
    message`nothing says how ${engine.model.name} scores steps: give a process reward model with ${named('rewardModel')}, a description with ${named('rewardEntry')}, or another ${named('reward')}`,
  );
}
