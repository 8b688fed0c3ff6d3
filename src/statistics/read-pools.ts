/** Pools that were made elsewhere, a problem each line. */
import { z } from 'zod';
import { T1Error } from '../errors.js';
import { extractAnswer } from '../grade/extract.js';
import type { Verdict } from '../types.js';
import type { PoolCandidate, PoolProblem } from './pools.js';

const written = z.union([z.string(), z.number()]);
const named = z.union([z.string(), z.number()]).transform(String).optional();
const cost = z.number().min(0).optional();

const solution = z
  .object({ answer: written.nullable().optional(), text: z.string().optional() })
  .refine(({ answer, text }) => answer !== undefined || text !== undefined, {
    message: "needs an 'answer' (null for none), or a 'text' to find it in",
  });

const SKIPPED = 'skipped';
const notScored = 'null where there was nothing to score, "skipped" where nobody asked';
const REWARD_RANGE = 'is not from 0 to 1: turn scores into probabilities first';

const reward = z
  .union([z.number(), z.literal(SKIPPED)], { error: `is no number: give 0…1, ${notScored}` })
  .refine((given) => given === SKIPPED || (given >= 0 && given <= 1), REWARD_RANGE);

const opinions = ['pass', 'fail', 'unknown'] as const;

const candidate = z.intersection(
  solution,
  z.object({
    reward: reward.nullable().optional(),
    tool: z
      .union([z.boolean(), z.enum([...opinions, SKIPPED])], {
        error: 'is none of true, false, "pass", "fail", "unknown", "skipped" and null',
      })
      .nullable()
      .optional(),
    opinions: z.array(z.enum(opinions)).optional(),
    kind: z.string().optional(),
    generatedTokens: cost,
    verifierTokens: cost,
    toolTokens: cost,
    rewardTokens: cost,
    seconds: cost,
    joules: cost,
  }),
);

const line = z.object({
  id: written,
  gold: written,
  candidates: z.array(candidate).min(1, 'is empty: leave the problem out, or sample some'),
  greedy: z.union([written, solution]).nullable().optional(),
  category: named,
  level: named,
  seed: z.int().min(0).max(0xffff_ffff).optional(),
});

const NEWLINE = 0x0a;

/**
 * @param bytes JSONL of `{id, gold, candidates: [{answer | text, reward?, tool?, …}], greedy?, category?, level?,
 *   seed?}` in UTF-8
 * @param source its name, for messages
 * @throws T1Error INPUT with the number of the line
 */
export function readPools(bytes: Uint8Array, source: string): PoolProblem[] {
  const problems: PoolProblem[] = [];
  for (let [from, number] = [0, 1]; from < bytes.length; number++) {
    const newline = bytes.indexOf(NEWLINE, from);
    const end = newline === -1 ? bytes.length : newline;
    const where = `${source}:${number}`;
    const text = decoded(bytes.subarray(from, end), where);
    if (text.trim() !== '') problems.push(parsed(text, where));
    from = end + 1;
  }
  if (problems.length === 0)
    throw new T1Error('INPUT', `${source} holds no problem: write a line of {"id", "gold", "candidates"} for each`);
  return problems;
}

function decoded(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new T1Error('INPUT', `${where}: not UTF-8 text: convert it first`, { cause });
  }
}

function parsed(text: string, where: string): PoolProblem {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new T1Error('INPUT', `${where}: not JSON: write one object on each line`, { cause });
  }
  const result = line.safeParse(value);
  if (!result.success) throw new T1Error('INPUT', `${where}: ${describe(result.error.issues[0])}`);
  const { id, gold, candidates, greedy, ...rest } = result.data;
  return {
    ...rest,
    id: String(id),
    gold: String(gold),
    source: where,
    candidates: candidates.map(toCandidate),
    greedy: greedyAnswer(greedy),
  };
}

/** `candidates[2].reward …`, counted from 0 as in JSON. */
function describe(issue: z.core.$ZodIssue | undefined): string {
  const path = (issue?.path ?? []).reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : `${text}${text && '.'}${String(key)}`),
    '',
  );
  return path === ''
    ? 'not an object of {"id", "gold", "candidates"}'
    : `'${path}' ${issue?.message ?? 'is not usable'}`;
}

type Written = z.output<typeof solution>;

const answerOf = ({ answer, text = '' }: Written): string | null =>
  answer === undefined ? extractAnswer(text) : answer === null || String(answer).trim() === '' ? null : String(answer);

function toCandidate({ answer, text, tool, ...rest }: z.output<typeof candidate>): PoolCandidate {
  return { ...rest, answer: answerOf({ answer, text }), ...(tool !== undefined && { tool: verdictOf(tool) }) };
}

function verdictOf(tool: boolean | Verdict | null): Verdict {
  if (tool === null) return 'unknown';
  return typeof tool === 'string' ? tool : tool ? 'pass' : 'fail';
}

function greedyAnswer(greedy: string | number | Written | null | undefined): string | null | undefined {
  if (greedy === undefined || greedy === null) return greedy;
  return answerOf(typeof greedy === 'object' ? greedy : { answer: greedy });
}
