/** `t1 solve`: one problem, verified. */
import { z } from 'zod';
import { loadEngine, type EngineOptions } from '../engine/engine.js';
import type { Engine } from '../engine/engine-types.js';
import { T1Error } from '../errors.js';
import type { NameOf } from '../message.js';
import { resolveModel } from '../model/resolve.js';
import { parseOptions, type SolveOptions } from '../options.js';
import { defaultDatabase, shippedModel } from '../paths.js';
import { parseProblem } from '../problem/problem.js';
import { sandboxSettings } from '../settings/sandbox-settings.js';
import { sessionSettings } from '../settings/session-settings.js';
import type { Setting, Settled } from '../settings/setting.js';
import { solveSettings } from '../settings/solve-settings.js';
import { solve } from '../solve.js';
import { Store } from '../store/store.js';
import type { SolveResult } from '../types.js';
import { loadTool, type Tool } from '../verify/tool.js';
import { verifiers } from '../verify/verify.js';
import { command } from './command.js';
import { checkedEngine, engineFlags, halved } from './engine-flags.js';
import { jsonFlag, promptFile, sandboxOptions } from './flags.js';
import { argumentText, scaledFile } from './input.js';
import { loadForCommand } from './load.js';
import { Progress } from './progress.js';
import { solveTable } from './solve-table.js';

/** A name, or the path of a tool: which of them is found out when it is loaded. */
const verifierFlag = {
  type: z.string().min(1).optional(),
  group: 'Tool',
  help: `what refutes candidates: ${Object.keys(verifiers).join(', ')}, or a JavaScript file with a tool of your own`,
  absent: "math; of a benchmark the task's",
} satisfies Setting;

/** Everything that says how a problem is solved. */
export const solvingFlags = {
  ...sessionSettings,
  ...solveSettings,
  verifier: verifierFlag,
  ...jsonFlag,
  ...engineFlags,
  sandbox: { parts: sandboxSettings },
} as const;

export type SolvingFlags = Settled<typeof solvingFlags>;

export const solveCommand = command({
  flags: { ...solvingFlags, ...promptFile },
  words: { problem: { type: z.string().optional(), group: 'Options', help: 'the question; - reads standard input' } },
  text: 'problem',
  run: async ({ flags, words, nameOf, signal }) => {
    const options = await settingsIn(flags, 'math');
    const problem = parseProblem(await argumentText(words.problem, 'problem', flags.file)).text;
    const result = await solveOnce(problem, options, flags, nameOf, signal);
    process.stdout.write(flags.json ? `${JSON.stringify(result)}\n` : solveTable(result));
    process.exitCode = result.answer === null ? 3 : 0;
  },
});

/** Names that these commands load adapters under. */
const ADAPTERS = { tool: 'tool', reward: 'reward' } as const;

/**
 * Of all flags those that are settings of a solve.
 *
 * @param verifier what it is where no flag names one
 */
export async function settingsIn(flags: SolvingFlags, verifier: string): Promise<SolveOptions> {
  const own = Object.entries(flags).filter(([name]) => Object.hasOwn(solveSettings, name));
  return parseOptions({
    ...Object.fromEntries(own),
    verifier: await verifierOf(flags.verifier ?? verifier),
    ...(flags.toolAdapters && { adapterTool: ADAPTERS.tool }),
    ...(flags.rewardAdapters && { adapterReward: ADAPTERS.reward }),
  });
}

/** A name of ours, or whoever writes a path means a file. */
const verifierOf = async (name: string): Promise<string | Tool> => {
  if (Object.hasOwn(verifiers, name)) return name;
  if (/[\\/]|\.[cm]?js$/.test(name)) return loadTool(name);
  throw new T1Error(
    'USAGE',
    `must be one of ${Object.keys(verifiers).join(', ')}, or the path of a tool of your own, as ./tool.mjs, not '${name}'`,
    { setting: 'verifier' },
  );
};

type Adapters = NonNullable<EngineOptions['adapters']>;

const loaded = (name: string, files: readonly string[] = []): Adapters =>
  files.map((text) => ({ name, ...scaledFile(text) }));

/** The engines that these flags ask for, for as long as `use` runs. */
export async function withEngines<Result>(
  flags: SolvingFlags,
  progress: Progress,
  signal: AbortSignal,
  use: (engines: { readonly engine: Engine; readonly rewardEngine: Engine | undefined }) => Promise<Result>,
): Promise<Result> {
  const settings = checkedEngine(flags.engine);
  const resolve = (model: string) => resolveModel(model, { signal, onProgress: (p) => progress.download(p) });
  const path = await resolve(flags.model ?? shippedModel);
  const rewardPath = flags.rewardModel === undefined ? undefined : await resolve(flags.rewardModel);
  const two = rewardPath !== undefined;
  const shared = two ? halved(settings) : settings;
  const rewardAdapters = loaded(ADAPTERS.reward, flags.rewardAdapters);
  const adapters = [...loaded(ADAPTERS.tool, flags.toolAdapters), ...(two ? [] : rewardAdapters)];
  await using engine = await loadForCommand({ ...shared, path, adapters }, progress);
  await using rewardEngine = two
    ? await loadEngine({ ...shared, path: rewardPath, adapters: rewardAdapters })
    : undefined;
  return await use({ engine, rewardEngine });
}

async function solveOnce(
  problem: string,
  options: SolveOptions,
  flags: SolvingFlags,
  nameOf: NameOf,
  signal: AbortSignal,
): Promise<SolveResult> {
  const progress = new Progress();
  checkedEngine(flags.engine); // wrong flags are told before the database is opened
  const store = Store.open(flags.cache ? (flags.database ?? defaultDatabase()) : ':memory:');
  try {
    return await withEngines(flags, progress, signal, async (engines) => {
      const sandbox = sandboxOptions(flags.sandbox, nameOf);
      const solving = solve(problem, { ...options, ...engines, store, sandboxOptions: sandbox, signal });
      for await (const event of solving) progress.show(event);
      return await solving.result;
    });
  } finally {
    progress.stop();
    store.close();
  }
}
