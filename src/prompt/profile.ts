/** Prompt profiles: what each role says to a model, and its defaults. They are data in `models/profiles/`. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import type { ModelInfo } from '../engine/engine-types.js';
import { T1Error } from '../errors.js';
import { packageRoot } from '../paths.js';

export const message = z.strictObject({
  role: z.enum(['system', 'user', 'assistant']),
  /** Jinja, with `problem`, and where the role has them `solution` and `passages`. */
  content: z.string(),
});

export const role = z.strictObject({
  messages: z.array(message).min(1),
  /** Text that the assistant's turn begins with. */
  assistantPrefix: z.string().default(''),
  /** GBNF that what the model writes must follow. */
  grammar: z.string().min(1).optional(),
});

/** Words whose logits are compared. */
export const verdict = z.strictObject({ good: z.array(z.string()).min(1), bad: z.array(z.string()).min(1) });

/** A judgement in words, which ends with a verdict: `ask` is what it writes last before the word. */
export const rationale = role.extend({ ...verdict.shape, ask: z.string().min(1) });

const profileSchema = z.strictObject({
  name: z.string(),
  /** Why it says what it says; for readers. */
  source: z.string(),
  /** GGUF metadata that selects the profile; the profile without any is the default. */
  match: z.record(z.string(), z.string()).default({}),
  roles: z.strictObject({
    solve: role,
    program: role,
    reward: role.extend(verdict.shape),
    rationale: rationale.optional(),
    /** A program for each step that the solution states. */
    steps: role.optional(),
    /** Process reward: read at the end of every step of the solution itself, so it has no messages. */
    process: verdict.extend({ separator: z.string().min(1).default('\n') }).optional(),
    /**
     * Whether retrieved passages bear an answer out: ends with `ask` and the word, or with the word alone on its line.
     */
    fact: role.extend({ ...verdict.shape, ask: z.string().min(1).optional() }).optional(),
    /** Arithmetic claims (arXiv 2504.04718, appendix A), by thinking and by program. */
    think: role.optional(),
    code: role.optional(),
  }),
  defaults: z.strictObject({
    /** Most new tokens of a solution and of a program. */
    maxTokens: z.int().positive(),
    programTokens: z.int().positive(),
    /** Programs for each candidate, and their sampling temperature. */
    programs: z.int().positive(),
    programTemperature: z.number().nonnegative(),
    /** Rationales for each candidate, their most new tokens and temperature (arXiv 2504.04718 §3). */
    rationales: z.int().positive().default(8),
    rationaleTokens: z.int().positive().default(1024),
    rationaleTemperature: z.number().nonnegative().default(0.6),
    /** The same of fact checks. */
    checks: z.int().positive().default(4),
    checkTokens: z.int().positive().default(1024),
    checkTemperature: z.number().nonnegative().default(0.6),
  }),
});

export type Profile = z.infer<typeof profileSchema>;
export type Role = z.infer<typeof role>;

/**
 * Picks the profile whose `match` agrees with the model's metadata, else the default one.
 *
 * @param folder where the profiles are; one JSON file each
 * @throws T1Error INTERNAL when a profile does not fit the schema
 */
export function profileFor(model: ModelInfo, folder = join(packageRoot, 'models', 'profiles')): Profile {
  const profiles = readProfiles(folder);
  const matches = ({ match }: Profile) => Object.entries(match).every(([key, value]) => model.metadata[key] === value);
  const specific = profiles.find((profile) => Object.keys(profile.match).length > 0 && matches(profile));
  const chosen = specific ?? profiles.find((profile) => Object.keys(profile.match).length === 0);
  if (!chosen) throw new T1Error('INTERNAL', `no default prompt profile in ${folder}`);
  return chosen;
}

const read = new Map<string, readonly Profile[]>();

/** Once per process. */
function readProfiles(folder: string): readonly Profile[] {
  const known = read.get(folder);
  if (known) return known;
  const profiles = readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => readProfile(join(folder, file)));
  read.set(folder, profiles);
  return profiles;
}

function readProfile(path: string): Profile {
  try {
    return profileSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
    throw new T1Error('INTERNAL', `prompt profile ${basename(path)} cannot be used: ${why}`, { cause });
  }
}
