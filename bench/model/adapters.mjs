/** The same solutions judged through the adapters, beside the base by prompt. */
import { poolsOf, accuracyOf, verdictsOf } from './solving.mjs';

export async function adapters(bench) {
  const loaded = new Set(bench.engine.adapters.map(({ name }) => name));
  if (loaded.size === 0) return 'no adapters given';
  const settings = { ...(loaded.has('tool') && { adapterTool: 'tool' }), ...(loaded.has('reward') && { adapterReward: 'reward' }) };
  const problems = bench.pools.map(({ problem, gold, plan }) => ({ problem, answer: gold, plan }));
  const pools = await poolsOf(bench, problems, settings);
  return { ...accuracyOf(pools), ...verdictsOf(pools), base: verdictsOf(bench.pools) };
}
