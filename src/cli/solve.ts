/** `t1 solve`: one problem, verified. */
import type { Argv, CommandModule } from 'yargs';
import { T1Error } from '../errors.js';
import type { EngineOptions } from '../engine/engine.js';
import { parseOptions } from '../options.js';
import { parseProblem } from '../problem/problem.js';
import { aggregations } from '../reward/entry.js';
import { rewardModels } from '../reward/reward.js';
import { selectors } from '../select/select.js';
import { Session } from '../session.js';
import { solve } from '../solve.js';
import type { SolveResult } from '../types.js';
import { rules } from '../verify/opinion-rules.js';
import { loadTool, type Tool } from '../verify/tool.js';
import { verifiers } from '../verify/verify.js';
import { engineOptions, withEngine } from './engine-flags.js';
import { flagOf, sandboxOptions, withDatabase, withJson, withModel, withSampling, withSandbox } from './flags.js';
import { argumentText, scaledFile } from './input.js';
import { sayDevice } from './load.js';
import { Progress } from './progress.js';
import { solveTable } from './solve-table.js';

/** Everything that says how a problem is solved. */
export const withSolving = (yargs: Argv) =>
  withSandbox(withEngine(withJson(withDatabase(withSampling(withModel(yargs))))))
    .option('budget', {
      choices: ['fixed', 'adaptive'],
      default: 'fixed',
      requiresArg: true,
      describe: 'adaptive: fewer than --n-samples once the answer that leads is settled',
    })
    .option('confidence', {
      type: 'number',
      default: 0.95,
      requiresArg: true,
      describe: 'of an adaptive budget; 1: only when it cannot be overtaken',
    })
    .option('programs', {
      type: 'number',
      requiresArg: true,
      describe: "checking programs per candidate (default: the model profile's)",
    })
    .option('program-timeout', {
      type: 'number',
      default: 2000,
      requiresArg: true,
      describe: 'time limit of a program, ms',
    })
    .option('verifier', {
      type: 'string',
      default: 'math',
      requiresArg: true,
      describe: `${Object.keys(verifiers).join(', ')}, or a JavaScript file with a tool of your own`,
    })
    .option('program-rule', {
      choices: Object.keys(rules),
      default: 'any',
      requiresArg: true,
      describe: "how many of a candidate's programs must print True",
    })
    .option('index', {
      type: 'string',
      default: 'factbook',
      requiresArg: true,
      describe: 'knowledge: the index that is searched (t1 index list)',
    })
    .option('passages', {
      type: 'number',
      default: 3,
      requiresArg: true,
      describe: 'knowledge: passages for each solution',
    })
    .option('bm25-k1', {
      type: 'number',
      requiresArg: true,
      describe: 'knowledge: how soon more of a word counts less',
    })
    .option('bm25-b', { type: 'number', requiresArg: true, describe: 'knowledge: how much long passages count less' })
    .option('checks', {
      type: 'number',
      requiresArg: true,
      describe: "knowledge: fact checks per candidate (default: the model profile's)",
    })
    .option('check-rule', {
      choices: Object.keys(rules),
      default: 'all',
      requiresArg: true,
      describe: 'how many of them must say Yes',
    })
    .option('unknown', {
      choices: ['fail', 'pass'],
      default: 'fail',
      requiresArg: true,
      describe: 'what a candidate counts as of which the tool says nothing',
    })
    .option('reward', {
      choices: ['auto', ...Object.keys(rewardModels)],
      default: 'auto',
      requiresArg: true,
      describe:
        'yes-no: read at once; genrm: after rationales; prm: of each step; classifier: its own head; auto: what the model was made for, else yes-no',
    })
    .option('reward-entry', {
      type: 'string',
      requiresArg: true,
      describe: "JSON that says how a reward model is asked (default: models/rewards, by the model's name)",
    })
    .option('aggregation', {
      choices: Object.keys(aggregations),
      requiresArg: true,
      describe: "how step scores become one (default: the reward model's)",
    })
    .option('rationales', {
      type: 'number',
      requiresArg: true,
      describe: "rationales per candidate (default: the model profile's)",
    })
    .option('rationale-score', {
      choices: ['probability', 'vote'],
      default: 'probability',
      requiresArg: true,
      describe: 'what a rationale counts',
    })
    .option('select', {
      choices: Object.keys(selectors),
      default: 'weighted',
      requiresArg: true,
      describe: 'how the answer is chosen',
    })
    .option('fallback', {
      choices: ['reward', 'majority', 'abstain'],
      default: 'reward',
      requiresArg: true,
      describe: 'what decides when no candidate passes',
    })
    .option('reward-model', {
      type: 'string',
      requiresArg: true,
      describe: 'another model for the reward: GGUF file or hf:user/repo:quant (default: the model itself)',
    })
    .option('adapter-tool', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: 'LoRA as GGUF for the checking programs; FILE:SCALE scales it; given again, they add up',
    })
    .option('adapter-reward', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: 'the same for the reward (of --reward-model, where that is given)',
    })
    .option('cache', {
      type: 'boolean',
      default: true,
      describe: 'use and fill the database; --no-cache does neither',
    });

