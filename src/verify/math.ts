/**
 * Tool verifier for maths (arXiv 2504.04718, §3 and appendix D): the model writes k programs for each solution,
 * each runs in the sandbox, and the solution passes by the rule of `settings.programRule` over what they print.
 */
import { jobOf, sampleCached } from '../generate/cached.js';
import { sampleSeed } from '../generate/seeds.js';
import { adapterKey } from '../model/run-adapter.js';
import type { Problem } from '../problem/problem.js';
import type { Prompt } from '../prompt/prompt.js';
import { rolePrompts, type RolePrompt } from '../prompt/role-prompts.js';
import type { ProgramRunner, StageContext } from '../stage-context.js';
import type { ProgramResult } from '../sandbox/sandbox.js';
import { contentKey } from '../store/key.js';
import type { StoredSample } from '../store/store.js';
import type { Candidate, Opinion, ProgramRun, ToolVerdict } from '../types.js';
import { extractCode } from './extract-code.js';
import { judge } from './opinion-rules.js';

/** Raised when the same programs could lead to another verdict. */
const VERSION = 1;

const NOT_ASKED: ToolVerdict = { verdict: 'unknown', programs: [] };

export async function verifyMath(
  problem: Problem,
  solvePrompt: Prompt,
  candidates: readonly Candidate[],
  run: StageContext,
): Promise<ToolVerdict[]> {
  const { programTokens, programTemperature } = run.profile.defaults;
  const asked = await rolePrompts(
    run.engine,
    run.profile.roles.program,
    problem,
    solvePrompt,
    candidates,
    programTokens,
  );
  const verdicts = new Map<number, ToolVerdict>(); // by index of the candidate
  const told = () => candidates.map(({ index }) => verdicts.get(index) ?? NOT_ASKED);
  const { programRule } = run.settings;
  const tell = (same: readonly Candidate[], tool: ToolVerdict) => {
    for (const { index } of same) {
      verdicts.set(index, tool);
      run.emit({ type: 'verdict', index, tool });
    }
  };
  const seeds = programSeeds(run, programTemperature);
  const sandboxVersion = await run.sandboxVersion();
  const keyed = asked.map((entry) => ({ ...entry, key: verdictKey(run, entry, seeds, sandboxVersion) }));
  const unknown = keyed.filter(({ key, candidates: same }) => {
    const known = run.store.verdict(key);
    if (known) tell(same, { ...known, verdict: judge(known.programs.map(opinionOf), programRule) });
    return !known;
  });
  if (unknown.length === 0) return told();
  const missing = jobOf(run.engine, keyed, unknown);

  const sampler = { temperature: programTemperature, topK: 0, topP: 1, minP: 0 };
  const prompts = missing.map(({ prompt }) => ({ tokens: prompt.tokens, seeds }));
  const replies = await sampleCached(run, 'verify', prompts, {
    sampler,
    maxTokens: programTokens,
    adapter: run.adapters.tool,
    grammar: run.profile.roles.program.grammar,
  });
  const sandbox = await run.sandbox();
  await Promise.all(
    missing.map(async ({ key, candidates: same }, i) => {
      const programs = await runDistinct(replies[i]?.map(({ text }) => extractCode(text)) ?? [], sandbox, run);
      const tokens = tokensOf(replies[i] ?? []);
      const tool = { verdict: judge(programs.map(opinionOf), programRule), programs, tokens };
      // A sandbox that died says nothing of the program: ask again next time.
      if (!programs.some(({ status }) => status === 'died')) run.store.saveVerdict(key, 'math', tool);
      tell(same, tool);
    }),
  );
  return told();
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

/** Runs every distinct program once. */
async function runDistinct(
  codes: readonly (string | null)[],
  sandbox: ProgramRunner,
  run: StageContext,
): Promise<ProgramRun[]> {
  const runs = new Map<string, Promise<ProgramResult>>();
  const start = (code: string) => sandbox.run({ code, timeoutMs: run.settings.programTimeoutMs, signal: run.signal });
  for (const code of codes) if (code !== null && !runs.has(code)) runs.set(code, start(code));
  return Promise.all(
    codes.map(async (code): Promise<ProgramRun> => {
      const result = code === null ? undefined : await runs.get(code);
      if (!result) return { code, status: 'missing', stdout: '', ms: 0 };
      const missingModule = result.error?.missingModule ?? null;
      return {
        code,
        status: result.status,
        stdout: result.stdout,
        ms: result.ms,
        ...(missingModule !== null && { missingModule }),
      };
    }),
  );
}

function verdictKey(
  run: StageContext,
  { prompt }: RolePrompt,
  seeds: readonly number[],
  sandboxVersion: string,
): Buffer {
  const { programTemperature, programTokens } = run.profile.defaults;
  const { grammar } = run.profile.roles.program;
  const settings = [
    programTemperature,
    programTokens,
    run.settings.programTimeoutMs,
    seeds,
    ...(grammar === undefined ? [] : [grammar]),
  ];
  return contentKey(
    'math',
    VERSION,
    sandboxVersion,
    run.engine.build,
    run.modelHash,
    adapterKey(run.adapters.tool),
    prompt.tokens,
    settings,
  );
}
