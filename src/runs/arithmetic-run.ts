/**
 * Claims about sums, judged by thinking, by a program, and by both (arXiv 2504.04718, appendix A and figure 1b). All
 * greedy.
 */
import { mapAtOnce } from '../at-once.js';
import { T1Error } from '../errors.js';
import { sampleCached, type SampleSource } from '../generate/cached.js';
import type { Profile } from '../prompt/profile.js';
import { renderPrompt } from '../prompt/prompt.js';
import type { ProgramRunner } from '../stage-context.js';
import type { Claim } from '../task/arithmetic-task.js';
import { extractCode } from '../verify/extract-code.js';
import type { EvaluateProgress } from './progress-meter.js';
import { recordKey, type ClaimRecord } from './record.js';
import type { RunFile } from './run-file.js';

const GREEDY = { temperature: 0, topK: 0, topP: 1, minP: 0 };
/** As many claims as are decoded in one job; written down after each. */
const CLAIMS_AT_ONCE = 200;
/** What a thought, or a program of one sum, may take. */
const MOST_TOKENS = 512;

/** @throws T1Error USAGE when the profile has no words for it; what engine, sandbox and store raise */
export async function evaluateArithmetic(
  claims: readonly Claim[],
  run: RunFile,
  source: SampleSource & { readonly profile: Profile },
  sandbox: ProgramRunner,
  onProgress: (progress: EvaluateProgress) => void,
): Promise<void> {
  const { think, code } = source.profile.roles;
  if (!think || !code)
    throw new T1Error('USAGE', `the prompt profile '${source.profile.name}' has no words for the task arithmetic`);
  const done = run.done(true);
  const todo = claims
    .map((claim, ordinal) => ({ claim, ordinal }))
    .filter(({ claim }) => !done.has(recordKey({ id: claim.id, seed: 0 })));
  const started = performance.now();
  let [finished, correct] = [0, 0];
  for (let from = 0; from < todo.length; from += CLAIMS_AT_ONCE) {
    const chunk = todo.slice(from, from + CLAIMS_AT_ONCE);
    const ask = async (role: NonNullable<typeof think>) => {
      const rendered = chunk.map(({ claim }) => renderPrompt(source.engine, role, { problem: claim.text }));
      const prompts = (await Promise.all(rendered)).map(({ tokens }) => ({ tokens, seeds: [0] }));
      const room = source.engine.model.contextLength - Math.max(...prompts.map(({ tokens }) => tokens.length));
      const replies = await sampleCached(source, 'sample', prompts, {
        sampler: GREEDY,
        maxTokens: Math.min(MOST_TOKENS, room),
      });
      return replies.map(([reply]) => ({ text: reply?.text ?? '', tokens: reply?.tokens.length ?? 0 }));
    };
    const thoughts = await ask(think);
    const programs = await ask(code);
    const printed = await mapAtOnce(
      programs,
      async ({ text }, signal) => {
        const program = extractCode(text);
        if (program === null) return '';
        const { status, stdout } = await sandbox.run({ code: program, timeoutMs: 2000, signal });
        return status === 'ok' ? stdout : '';
      },
      { signal: source.signal },
    );
    chunk.forEach(({ claim, ordinal }, i) => {
      const [thought, program] = [thoughts[i], programs[i]];
      const record: ClaimRecord = {
        outcome: 'claim',
        id: claim.id,
        seed: 0,
        problem: claim.text,
        gold: claim.right ? 'True' : 'False',
        category: String(claim.operands),
        byThinking: verdictOf(thought?.text ?? ''),
        byProgram: verdictOf(printed[i] ?? ''),
        thought: thought?.text ?? '',
        program: program?.text ?? '',
        printed: printed[i] ?? '',
        tokens: thought?.tokens ?? 0,
        toolTokens: program?.tokens ?? 0,
      };
      run.save(ordinal, record);
      finished++;
      if (record.byProgram === claim.right) correct++;
    });
    const { generatedTokens } = source.usage.total;
    const seconds = (performance.now() - started) / 1000;
    onProgress({
      finished,
      total: todo.length,
      correct,
      failed: 0,
      candidates: 2 * finished,
      candidatesTotal: 2 * todo.length,
      programs: finished,
      generatedTokens,
      tokensPerSecond: generatedTokens / seconds,
      cacheHits: source.memory.counts.hits,
      seconds,
      secondsLeft: ((todo.length - finished) * seconds) / finished,
    });
  }
}

/** What is said last: True or False, or that the calculation is correct or incorrect (prompts A.1 and A.2). */
export function verdictOf(text: string): boolean | null {
  const word = text
    .match(/\b(?:true|false|correct|incorrect)\b/gi)
    ?.at(-1)
    ?.toLowerCase();
  return word === undefined ? null : word === 'true' || word === 'correct';
}
