/** `t1 solve`: one problem, verified. */
import { z } from 'zod';
import type { EngineOptions } from '../engine/engine.js';
import { T1Error } from '../errors.js';
import { parseOptions, type SolveSettings } from '../options.js';
import { parseProblem } from '../problem/problem.js';
import { Session } from '../session.js';
import { sandboxSettings } from '../settings/sandbox-settings.js';
import { sessionSettings } from '../settings/session-settings.js';
import { ownValues, type Setting, type SettingTable, type Settled } from '../settings/setting.js';
import { solveSettings } from '../settings/solve-settings.js';
import { solve } from '../solve.js';
import { loadTool } from '../verify/tool.js';
import { verifiers } from '../verify/verify.js';
import { command, type Call } from './command.js';
import { checkedEngine, engineFlags } from './engine-flags.js';
import { jsonFlag, promptFile, sandboxOptions } from './flags.js';
import { argumentText, scaledFile } from './input.js';
import { jsonLine } from './json.js';
import { sayDevice } from './load.js';
import { Progress } from './progress.js';
import { solveTable } from './solve-table.js';

/** A name, or the path of a tool: which of them is found out when it is loaded. */
const verifierFlag = {
  type: z.string().min(1).optional(),
  group: 'Tool',
  help: `what refutes candidates: ${Object.keys(verifiers).join(', ')}, or a JavaScript file with a tool of your own`,
  absent: "math; of a benchmark the task's",
} satisfies Setting;

/** LoRAs are files here; settings of a solve call them by the names that they are loaded under. */
const adapterFlags = {
  toolAdapters: {
    type: z.array(z.string().min(1)).optional(),
    group: 'Model',
    help: 'LoRA as GGUF for the checking programs; FILE:SCALE scales it; several add up',
    absent: 'the base model',
    flag: 'adapter-tool',
  },
  rewardAdapters: {
    type: z.array(z.string().min(1)).optional(),
    group: 'Model',
    help: 'the same for the reward, of the model that gives it',
    absent: 'the base model',
    flag: 'adapter-reward',
  },
} satisfies SettingTable;

const cacheFlag = {
  cache: { type: z.boolean().default(true), group: 'Storage', help: 'use and fill the database' },
} satisfies SettingTable;

/** Everything that says how a problem is solved. */
export const solvingFlags = {
  ...sessionSettings,
  ...adapterFlags,
  ...solveSettings,
  verifier: verifierFlag,
  ...cacheFlag,
  ...jsonFlag,
  ...engineFlags,
  sandbox: { parts: sandboxSettings },
} as const;

export type SolvingFlags = Settled<typeof solvingFlags>;

export const solveCommand = command({
  flags: { ...solvingFlags, ...promptFile },
  words: { problem: { type: z.string().optional(), group: 'Options', help: 'the question; - reads standard input' } },
  text: 'problem',
  run: async (call) => {
    const { flags, words } = call;
    const options = parseOptions(await settingsIn(flags));
    const problem = parseProblem(await argumentText(words.problem, 'problem', flags.file)).text;
    const progress = new Progress();
    const result = await withSession(flags, progress, call, async (session) => {
      const solving = solve(session, problem, { ...options, signal: call.signal });
      for await (const event of solving) progress.show(event);
      return await solving;
    }).finally(() => progress.stop());
    process.stdout.write(flags.json ? jsonLine('solve', result) : solveTable(result));
    process.exitCode = result.answer === null ? 3 : 0;
  },
});

/** Names that these commands load adapters under. */
const ADAPTERS = { tool: 'tool', reward: 'reward' } as const;

/** Of all flags those that are settings of a solve; no verifier where no flag names one. */
export async function settingsIn(flags: SolvingFlags): Promise<SolveSettings> {
  const { verifier, ...own } = flags;
  return {
    ...ownValues(solveSettings, own),
    ...(verifier !== undefined && { verifier: await verifierOf(verifier) }),
    ...(flags.toolAdapters && { adapterTool: ADAPTERS.tool }),
    ...(flags.rewardAdapters && { adapterReward: ADAPTERS.reward }),
  };
}

const isBuiltIn = (name: string): name is keyof typeof verifiers => Object.hasOwn(verifiers, name);

/** A name of ours, or whoever writes a path means a file. */
const verifierOf = async (name: string): Promise<NonNullable<SolveSettings['verifier']>> => {
  if (isBuiltIn(name)) return name;
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

/** The session that these flags ask for, for as long as `use` runs. */
export async function withSession<Result>(
  flags: SolvingFlags,
  progress: Progress,
  { nameOf, signal }: Pick<Call<SettingTable, SettingTable>, 'nameOf' | 'signal'>,
  use: (session: Session) => Promise<Result>,
): Promise<Result> {
  const engine = checkedEngine(flags); // wrong flags are told before anything is opened
  sayDevice(engine, progress);
  const two = flags.rewardModel !== undefined;
  const rewardAdapters = loaded(ADAPTERS.reward, flags.rewardAdapters);
  const session = await Session.open({
    ...engine,
    model: flags.model,
    rewardModel: flags.rewardModel,
    adapters: [...loaded(ADAPTERS.tool, flags.toolAdapters), ...(two ? [] : rewardAdapters)],
    rewardAdapters: two ? rewardAdapters : [],
    database: flags.cache && flags.database,
    sandbox: sandboxOptions(flags.sandbox, nameOf),
    signal,
    onDownload: (p) => progress.download(p),
  });
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}