const builder = (yargs: Argv) =>
  withSolving(yargs).positional('problem', { type: 'string', describe: 'the question; - reads standard input' });

export type SolvingArguments = Awaited<ReturnType<typeof withSolving>['argv']>;
type Arguments = Awaited<ReturnType<typeof builder>['argv']>;

export const solveCommand = (signal: AbortSignal): CommandModule<object, Arguments> => ({
  command: 'solve [problem]',
  describe: 'sample solutions, refute them with programs, score them, answer',
  builder: (yargs) => builder(yargs as Argv) as never,
  handler: async (args) => {
    const options = parseOptions({ ...settingsOf(args), verifier: await verifierOf(args.verifier) }, flagOf);
    const problem = parseProblem(await argumentText(args.problem, 'problem')).text;
    const result = await solveOnce(problem, options, args, signal);
    process.stdout.write(args.json ? `${JSON.stringify(result)}\n` : solveTable(result));
    process.exitCode = result.answer === null ? 3 : 0;
  },
});

export const settingsOf = (args: SolvingArguments) => ({
  samples: args.nSamples,
  budget: args.budget,
  confidence: args.confidence,
  seed: args.seed,
  temperature: args.temp,
  topK: args.topK,
  topP: args.topP,
  minP: args.minP,
  ...(args.maxTokens !== undefined && { maxTokens: args.maxTokens }),
  ...(args.programs !== undefined && { programs: args.programs }),
  programTimeoutMs: args.programTimeout,
  index: args.index,
  passages: args.passages,
  bm25: { ...(args.bm25K1 !== undefined && { k1: args.bm25K1 }), ...(args.bm25B !== undefined && { b: args.bm25B }) },
  ...(args.checks !== undefined && { checks: args.checks }),
  checkRule: args.checkRule,
  programRule: args.programRule,
  unknown: args.unknown,
  reward: args.reward,
  ...(args.rewardEntry !== undefined && { rewardEntry: args.rewardEntry }),
  ...(args.aggregation !== undefined && { aggregation: args.aggregation }),
  ...(args.rationales !== undefined && { rationales: args.rationales }),
  rationaleScore: args.rationaleScore,
  select: args.select,
  fallback: args.fallback,
  ...(args.adapterTool !== undefined && { adapterTool: 'tool' }),
  ...(args.adapterReward !== undefined && { adapterReward: 'reward' }),
});

/** A name of ours, or whoever writes a path means a file. */
export const verifierOf = async (name: string): Promise<string | Tool> => {
  if (Object.hasOwn(verifiers, name)) return name;
  if (/[\\/]|\.[cm]?js$/.test(name)) return loadTool(name);
  throw new T1Error(
    'USAGE',
    `--verifier: '${name}' is none of ${Object.keys(verifiers).join(', ')}; a tool of your own is a path, as ./tool.mjs`,
  );
};

type Adapters = NonNullable<EngineOptions['adapters']>;

/** By the names that `settingsOf` gives them. */
const toolAdapter = ({ adapterTool: files = [] }: SolvingArguments): Adapters =>
  files.map((text) => ({ name: 'tool', ...scaledFile(text) }));
const rewardAdapter = ({ adapterReward: files = [] }: SolvingArguments): Adapters =>
  files.map((text) => ({ name: 'reward', ...scaledFile(text) }));

/** The session that these flags ask for, for as long as `use` runs. */
export async function withSession<Result>(
  args: SolvingArguments,
  progress: Progress,
  signal: AbortSignal,
  use: (session: Session) => Promise<Result>,
): Promise<Result> {
  const flags = engineOptions(args); // wrong flags are told before anything is opened
  sayDevice(flags, progress);
  const two = args.rewardModel !== undefined;
  const session = await Session.open({
    ...flags,
    model: args.model,
    rewardModel: args.rewardModel,
    adapters: [...toolAdapter(args), ...(two ? [] : rewardAdapter(args))],
    rewardAdapters: two ? rewardAdapter(args) : [],
    database: args.cache && args.db,
    sandbox: sandboxOptions(args),
    signal,
    onDownload: (p) => progress.download(p),
  });
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}

async function solveOnce(
  problem: string,
  options: ReturnType<typeof parseOptions>,
  args: Arguments,
  signal: AbortSignal,
): Promise<SolveResult> {
  const progress = new Progress();
  try {
    return await withSession(args, progress, signal, async (session) => {
      const solving = solve(session, problem, { ...options, signal });
      for await (const event of solving) progress.show(event);
      return await solving;
    });
  } finally {
    progress.stop();
  }
}
