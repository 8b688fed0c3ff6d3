/** `solve`: one problem in, a stream of events and one result out. */
import { setMaxListeners } from 'node:events';
import { adaptively } from './budget.js';
import type { Engine } from './engine/engine-types.js';
import { extractBoxed } from './grade/boxed.js';
import { grade } from './grade/grader.js';
import type { SameAnswer } from './grade/same.js';
import type { KnowledgeIndex } from './knowledge/knowledge-index.js';
import { openKnowledge } from './knowledge/shipped.js';
import { fingerprint } from './model/fingerprint.js';
import { keepKvCosts, recallKvCosts } from './model/kv-costs.js';
import { runAdapter } from './model/run-adapter.js';
import { parseOptions, type SolveSettings } from './options.js';
import { pipeline } from './pipeline.js';
import { profileFor, type Profile, type Role } from './prompt/profile.js';
import { UsageCounter, type KnowledgeSearch, type ProgramRunner, type StageContext } from './stage-context.js';
import { readRewardEntry, rewardEntryFor } from './reward/entry.js';
import { rewardFor } from './reward/reward.js';
import { LazySandbox } from './sandbox/lazy-sandbox.js';
import { Sandbox, type SandboxOptions } from './sandbox/sandbox.js';
import { Stopwatch } from './stopwatch.js';
import { Store } from './store/store.js';
import type { SolveEvent, SolveResult } from './types.js';
import { toolVerifier } from './verify/tool.js';
import { verifiers } from './verify/verify.js';

export interface SolveContext extends SolveSettings {
  readonly engine: Engine;
  /** Another model for the reward, with a chat template, tokenizer and profile of its own; `engine` when absent. */
  readonly rewardEngine?: Engine | undefined;
  /** Results are looked up and kept here; without it they live for this one call. The caller closes it. */
  readonly store?: Store | undefined;
  /** Runs the programs; without it a sandbox is started when needed and ended with the call. */
  readonly sandbox?: ProgramRunner | undefined;
  /** Searched by the verifier knowledge, instead of the index of that name. */
  readonly knowledge?: KnowledgeSearch | undefined;
  /** Told to the solver instead of the profile's words, as Jinja over `problem`. */
  readonly solveMessages?: Role['messages'] | undefined;
  /** Finds the final answer in a solution; the last `\\boxed{…}` when absent. */
  readonly extract?: ((solution: string) => string | null) | undefined;
  /** Whether two answers are one, so that their votes add up; graded as mathematics when absent. */
  readonly same?: SameAnswer | undefined;
  /** How that sandbox is started, if there is none above. */
  readonly sandboxOptions?: SandboxOptions | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A problem being solved. Iterate it for live events, or await `result`, or both. */
export interface Solving extends AsyncIterable<SolveEvent> {
  readonly result: Promise<SolveResult>;
}

/**
 * Solves one problem.
 *
 * @param problem the question in plain words
 * @returns events as they happen; the last one is the answer. `result` rejects with a T1Error: USAGE for a setting
 *   out of range, INPUT for an unusable problem, PROMPT_TOO_LONG, ABORTED, DISPOSED, and what engine, sandbox and
 *   store raise. Ending the iteration early does not stop the work; the signal does.
 */
export function solve(problem: string, context: SolveContext): Solving {
  // Started in a later turn, so that the stream below is there before the first event.
  let listener: ReadableStreamDefaultController<SolveEvent> | undefined;
  const result = Promise.resolve().then(() => solveProblem(problem, context, (event) => listener?.enqueue(event)));
  const events = new ReadableStream<SolveEvent>({
    start(controller) {
      listener = controller;
      result.then(
        () => listener?.close(),
        (error: unknown) => listener?.error(error), // an iterating caller need not await `result` too
      );
    },
    cancel() {
      listener = undefined;
    },
  });
  return { result, [Symbol.asyncIterator]: () => events[Symbol.asyncIterator]() };
}

async function solveProblem(
  problem: string,
  context: SolveContext,
  emit: (event: SolveEvent) => void,
): Promise<SolveResult> {
  const watch = new Stopwatch();
  const {
    engine,
    rewardEngine = engine,
    store: callerStore,
    sandbox: callerSandbox,
    sandboxOptions = {},
    knowledge: callerKnowledge,
    solveMessages,
    extract = extractBoxed,
    same: callerSame,
    signal: callerSignal,
    ...settings
  } = context;
  const signal = AbortSignal.any(callerSignal ? [callerSignal] : []);
  const same: SameAnswer = callerSame ?? (async (a, b) => (await grade(a, b, { kind: 'math', signal })).equal);
  setMaxListeners(0, signal); // every program that runs or waits listens to it
  const options = parseOptions(settings);
  const store = callerStore ?? Store.open(':memory:');
  const own = new LazySandbox(sandboxOptions);
  const sandbox = async (): Promise<ProgramRunner> => callerSandbox ?? own.start();
  const sandboxVersion = async (): Promise<string> =>
    callerSandbox ? (callerSandbox.version ?? 'unnamed') : own.version();
  let opened: Promise<KnowledgeIndex> | undefined;
  try {
    if (!callerSandbox) await Sandbox.versionOf(sandboxOptions); // options that cannot be used are told before anything is sampled
    const modelHash = await watch.time('load', () => fingerprint(engine.model.path, store));
    const adapters = await watch.time('load', async () => ({
      tool: await runAdapter(engine, options.adapterTool, 'adapterTool', store),
    }));
    const entry =
      options.rewardEntry === undefined ? rewardEntryFor(rewardEngine.model) : readRewardEntry(options.rewardEntry);
    const reward = await watch.time('load', async () => ({
      engine: rewardEngine,
      entry,
      modelHash: await fingerprint(rewardEngine.model.path, store),
      profile: profileFor(rewardEngine.model),
      adapter: await runAdapter(rewardEngine, options.adapterReward, 'adapterReward', store),
    }));
    const profile = withSolver(profileFor(engine.model), solveMessages);
    const knowledge = async () =>
      callerKnowledge ??
      (opened ??= openKnowledge(options.index, { signal, onNote: (note) => emit({ type: 'note', note }) }));
    const run: StageContext = {
      engine,
      modelHash,
      adapters,
      profile,
      reward,
      settings: options,
      store,
      sandbox,
      sandboxVersion,
      knowledge,
      extract,
      same,
      usage: new UsageCounter(),
      signal,
      emit,
    };
    recallKvCosts(engine, modelHash, store);
    const resolved = {
      ...options,
      verifier: typeof options.verifier === 'string' ? verifiers[options.verifier] : toolVerifier(options.verifier),
      reward: rewardFor(options.reward, entry),
    };
    const round = (samples: number) =>
      pipeline(problem, resolved, { ...run, settings: { ...options, samples } }, watch);
    const result = await (options.budget === 'adaptive' ? adaptively(options, round) : round(options.samples));
    keepKvCosts(engine, modelHash, store);
    emit({ type: 'answer', result });
    return result;
  } finally {
    await own.dispose();
    await opened?.then(
      (index) => index.dispose(),
      () => {},
    );
    if (!callerStore) store.close();
  }
}

/** The profile, with other words for the solver. */
export const withSolver = (profile: Profile, messages: Role['messages'] | undefined): Profile =>
  messages ? { ...profile, roles: { ...profile.roles, solve: { ...profile.roles.solve, messages } } } : profile;
