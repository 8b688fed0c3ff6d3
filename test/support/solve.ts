/** One problem with a session of its own, for tests. */
import type { Engine } from '../../src/engine/engine-types.js';
import type { SandboxOptions } from '../../src/sandbox/sandbox.js';
import { Session } from '../../src/session.js';
import { type SolveCall, type Solving, solve as solveIn } from '../../src/solve.js';
import type { KnowledgeSearch, ProgramRunner } from '../../src/stage-context.js';
import { type EvaluateCall, type EvaluateOptions, evaluate as evaluateIn } from '../../src/runs/evaluate-task.js';
import type { RunFile } from '../../src/runs/run-file.js';
import type { Store } from '../../src/store/store.js';
import type { TaskProblem } from '../../src/task/task-problems.js';
import type { SolveResult } from '../../src/types.js';

export interface SolveContext extends SolveCall {
  readonly engine: Engine;
  readonly rewardEngine?: Engine | undefined;
  readonly store?: Store | undefined;
  readonly sandbox?: ProgramRunner | undefined;
  readonly sandboxOptions?: SandboxOptions | undefined;
  readonly knowledge?: KnowledgeSearch | undefined;
}

export function solve(problem: string, context: SolveContext): Solving {
  const { engine, rewardEngine, store, sandbox, sandboxOptions, knowledge, ...call } = context;
  const started = Session.open({
    engine,
    rewardEngine,
    database: store ?? false,
    sandbox: sandbox ?? sandboxOptions ?? {},
    knowledge,
  }).then((session) => ({ session, solving: solveIn(session, problem, call) }));
  const result: Promise<SolveResult> = started.then(({ session, solving }) => solving.finally(() => session.close()));
  result.catch(() => {}); // an iterating test need not await it too
  return Object.assign(result, {
    result,
    async *[Symbol.asyncIterator]() {
      yield* (await started).solving;
    },
  });
}

/** Many problems with a session of their own. */
export async function evaluate(
  problems: readonly TaskProblem[],
  run: RunFile,
  {
    engine,
    rewardEngine,
    store,
    sandbox,
    sandboxOptions,
    knowledge,
    ...call
  }: SolveContext & Pick<EvaluateCall, 'signal'>,
  options: EvaluateOptions,
): Promise<void> {
  const session = await Session.open({
    engine,
    rewardEngine,
    database: store ?? false,
    sandbox: sandbox ?? sandboxOptions ?? {},
    knowledge,
  });
  await evaluateIn(problems, run, session, call, options).finally(() => session.close());
}
