/** `t1 solve`: one problem, verified. */
import type { CommandModule } from 'yargs';
import { loadEngine, type EngineOptions } from '../engine/engine.js';
import { resolveModel } from '../model/resolve.js';
import { parseOptions } from '../options.js';
import { parseProblem } from '../problem/problem.js';
import { rewardModels } from '../reward/reward.js';
import { selectors } from '../select/select.js';
import { solve } from '../solve.js';
import { Store } from '../store/store.js';
import type { SolveResult } from '../types.js';
import { programRules } from '../verify/program-rules.js';
import { verifiers } from '../verify/verify.js';
import { engineOptions, withEngine } from './engine-flags.js';
import { flagOf, sandboxOptions, withDatabase, withJson, withModel, withSampling, withSandbox } from './flags.js';
import { argumentText, scaledFile } from './input.js';
import { loadForCommand } from './load.js';
import { Progress } from './progress.js';
import { solveTable } from './solve-table.js';

const builder = (yargs: import('yargs').Argv) =>
  withSandbox(withEngine(withJson(withDatabase(withSampling(withModel(yargs))))))
    .positional('problem', { type: 'string', describe: 'the question; - reads standard input' })
    .option('programs', { type: 'number', requiresArg: true, describe: "checking programs per candidate (default: the model profile's)" })
    .option('program-timeout', { type: 'number', default: 2000, requiresArg: true, describe: 'time limit of a program, ms' })
    .option('verifier', { choices: Object.keys(verifiers), default: 'math', requiresArg: true, describe: 'math: programs; steps: the calculations that a solution states; or those before programs' })
    .option('program-rule', { choices: Object.keys(programRules), default: 'any', requiresArg: true, describe: "how many of a candidate's programs must print True" })
    .option('unknown', { choices: ['fail', 'pass'], default: 'fail', requiresArg: true, describe: 'what a candidate counts as of which the tool says nothing' })
    .option('reward', { choices: Object.keys(rewardModels), default: 'yes-no', requiresArg: true, describe: 'yes-no: read at once; genrm: after rationales' })
    .option('rationales', { type: 'number', requiresArg: true, describe: "rationales per candidate (default: the model profile's)" })
    .option('rationale-score', { choices: ['probability', 'vote'], default: 'probability', requiresArg: true, describe: 'what a rationale counts' })
    .option('select', { choices: Object.keys(selectors), default: 'weighted', requiresArg: true, describe: 'how the answer is chosen' })
    .option('fallback', { choices: ['reward', 'majority', 'abstain'], default: 'reward', requiresArg: true, describe: 'what decides when no candidate passes' })
    .option('reward-model', { type: 'string', requiresArg: true, describe: 'another model for the reward: GGUF file or hf:user/repo:quant (default: the model itself)' })
    .option('adapter-tool', { type: 'string', array: true, requiresArg: true, describe: 'LoRA as GGUF for the checking programs; FILE:SCALE scales it, several add up' })
    .option('adapter-reward', { type: 'string', array: true, requiresArg: true, describe: 'the same for the reward (of --reward-model, where that is given)' })
    .option('cache', { type: 'boolean', default: true, describe: 'use and fill the database; --no-cache does neither' });

type Arguments = Awaited<ReturnType<typeof builder>['argv']>;

export const solveCommand = (signal: AbortSignal): CommandModule<object, Arguments> => ({
  command: 'solve [problem]',
  describe: 'sample solutions, refute them with programs, score them, answer',
  builder: (yargs) => builder(yargs as import('yargs').Argv) as never,
  handler: async (args) => {
    const options = parseOptions(settingsOf(args), flagOf);
    const problem = parseProblem(await argumentText(args.problem, 'problem')).text;
    const result = await solveOnce(problem, options, args, signal);
    process.stdout.write(args.json ? `${JSON.stringify(result)}\n` : solveTable(result));
    process.exitCode = result.answer === null ? 3 : 0;
  },
});

const settingsOf = (args: Arguments) => ({
  samples: args.nSamples,
  seed: args.seed,
  temperature: args.temp,
  topK: args.topK,
  topP: args.topP,
  minP: args.minP,
  ...(args.maxTokens !== undefined && { maxTokens: args.maxTokens }),
  ...(args.programs !== undefined && { programs: args.programs }),
  programTimeoutMs: args.programTimeout,
  verifier: args.verifier,
  programRule: args.programRule,
  unknown: args.unknown,
  reward: args.reward,
  ...(args.rationales !== undefined && { rationales: args.rationales }),
  rationaleScore: args.rationaleScore,
  select: args.select,
  fallback: args.fallback,
  ...(args.adapterTool !== undefined && { adapterTool: 'tool' }),
  ...(args.adapterReward !== undefined && { adapterReward: 'reward' }),
});

type Adapters = NonNullable<EngineOptions['adapters']>;

/** By the names that `settingsOf` gives them. */
const toolAdapter = ({ adapterTool: files = [] }: Arguments): Adapters => files.map((text) => ({ name: 'tool', ...scaledFile(text) }));
const rewardAdapter = ({ adapterReward: files = [] }: Arguments): Adapters => files.map((text) => ({ name: 'reward', ...scaledFile(text) }));

/** What each of two engines in this process may take. */
const halved = ({ memoryBytes, ...flags }: ReturnType<typeof engineOptions>): ReturnType<typeof engineOptions> => ({
  ...flags,
  memoryShare: 0.5,
  ...(memoryBytes !== undefined && { memoryBytes: memoryBytes / 2 }),
});

async function solveOnce(
  problem: string,
  options: ReturnType<typeof parseOptions>,
  args: Arguments,
  signal: AbortSignal,
): Promise<SolveResult> {
  const engineFlags = engineOptions(args);
  const progress = new Progress();
  const store = Store.open(args.cache ? args.db : ':memory:');
  try {
    const resolve = (model: string) => resolveModel(model, { signal, onProgress: (p) => progress.download(p) });
    const path = await resolve(args.model);
    const rewardPath = args.rewardModel === undefined ? undefined : await resolve(args.rewardModel);
    const two = rewardPath !== undefined;
    const shared = two ? halved(engineFlags) : engineFlags;
    const adapters = [...toolAdapter(args), ...(two ? [] : rewardAdapter(args))];
    await using engine = await loadForCommand({ ...shared, path, adapters }, progress);
    await using rewardEngine = two ? await loadEngine({ ...shared, path: rewardPath, adapters: rewardAdapter(args) }) : undefined;
    const solving = solve(problem, { ...options, engine, rewardEngine, store, sandboxOptions: sandboxOptions(args), signal });
    for await (const event of solving) progress.show(event);
    return await solving.result;
  } finally {
    progress.stop();
    store.close();
  }
}
