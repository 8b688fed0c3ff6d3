/** `t1 select`: what each strategy makes of candidates that are there already. */
import { z } from 'zod';
import { DEFAULT_RESAMPLES, LEVEL } from '../statistics/bootstrap.js';
import { computeCurve } from '../statistics/compute.js';
import { DEFAULT_SUBSETS, doublingSizes, outcomesOf } from '../statistics/outcomes.js';
import { poolsOf, type Pools } from '../statistics/pools.js';
import { readPools } from '../statistics/read-pools.js';
import { unified } from '../statistics/unify.js';
import { Grader } from '../grade/grader.js';
import { strategyNames, type StrategyName } from '../statistics/strategies.js';
import { accuracyByPart, accuracyCurve, compareStrategies, leftOutAt } from '../statistics/summary.js';
import { verifierQuality } from '../statistics/verifier-quality.js';
import { MAX_SAMPLES } from '../settings/limits.js';
import type { SettingTable, Settled } from '../settings/setting.js';
import { solveSettings } from '../settings/solve-settings.js';
import { command } from './command.js';
import { jsonFlag } from './flags.js';
import { readBytes, sourceName } from './input.js';
import type { SelectResult } from '../output/select-result.js';
import { jsonLine } from './json.js';
import { selectTable } from './select-table.js';

const MOST = 1_000_000;
const strategy = z.enum(strategyNames);
const names = strategyNames.join(', ');
const MANY = { candidates: z.int().min(1).max(MAX_SAMPLES), subsets: z.int().min(1).max(MOST) };

const selectFlags = {
  sizes: {
    type: z
      .string()
      .transform((text) => text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part))))
      .pipe(z.array(MANY.candidates))
      .optional(),
    group: 'Options',
    help: 'N, or several: 1,2,4; of pools with fewer, all',
    absent: 'all candidates of each pool',
    expects: `be a whole number from 1 to ${MAX_SAMPLES}, or several: 1,2,4`,
    flag: 'n-samples',
    alias: 'n',
  },
  strategies: {
    type: z
      .string()
      .transform((text) => text.split(','))
      .pipe(z.array(strategy))
      .optional(),
    group: 'Options',
    help: `some of ${strategyNames.join(',')}`,
    absent: 'all',
    expects: `be some of ${names}`,
    flag: 'select',
  },
  curve: { type: z.boolean().default(false), group: 'Options', help: 'accuracy for each N: 1, 2, 4 … or those of -n' },
  compare: {
    type: z.array(strategy).length(2).optional(),
    group: 'Options',
    help: 'is A better than B? Paired bootstrap',
    expects: `name two of ${names}`,
    values: 2,
  },
  by: {
    type: z.enum(['category', 'level']).optional(),
    group: 'Options',
    help: 'also for each category or level',
  },
  verifier: {
    type: z.boolean().default(false),
    group: 'Options',
    help: 'how well tool and reward judge single candidates',
  },
  threshold: {
    type: z.number().min(0).max(1).default(0.5),
    group: 'Options',
    help: 'verifier: rewards from here on accept',
  },
  subsets: {
    type: MANY.subsets.default(DEFAULT_SUBSETS),
    group: 'Options',
    help: 'random subsets of each pool for an N below its size',
  },
  prefix: {
    type: z.boolean().default(false),
    group: 'Options',
    help: 'the first N candidates instead of subsets',
  },
  fallback: {
    type: solveSettings.fallback.type.unwrap().optional(),
    group: 'Options',
    help: 'what decides when no candidate passes',
    absent: 'reward, or majority where there are none',
  },
  unknown: solveSettings.unknown,
  resamples: {
    type: MANY.subsets.default(DEFAULT_RESAMPLES),
    group: 'Options',
    help: 'of the bootstrap, for intervals',
  },
  seed: { ...solveSettings.seed, group: 'Options', help: 'of subsets and bootstrap' },
  ...jsonFlag,
} satisfies SettingTable;

type Flags = Settled<typeof selectFlags>;

export const selectCommand = command({
  flags: selectFlags,
  words: {
    file: {
      type: z.string().min(1),
      group: 'Options',
      help: 'JSONL of {id, gold, candidates: [{answer or text, reward?, tool?}]}; - reads standard input',
    },
  },
  run: async ({ flags, words: { file }, signal }) => {
    const problems = readPools(await readBytes(file), sourceName(file));
    await using grader = new Grader();
    const pools = poolsOf(await unified(problems, async (a, b) => (await grader.grade(a, b, { signal })).equal));
    const result = await resultOf(pools, flags, signal);
    process.stdout.write(flags.json ? jsonLine('select', result) : selectTable(result));
  },
});

const pairOf = ([a, b]: readonly StrategyName[] = []) =>
  a === undefined || b === undefined ? undefined : ([a, b] as const);

async function resultOf(pools: Pools, flags: Flags, signal: AbortSignal): Promise<SelectResult> {
  const { unknown, fallback, seed, resamples } = flags;
  const subsets: number | 'prefix' = flags.prefix ? 'prefix' : flags.subsets;
  const pair = pairOf(flags.compare);
  const asked = flags.sizes && [...new Set(flags.sizes)].sort((a, b) => a - b);
  const n = asked?.at(-1) ?? pools.most;
  const wantsCurve = flags.curve || (asked?.length ?? 1) > 1;
  const sizes = wantsCurve ? (asked && asked.length > 1 ? asked : doublingSizes(n)) : [n];
  const strategies = flags.strategies && [...new Set([...flags.strategies, ...(pair ?? [])])];
  const outcomes = await outcomesOf(pools, { sizes, subsets, seed, strategies, fallback, unknown, signal });
  const bootstrap = { resamples, seed };
  const points = accuracyCurve(pools, outcomes, bootstrap);
  const costs = computeCurve(pools, sizes, subsets === 'prefix');
  const result = {
    n,
    smaller: points.at(-1)?.smaller ?? 0,
    problems: pools.problems.length,
    seeds: pools.seeds.length,
    skipped: pools.skipped,
    strategies: points.at(-1)?.strategies ?? {},
    partial: outcomes.partial,
    leftOut: Object.fromEntries(
      strategyNames.flatMap((name) => {
        const why = leftOutAt(outcomes, name, n);
        return why === undefined ? [] : [[name, why]];
      }),
    ),
    fallback: outcomes.fallback,
    unknown,
    subsets,
    interval: {
      level: LEVEL,
      method: pools.seeds.length > 1 ? 'bootstrap over problems and seeds' : 'bootstrap over problems',
      ...bootstrap,
    },
  };
  return {
    ...result,
    ...(wantsCurve && { curve: points.map((point, i) => ({ ...point, costs: costs[i]?.costs ?? {} })) }),
    ...(pair && {
      compare: { a: pair[0], b: pair[1], n, ...compareStrategies(pools, outcomes, ...pair, n, bootstrap) },
    }),
    ...(flags.by && { by: { name: flags.by, parts: accuracyByPart(pools, outcomes, flags.by, n, bootstrap) } }),
    ...(flags.verifier && {
      verifier: verifierQuality(pools, {
        threshold: flags.threshold,
        unknown,
        seed,
        resamples: Math.min(resamples, 1000),
      }),
    }),
  };
}
