/** `t1 select`: what each strategy makes of candidates that are there already. */
import type { Argv, CommandModule } from 'yargs';
import { z } from 'zod';
import { T1Error } from '../errors.js';
import { DEFAULT_RESAMPLES, LEVEL } from '../statistics/bootstrap.js';
import { computeCurve } from '../statistics/compute.js';
import { DEFAULT_SUBSETS, doublingSizes, outcomesOf } from '../statistics/outcomes.js';
import { poolsOf, type Pools } from '../statistics/pools.js';
import { readPools } from '../statistics/read-pools.js';
import { unified } from '../statistics/unify.js';
import { Grader } from '../grade/grader.js';
import { strategyNames } from '../statistics/strategies.js';
import { accuracyByPart, accuracyCurve, compareStrategies } from '../statistics/summary.js';
import { verifierQuality } from '../statistics/verifier-quality.js';
import { withJson } from './flags.js';
import { readBytes, sourceName } from './input.js';
import type { SelectResult } from './select-result.js';
import { selectTable } from './select-table.js';

const builder = (yargs: Argv) =>
  withJson(yargs)
    .positional('file', {
      type: 'string',
      demandOption: true,
      describe: 'JSONL of {id, gold, candidates: [{answer or text, reward?, tool?}]}; - reads standard input',
    })
    .option('n-samples', {
      alias: 'n',
      type: 'string',
      requiresArg: true,
      describe: 'N, or several: 1,2,4 (default: all candidates of the smallest pool)',
    })
    .option('select', {
      type: 'string',
      requiresArg: true,
      describe: `strategies: some of ${strategyNames.join(',')} (default: all)`,
    })
    .option('curve', { type: 'boolean', default: false, describe: 'accuracy for each N: 1, 2, 4 … or those of -n' })
    .option('compare', { type: 'string', array: true, nargs: 2, describe: 'is A better than B? Paired bootstrap' })
    .option('by', {
      choices: ['category', 'level'] as const,
      requiresArg: true,
      describe: 'also for each category or level',
    })
    .option('verifier', {
      type: 'boolean',
      default: false,
      describe: 'how well tool and reward judge single candidates',
    })
    .option('threshold', {
      type: 'number',
      default: 0.5,
      requiresArg: true,
      describe: 'verifier: rewards from here on accept',
    })
    .option('subsets', {
      type: 'number',
      default: DEFAULT_SUBSETS,
      requiresArg: true,
      describe: 'random subsets of each pool for an N below its size',
    })
    .option('prefix', { type: 'boolean', default: false, describe: 'the first N candidates instead of subsets' })
    .option('fallback', {
      choices: ['reward', 'majority', 'abstain'] as const,
      requiresArg: true,
      describe: 'what decides when no candidate passes (default: reward, or majority where there are none)',
    })
    .option('unknown', {
      choices: ['fail', 'pass'] as const,
      default: 'fail' as const,
      requiresArg: true,
      describe: 'what a candidate counts as of which the tool says nothing',
    })
    .option('resamples', {
      type: 'number',
      default: DEFAULT_RESAMPLES,
      requiresArg: true,
      describe: 'of the bootstrap, for intervals',
    })
    .option('seed', { type: 'number', default: 0, requiresArg: true, describe: 'of subsets and bootstrap' });

type Arguments = Awaited<ReturnType<typeof builder>['argv']>;

export const selectCommand = (signal: AbortSignal): CommandModule<object, Arguments> => ({
  command: 'select <file>',
  describe: 'accuracy of every strategy from pools of candidates, with intervals',
  builder: (yargs) => builder(yargs as Argv) as never,
  handler: async (args) => {
    const flags = checked(args);
    const problems = readPools(await readBytes(args.file), sourceName(args.file));
    await using grader = new Grader();
    const pools = poolsOf(await unified(problems, async (a, b) => (await grader.grade(a, b, { signal })).equal));
    const result = await resultOf(pools, flags, signal);
    process.stdout.write(args.json ? `${JSON.stringify(result)}\n` : selectTable(result));
  },
});

const strategy = (flag: string) =>
  z.enum(strategyNames, {
    error: ({ input }) => `--${flag}: '${String(input)}' is none of ${strategyNames.join(', ')}`,
  });
const whole = (flag: string, least: number, most: number) => {
  const error = `--${flag}: a whole number from ${least} to ${most}`;
  return z.int(error).min(least, error).max(most, error);
};
const MOST = 1_000_000;

const flagsSchema = z.object({
  sizes: z.array(whole('n-samples', 1, 65_536)).optional(),
  strategies: z.array(strategy('select')).optional(),
  compare: z.tuple([strategy('compare'), strategy('compare')], '--compare: name two strategies').optional(),
  threshold: z.number().min(0, '--threshold: from 0 to 1').max(1, '--threshold: from 0 to 1'),
  subsets: z.union([z.literal('prefix'), whole('subsets', 1, MOST)], {
    error: `--subsets: a whole number from 1 to ${MOST}`,
  }),
  resamples: whole('resamples', 1, MOST),
  seed: whole('seed', 0, 0xffff_ffff),
});

type Flags = z.output<typeof flagsSchema> & Pick<Arguments, 'curve' | 'by' | 'verifier' | 'fallback' | 'unknown'>;

/** All that can be wrong with the command line, before the file is read. */
function checked(args: Arguments): Flags {
  const result = flagsSchema.safeParse({
    ...args,
    sizes: args.nSamples?.split(',').map((text) => (text.trim() === '' ? NaN : Number(text))),
    strategies: args.select?.split(','),
    subsets: args.prefix ? 'prefix' : args.subsets,
  });
  if (!result.success) throw new T1Error('USAGE', result.error.issues[0]?.message ?? 'flags are not usable');
  const { curve: wantsCurve, by, verifier, fallback, unknown } = args;
  return { ...result.data, curve: wantsCurve, by, verifier, fallback, unknown };
}

async function resultOf(pools: Pools, flags: Flags, signal: AbortSignal): Promise<SelectResult> {
  const { subsets, unknown, fallback, seed, resamples, compare: pair } = flags;
  const asked = flags.sizes && [...new Set(flags.sizes)].sort((a, b) => a - b);
  const n = asked?.at(-1) ?? pools.candidates;
  const wantsCurve = flags.curve || (asked?.length ?? 1) > 1;
  const sizes = wantsCurve ? (asked && asked.length > 1 ? asked : doublingSizes(n)) : [n];
  const strategies = flags.strategies && [...new Set([...flags.strategies, ...(pair ?? [])])];
  const outcomes = await outcomesOf(pools, { sizes, subsets, seed, strategies, fallback, unknown, signal });
  const bootstrap = { resamples, seed };
  const points = accuracyCurve(pools, outcomes, bootstrap);
  const costs = computeCurve(pools, sizes, subsets === 'prefix');
  const result = {
    n,
    problems: pools.problems.length,
    seeds: pools.seeds.length,
    strategies: points.at(-1)?.strategies ?? {},
    leftOut: outcomes.leftOut,
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
