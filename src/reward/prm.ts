/**
 * Process reward model: a score for each step of a solution, read in one pass, and one for the whole of them
 * (arXiv 2504.04718 §3: the last step's; arXiv 2312.08935 takes the lowest).
 */
import { T1Error } from '../errors.js';
import { must } from '../must.js';
import { message, named } from '../message.js';
import type { Problem } from '../problem/problem.js';
import type { Prompt } from '../prompt/prompt.js';
import type { RewardSource, StageContext } from '../stage-context.js';
import type { Candidate, Reward, StepScore } from '../types.js';
import { aggregations, type ProcessEntry } from './entry.js';
import { scoresAt } from './score.js';
import { solutionSteps, tagToken, type SolutionSteps } from './solution-steps.js';
import { verdictTokens } from './verdict-words.js';

const NOT_SCORED: Reward = { score: null };

/**
 * Makes sure, before anything is sampled, that the model's steps can be told apart and its verdicts read.
 *
 * @throws T1Error USAGE: no entry says how; MODEL_INVALID: words or tag that are no single token, no usable chat
 *   template
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

/**
 * Scores refuted candidates too, so that every selection can be made from the pool; all in one job over shared
 * prefixes.
 */
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
  const rewards = new Map(
    [...read.keys()].map((text, i) => [text, rewardOf(must(scores[i], 'the scores of a solution'), entry, run)]),
  );
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
  const words = await verdictTokens(run.reward.engine, entry);
  const prefixes = sequences.flatMap(({ tokens, positions }) =>
    Array.from(positions, (at) => tokens.subarray(0, at + 1)),
  );
  const scores = (await scoresAt(prefixes, words, run)).values();
  return sequences.map(({ steps }) =>
    steps.map((text) => ({ text, score: must(scores.next().value, 'the score of a step') })),
  );
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
