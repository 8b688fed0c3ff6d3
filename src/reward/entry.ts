/** What a reward model is asked, and where its answer is read. These entries are data in `models/rewards/`. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import type { ModelInfo } from '../engine/engine-types.js';
import { must } from '../must.js';
import { T1Error } from '../errors.js';
import { packageRoot } from '../paths.js';
import { message, rationale, role, verdict } from '../prompt/profile.js';

/** How the scores of a solution's steps become one; the paper's is `last`. */
export const aggregations = {
  last: (scores: readonly number[]) => must(scores.at(-1), 'the last step'),
  min: (scores: readonly number[]) => scores.reduce((least, score) => Math.min(least, score), Infinity),
  product: (scores: readonly number[]) => scores.reduce((product, score) => product * score, 1),
  mean: (scores: readonly number[]) => scores.reduce((sum, score) => sum + score, 0) / scores.length,
};

export type Aggregation = keyof typeof aggregations;
export const aggregation = z.enum(Object.keys(aggregations) as [Aggregation, ...Aggregation[]]);

const common = {
  name: z.string().min(1),
  /** Where each fact comes from; for readers. */
  source: z.string().min(1),
  /** GGUF metadata → regular expression (any case) that must be found in it; all must. */
  match: z.record(z.string(), z.string()).default({}),
};

const process = z.strictObject({
  ...common,
  kind: z.literal('prm'),
  /** What parts the steps of a solution; it is not part of them. */
  separator: z.string().min(1),
  aggregation: aggregation.default('last'),
  ...verdict.shape,
  /** Where a step's score is read. */
  steps: z.discriminatedUnion('layout', [
    z.strictObject({
      /** Each step is a user's turn, and the model's answer to it is the verdict: read where that turn begins. */
      layout: z.literal('turns'),
      /** Jinja of a user's turn, with `problem`, `step` and `first`. */
      turn: z.string().min(1),
      /** What stands in the model's turns of the steps before: they must not depend on what it would have said. */
      reply: z.string().min(1),
    }),
    z.strictObject({
      /** No tag: after the last token of each step, separator included, of the solution as the model would say it. */
      layout: z.literal('own'),
    }),
    z.strictObject({
      /** A tag, one token, stands after each step: read after it. */
      layout: z.literal('tags'),
      tag: z.string().min(1),
      /** Jinja, with `problem` and `solution` (steps and tags): a text as it is, or messages for the chat template. */
      prompt: z.union([z.string().min(1), z.array(message).min(1)]),
      /** What stands between a tag and the next step. */
      afterTag: z.string().default(''),
    }),
  ]),
});

const classifier = z.strictObject({
  ...common,
  ...role.shape,
  kind: z.literal('classifier'),
  /** Label, or number, of the class that says the solution is right. */
  good: z.union([z.string(), z.int().nonnegative()]),
});

const yesNo = z.strictObject({ ...common, ...role.shape, ...verdict.shape, kind: z.literal('yes-no') });

const genrm = z.strictObject({ ...common, ...rationale.shape, kind: z.literal('genrm') });

/** A model of which one knows that it cannot be read, so that it is not asked in another way by mistake. */
const unsupported = z.strictObject({ ...common, kind: z.literal('unsupported'), why: z.string().min(1) });

const entrySchema = z.discriminatedUnion('kind', [process, classifier, yesNo, genrm, unsupported]);

export type RewardEntry = z.output<typeof entrySchema>;
export type ProcessEntry = Extract<RewardEntry, { kind: 'prm' }>;
export type ClassifierEntry = Extract<RewardEntry, { kind: 'classifier' }>;

const FOLDER = join(packageRoot, 'models', 'rewards');

/**
 * The entry for a model: the one whose `match` agrees with its metadata, among several the one that asks most of it.
 *
 * @throws T1Error INTERNAL when an entry of the package does not fit the schema
 */
export function rewardEntryFor(model: ModelInfo, folder = FOLDER): RewardEntry | undefined {
  const entries = readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => readEntry(join(folder, file), 'INTERNAL'));
  const rules = ({ match }: RewardEntry) => Object.entries(match);
  return entries
    .filter(
      (entry) =>
        rules(entry).length > 0 &&
        rules(entry).every(([key, pattern]) => new RegExp(pattern, 'iu').test(fact(model, key))),
    )
    .sort((a, b) => rules(b).length - rules(a).length)[0];
}

/** Metadata, and whether the file has a classification head. */
const fact = ({ metadata, head, name }: ModelInfo, key: string): string => {
  if (key === 'head') return head ? 'yes' : 'no';
  return key === 'general.name' ? (metadata[key] ?? name) : (metadata[key] ?? '');
};

/**
 * @param path of an entry that the user wrote
 * @throws T1Error FILE_NOT_FOUND, INPUT
 */
export const readRewardEntry = (path: string): RewardEntry => readEntry(path, 'INPUT');

function readEntry(path: string, code: 'INPUT' | 'INTERNAL'): RewardEntry {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new T1Error('FILE_NOT_FOUND', `cannot read the reward entry ${path}: check the path`, { cause });
  }
  try {
    const entry = entrySchema.parse(JSON.parse(text));
    for (const pattern of Object.values(entry.match)) new RegExp(pattern, 'iu');
    return entry;
  } catch (cause) {
    const why = cause instanceof z.ZodError ? oneLine(cause) : String(cause);
    throw new T1Error(code, `the reward entry ${code === 'INPUT' ? path : basename(path)} cannot be used: ${why}`, {
      cause,
    });
  }
}

const oneLine = ({ issues }: z.ZodError): string =>
  issues.map(({ path, message: what }) => `${path.join('.') || 'entry'}: ${what}`).join('; ');
