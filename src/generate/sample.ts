/** Stage 3: candidates of one prompt. */
import { must } from '../must.js';
import type { Prompt } from '../prompt/prompt.js';
import type { StageContext } from '../stage-context.js';
import type { Candidate, StoredSample } from '../types.js';
import { sampleCached } from './cached.js';
import { sampleSeed } from './seeds.js';

/** About what a role's question takes. */
const QUESTION_TOKENS = 256;

/**
 * @param indices sample indices; each has a seed of its own, so it does not matter which are sampled together
 * @param onCandidate told of each as soon as it is there
 * @returns [indices] candidates
 */
export async function sampleCandidates(
  prompt: Prompt,
  indices: readonly number[],
  context: StageContext,
  onCandidate: (candidate: Candidate) => void = () => {},
): Promise<Candidate[]> {
  const { samples, seed, temperature, topK, topP, minP, maxTokens } = context.settings;
  const { defaults } = context.profile;
  const longest = maxTokens ?? defaults.maxTokens;
  // The verifiers continue the candidates.
  const reserve = {
    sequences: samples * (context.settings.programs ?? defaults.programs),
    tokens: prompt.tokens.length + longest + QUESTION_TOKENS + defaults.programTokens,
  };
  const candidateOf = (sample: StoredSample): Candidate => ({
    ...toCandidate(sample, context),
    index: must(indices[sample.index], `sample index of sample ${sample.index}`),
  });
  const [pool = []] = await sampleCached(
    context,
    'sample',
    [{ tokens: prompt.tokens, seeds: indices.map((index) => sampleSeed(seed, index)) }],
    { sampler: { temperature, topK, topP, minP }, maxTokens: longest, reserve },
    (_, sample) => {
      const candidate = candidateOf(sample);
      context.emit({ type: 'candidate', candidate });
      onCandidate(candidate);
    },
  );
  return pool.map(candidateOf);
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
