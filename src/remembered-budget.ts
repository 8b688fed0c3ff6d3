/**
 * What an adaptive budget asked for is remembered: which pieces end first depends on the moment, so it might ask for
 * others the next time. The same command again asks for what it asked for the first time, and decodes nothing.
 */
import { z } from 'zod';
import { adaptive, type SpentOn, type Standing } from './budget/adaptive.js';
import type { JudgedCandidate, Plan, Stages } from './budget/stages.js';
import { modelHandle } from './model/model-handle.js';
import { must } from './must.js';
import type { PipelineOptions } from './options.js';
import type { Prompt } from './prompt/prompt.js';
import type { StageContext } from './stage-context.js';
import { type Computation, type Identified, remember } from './store/remember.js';

/** [candidates] how often tool and reward looked at each of those that were sampled. */
const spentSchema = z.array(z.strictObject({ index: z.int(), opinions: z.int(), judgements: z.int() }));
type Spent = z.output<typeof spentSchema>;

interface Handles extends Readonly<Record<string, Identified>> {}
interface Runtime {
  readonly spend: (signal: AbortSignal) => Promise<readonly SpentOn[]>;
  readonly keep: (pool: readonly JudgedCandidate[]) => void;
}

const spending: Computation<Handles, object, Int32Array, Spent, Runtime> = {
  stage: 'budget',
  version: 1,
  value: spentSchema,
  async compute({ runtime: { spend, keep }, signal, done }) {
    const pool = await spend(signal);
    keep(pool);
    done(
      0,
      pool.map(({ looks }) => looks),
    );
  },
};

/**
 * @param prompt what candidates are sampled from: it says the problem
 * @returns [candidates] those that were asked for, in the order of their sample index
 */
export async function rememberedAdaptive(
  stages: Stages,
  plan: Plan,
  prompt: Prompt,
  options: PipelineOptions,
  context: StageContext,
  standing: (pool: readonly JudgedCandidate[]) => Promise<Standing>,
): Promise<JudgedCandidate[]> {
  const { reward, adapters, memory, signal } = context;
  const { verifier: _, reward: _reward, ...settings } = options; // by name in what is left
  let fresh: readonly JudgedCandidate[] | undefined;
  const [spent] = await remember(memory, spending, {
    handles: {
      model: modelHandle(context, adapters.tool),
      reward: modelHandle(reward, reward.adapter),
      sandbox: { identity: await context.sandboxIdentity() },
      verifier: { identity: (await options.verifier.identity?.(context)) ?? {} },
    },
    shared: { settings, profile: context.profile, rewardEntry: reward.entry ?? null },
    items: [prompt.tokens],
    runtime: {
      spend: (until) => adaptive(stages, plan, until, standing),
      keep: (pool) => void (fresh = pool),
    },
    signal,
  });
  return fresh ? [...fresh] : asked(stages, must(spent, 'what was spent'), signal);
}

/** The same pieces of work again: all of them are in the store, unless it has forgotten some. */
async function asked(stages: Stages, spent: Spent, signal: AbortSignal): Promise<JudgedCandidate[]> {
  const candidates = await stages.sample(
    spent.map(({ index }) => index),
    signal,
  );
  return Promise.all(
    candidates.map(async (candidate, i) => {
      const { opinions, judgements } = must(spent[i], `what was asked about candidate ${candidate.index}`);
      const [tool] = opinions > 0 ? await stages.verify([candidate], opinions, signal) : [];
      const [scored] = judgements > 0 ? await stages.reward([candidate], judgements, signal) : [];
      return { candidate, tool, reward: scored };
    }),
  );
}
