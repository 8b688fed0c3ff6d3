/** The same solutions judged through the adapters, beside the base by prompt. */
import { poolsOf, accuracyOf, verdictsOf } from './solving.mjs';

export async function adapters(bench) {
  const problems = bench.pools.map(({ problem, gold, plan }) => ({ problem, answer: gold, plan }));
  const pools = await poolsOf(bench, problems, { adapterTool: 'tool', adapterReward: 'reward' });
  return { ...accuracyOf(pools), ...verdictsOf(pools), base: verdictsOf(bench.pools) };
}
