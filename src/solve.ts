/** One problem in, a stream of events and one result out. */
import { setMaxListeners } from 'node:events';
import { untilAborted } from './abort.js';
import { orderedEngine } from './engine/ordered-engine.js';
import { extractBoxed } from './grade/boxed.js';
import { grade } from './grade/grader.js';
import type { SameAnswer } from './grade/same.js';
import { runAdapter } from './model/run-adapter.js';
import { parseOptions, type SolveSettings } from './options.js';
import { pipeline } from './pipeline.js';
import { profileFor, type Profile, type Role } from './prompt/profile.js';
import { readRewardEntry, rewardEntryFor } from './reward/entry.js';
import { rewardFor, rewardModels } from './reward/reward.js';
import type { Session } from './session.js';
import { UsageCounter, type StageContext } from './stage-context.js';
import { Stopwatch } from './stopwatch.js';
import { Memory } from './store/memory.js';
import type { SolveEvent, SolveResult } from './types.js';
import { toolVerifier } from './verify/tool.js';
import { verifiers } from './verify/verify.js';

/** What one problem may want for itself, beside the settings. */
export interface SolveCall extends SolveSettings {
  /** Ends the work on this problem. */
  readonly signal?: AbortSignal | undefined;
  /** Told to the solver instead of the profile's words, as Jinja over `problem`. */
  readonly solveMessages?: Role['messages'] | undefined;
  /** Finds the final answer in a solution; the last `\\boxed{…}` when absent. */
  readonly extract?: ((solution: string) => string | null) | undefined;
  /** Whether two answers are one, so that their votes add up; graded as mathematics when absent. */
  readonly same?: SameAnswer | undefined;
  /** Of several problems that are solved side by side those with the lowest are finished first; 0 when absent. */
  readonly ordinal?: number | undefined;
}

/** A problem being solved: await it for the result, iterate it for what happens on the way, or both. */
export interface Solving extends Promise<SolveResult>, AsyncIterable<SolveEvent> {
  readonly result: Promise<SolveResult>;
}

/**
 * Solves one problem with what the session has.
 *
 * @param problem the question in plain words
 * @returns events as they happen; the last one is the answer. The promise rejects with a T1Error: USAGE for a setting
 *   out of range, INPUT for an unusable problem, PROMPT_TOO_LONG, ABORTED, DISPOSED, and what engine, sandbox and
 *   store raise. Ending the iteration early does not stop the work; the signal does.
 */
export function solve(session: Session, problem: string, call: SolveCall): Solving {
  // Started in a later turn, so that the stream below is there before the first event.
  let listener: ReadableStreamDefaultController<SolveEvent> | undefined;
  const emit = (event: SolveEvent): void => listener?.enqueue(event);
  const result = Promise.resolve().then(() => session.use(() => solveProblem(session, problem, call, emit)));
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
  return Object.assign(result, { result, [Symbol.asyncIterator]: () => events[Symbol.asyncIterator]() });
}

async function solveProblem(
  session: Session,
  problem: string,
  call: SolveCall,
  emit: (event: SolveEvent) => void,
): Promise<SolveResult> {
  const watch = new Stopwatch();
  const { solveMessages, extract = extractBoxed, same: judge, signal: wanted, ordinal = 0, ...settings } = call;
  const options = parseOptions(settings);
  const signal = AbortSignal.any([session.closing, ...(wanted ? [wanted] : [])]);
  setMaxListeners(0, signal); // every program that runs or waits listens to it
  const same: SameAnswer = judge ?? (async (a, b) => (await grade(a, b, { kind: 'math', signal })).equal);
  const { store } = session;
  const engine = orderedEngine(session.model.engine, ordinal);
  const rewardEngine =
    session.rewardModel === session.model ? engine : orderedEngine(session.rewardModel.engine, ordinal);
  const entry =
    options.rewardEntry === undefined ? rewardEntryFor(rewardEngine.model) : readRewardEntry(options.rewardEntry);
  const context: StageContext = await watch.time('load', async () => ({
    engine,
    modelHash: session.model.hash,
    adapters: { tool: await runAdapter(engine, options.adapterTool, 'adapterTool', store) },
    profile: withSolver(profileFor(engine.model), solveMessages),
    reward: {
      engine: rewardEngine,
      entry,
      modelHash: session.rewardModel.hash,
      profile: profileFor(rewardEngine.model),
      adapter: await runAdapter(rewardEngine, options.adapterReward, 'adapterReward', store),
    },
    settings: options,
    memory: new Memory(store, (note) => emit({ type: 'note', note })),
    sandbox: () => untilAborted(session.sandbox(), signal),
    sandboxIdentity: () => untilAborted(session.sandboxIdentity(), signal),
    knowledge: () => session.knowledge(options.index, signal, (note) => emit({ type: 'note', note })),
    extract,
    same,
    usage: new UsageCounter(),
    signal,
    emit,
  }));
  const named = { verifier: options.verifier, reward: rewardFor(options.reward, entry) };
  const resolved = {
    ...options,
    verifier: typeof named.verifier === 'string' ? verifiers[named.verifier] : toolVerifier(named.verifier),
    reward: rewardModels[named.reward],
    names: { ...named, verifier: typeof named.verifier === 'string' ? named.verifier : 'tool' },
  };
  try {
    const result = await pipeline(problem, resolved, context, watch);
    emit({ type: 'answer', result });
    return result;
  } catch (error) {
    // The work ended because the session did: that is what the caller is told.
    throw session.closing.aborted && !wanted?.aborted ? session.closing.reason : error;
  }
}

/** The profile, with other words for the solver. */
export const withSolver = (profile: Profile, messages: Role['messages'] | undefined): Profile =>
  messages ? { ...profile, roles: { ...profile.roles, solve: { ...profile.roles.solve, messages } } } : profile;
