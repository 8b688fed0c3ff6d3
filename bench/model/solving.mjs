/** Accuracy of every strategy from one pool per problem; how the tool and the reward judge each kind of fault. */
import { sameAnswer } from '../../dist/grade/normalize.js';
import { createSolver, select, selectors } from '../../dist/index.js';
import { auc } from '../lib/auc.mjs';
import { generate, label } from '../lib/generator.mjs';
import { bootstrap } from '../lib/statistics.mjs';

/** Problems in flight: while one is in the sandbox, another is decoded. */
const AT_ONCE = 3;

/** The held-out problems proper. Keeps its pools in `bench.pools` for the parts that come after. */
export async function solving(bench) {
  const problems = generate('problems', '--seed', bench.seed, '--count', bench.problems);
  bench.pools = await poolsOf(bench, problems);
  return { ...accuracyOf(bench.pools), ...verdictsOf(bench.pools) };
}

/** Families of problems that training never saw. */
export async function families(bench) {
  const problems = generate(
    'problems',
    '--seed',
    bench.seed,
    '--count',
    Math.ceil(bench.problems * 0.4),
    '--families',
    'held-out',
  );
  return accuracyOf(await poolsOf(bench, problems));
}

/** Sentences that a person wrote and no template makes. */
export async function plain(bench) {
  const problems = bench.plainFile
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const pools = await poolsOf(bench, problems);
  const answered = pools.map(({ problem, candidates, gold }) => {
    const { answer } = select(candidates, 'weighted', 'reward');
    return { problem, gold, answer, right: answer !== null && sameAnswer(answer, gold) };
  });
  return { right: answered.filter(({ right }) => right).length, of: answered.length, ...accuracyOf(pools), answered };
}

/**
 * Solves each problem once greedily and once with N samples.
 *
 * @param {{ adapterTool?: string, adapterReward?: string }} settings sampling is cached, so other adapters judge the
 *   same solutions
 */
export async function poolsOf(bench, problems, settings = {}) {
  const { engine, sandbox, store, samples, seed } = bench;
  const solver = await createSolver({ engine, sandbox, database: store, ...settings });
  const pools = new Array(problems.length);
  let next = 0;
  let done = 0;
  const worker = async () => {
    for (let i = next++; i < problems.length; i = next++) {
      const { problem, answer: gold, plan } = problems[i];
      const greedy = await solver.solve(problem, { samples: 1, temperature: 0, select: 'majority' });
      const { candidates } = await solver.solve(problem, { samples, seed: seed % 2 ** 31 });
      pools[i] = { problem, gold, plan, greedy: greedy.answer, candidates };
      bench.progress(`${++done}/${problems.length}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  await solver.close();
  return pools;
}

/** One pool, every strategy; intervals over problems. */
export function accuracyOf(pools) {
  const outcomes = {};
  const keep = (strategy, right) => (outcomes[strategy] ??= []).push(right ? 1 : 0);
  for (const { gold, greedy, candidates } of pools) {
    const isRight = (answer) => answer !== null && sameAnswer(answer, gold);
    keep('greedy', isRight(greedy));
    for (const name of Object.keys(selectors)) keep(name, isRight(select(candidates, name, 'reward').answer));
    keep(
      'oracle',
      candidates.some(({ answer }) => isRight(answer)),
    );
  }
  const minus = (a, b) => bootstrap(outcomes[a].map((value, i) => value - outcomes[b][i]));
  return {
    accuracy: Object.fromEntries(Object.entries(outcomes).map(([name, values]) => [name, bootstrap(values)])),
    differences: {
      'weighted - majority': minus('weighted', 'majority'),
      'weighted - reward': minus('weighted', 'reward'),
      'weighted - tool': minus('weighted', 'tool'),
    },
  };
}

/** Every distinct solution of the pools with what is wrong with it, by exact computation. */
export function labelled(pools) {
  const seen = new Set();
  const solutions = pools.flatMap(({ problem, gold, plan, candidates }) =>
    candidates
      .filter(
        ({ text, answer }) => answer !== null && !seen.has(`${problem}\n${text}`) && seen.add(`${problem}\n${text}`),
      )
      .map((candidate) => ({ problem, gold, plan, candidate })),
  );
  const faults = label(
    solutions.map(({ gold, plan, candidate }) => ({ solution: candidate.text, answer: gold, plan })),
  );
  return solutions
    .map((solution, i) => ({ ...solution, faults: faults[i] }))
    .filter(({ faults: found }) => found !== null);
}

/** How often programs refute, and how well the reward tells right from wrong, for each kind of fault. */
export function verdictsOf(pools) {
  const solutions = labelled(pools);
  const kinds = {
    right: solutions.filter(({ faults }) => faults.correct && !faults.logic && !faults.sums),
    'wrong sum only': solutions.filter(({ faults }) => !faults.correct && !faults.logic),
    'wrong logic': solutions.filter(({ faults }) => !faults.correct && faults.logic),
  };
  const share = (list, verdict) => bootstrap(list.map(({ candidate }) => Number(candidate.tool.verdict === verdict)));
  const tool = Object.fromEntries(
    Object.entries(kinds).map(([kind, list]) => [
      kind,
      { solutions: list.length, refuted: share(list, 'fail'), passed: share(list, 'pass') },
    ]),
  );
  const rewards = (list) =>
    list.map(({ candidate }) => candidate.reward).filter((reward) => typeof reward === 'number');
  return {
    tool,
    rewardArea: {
      'wrong logic': auc(rewards(kinds.right), rewards(kinds['wrong logic'])),
      'wrong sum only': auc(rewards(kinds.right), rewards(kinds['wrong sum only'])),
    },
  };
}
