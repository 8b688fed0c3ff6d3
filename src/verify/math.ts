/**
 * Tool verifier for maths (arXiv 2504.04718, §3 and appendix D): the model writes k programs for each solution,
 * each runs in the sandbox, and the solution passes by the rule of `settings.programRule` over what they print.
 */
import { sampleCached } from '../generate/cached.js';
import { sampleSeed } from '../generate/seeds.js';
import { must } from '../must.js';
import type { Problem } from '../problem/problem.js';
import type { Prompt } from '../prompt/prompt.js';
import { rolePrompts } from '../prompt/role-prompts.js';
import type { StageContext } from '../stage-context.js';
import type { Candidate, Opinion, ProgramRun, StoredSample, ToolVerdict } from '../types.js';
import { extractCode } from './extract-code.js';
import { judge } from './opinion-rules.js';
import { runPrograms } from './program-runs.js';

const NOT_ASKED: ToolVerdict = { verdict: 'unknown', programs: [] };

/** Replies and runs are remembered, the verdict follows from them: under another rule nothing is asked again. */
export async function verifyMath(
  problem: Problem,
  solvePrompt: Prompt,
  candidates: readonly Candidate[],
  run: StageContext,
): Promise<ToolVerdict[]> {
  const { programTokens, programTemperature } = run.profile.defaults;
  const { program: role } = run.profile.roles;
  const asked = await rolePrompts(run.engine, role, problem, solvePrompt, candidates, programTokens);
  const seeds = programSeeds(run, programTemperature);
  const verdicts = new Map<number, ToolVerdict>(); // by index of the candidate
  const verify = async (place: number, replies: readonly StoredSample[]): Promise<void> => {
    const tool = await verdictOf(replies, run);
    for (const { index } of must(asked[place], 'what was asked').candidates) {
      verdicts.set(index, tool);
      run.emit({ type: 'verdict', index, tool });
    }
  };
  // A solution's programs run as soon as all of them are written, while those of others still are.
  const written: StoredSample[][] = asked.map(() => []);
  const verifying: Promise<void>[] = [];
  const writing = sampleCached(
    run,
    'verify',
    asked.map(({ prompt }) => ({ tokens: prompt.tokens, seeds })),
    {
      sampler: { temperature: programTemperature, topK: 0, topP: 1, minP: 0 },
      maxTokens: programTokens,
      adapter: run.adapters.tool,
      grammar: role.grammar,
    },
    (place, sample) => {
      const replies = must(written[place], 'the replies of a prompt');
      if (replies.push(sample) < seeds.length) return;
      const verified = verify(
        place,
        replies.sort((a, b) => a.index - b.index),
      );
      verified.catch(() => {}); // it is waited for below
      verifying.push(verified);
    },
  );
  await writing.finally(() => Promise.allSettled(verifying));
  await Promise.all(verifying);
  // Those without an answer, or too long to ask about, were not asked.
  return candidates.map(({ index }) => verdicts.get(index) ?? NOT_ASKED);
}

/** By the rule, over what the programs of these replies print. */
async function verdictOf(replies: readonly StoredSample[], run: StageContext): Promise<ToolVerdict> {
  const codes = replies.map(({ text }) => extractCode(text));
  const distinct = [...new Set(codes.filter((code) => code !== null))];
  const ran = await runPrograms(distinct, run.settings.programTimeoutMs, run);
  const programs = codes.map((code): ProgramRun => {
    if (code === null) return { code, status: 'missing', stdout: '', ms: 0 };
    return { code, ...must(ran[distinct.indexOf(code)], 'the run of a program') };
  });
  return { verdict: judge(programs.map(opinionOf), run.settings.programRule), programs, tokens: tokensOf(replies) };
}

/** Only exactly True and exactly False are verdicts; a program that printed anything else, or crashed, says nothing. */
export function opinionOf({ status, stdout }: Pick<ProgramRun, 'status' | 'stdout'>): Opinion {
  const said = status === 'ok' ? stdout.trim() : '';
  return said === 'True' ? 'pass' : said === 'False' ? 'fail' : 'unknown';
}

/** @returns tokens that were generated for these replies, now or in an earlier run */
export const tokensOf = (replies: readonly Pick<StoredSample, 'tokens'>[]): number =>
  replies.reduce((sum, { tokens }) => sum + tokens.length, 0);

/** Greedy programs are all alike and need no seed; then runs with other seeds share them. */
function programSeeds(run: StageContext, temperature: number): number[] {
  const count = run.settings.programs ?? run.profile.defaults.programs;
  return Array.from({ length: temperature === 0 ? 1 : count }, (_, i) =>
    temperature === 0 ? 0 : sampleSeed(run.settings.seed, i),
  );
}
