/** Stage 3: N candidates of one prompt. */
import type { Prompt } from '../prompt/prompt.js';
import type { StageContext } from '../stage-context.js';
import type { Candidate, StoredSample } from '../types.js';
import { sampleCached } from './cached.js';
import { sampleSeed } from './seeds.js';

/** About what a role's question takes. */
const QUESTION_TOKENS = 256;

/** @returns [N] candidates in the order of their sample index */
export async function sampleCandidates(prompt: Prompt, run: StageContext): Promise<Candidate[]> {
  const { samples, seed, temperature, topK, topP, minP, maxTokens } = run.settings;
  const { defaults } = run.profile;
  const longest = maxTokens ?? defaults.maxTokens;
  // The verifiers continue the candidates.
  const reserve = {
    sequences: samples * (run.settings.programs ?? defaults.programs),
    tokens: prompt.tokens.length + longest + QUESTION_TOKENS + defaults.programTokens,
  };
  const seeds = Array.from({ length: samples }, (_, index) => sampleSeed(seed, index));
  const [pool = []] = await sampleCached(
    run,
    'sample',
    [{ tokens: prompt.tokens, seeds }],
    { sampler: { temperature, topK, topP, minP }, maxTokens: longest, reserve },
    (_, sample) => run.emit({ type: 'candidate', candidate: toCandidate(sample, run) }),
  );
  return pool.map((sample) => toCandidate(sample, run));
}

const toCandidate = (sample: StoredSample, { extract }: Pick<StageContext, 'extract'>): Candidate => ({
  index: sample.index,
  seed: sample.seed,
  text: sample.text,
  tokens: sample.tokens,
  logprobs: sample.logprobs,
  finish: sample.finish,
  answer: extract(sample.text),
});
