/** Stage 1: what the user typed becomes a Problem. */
import { z } from 'zod';
import { T1Error } from '../errors.js';

/** 256 KiB: far beyond any word problem, and small enough to tokenise at once. */
export const MAX_PROBLEM_BYTES = 256 * 1024;

export interface Problem {
  readonly text: string;
}

const problemText = z
  .string({ error: 'the problem is no text: give a question in plain words' })
  .transform((text) => text.trim())
  .refine((text) => text.length > 0, 'the problem is empty: give a question in plain words')
  .refine((text) => Buffer.byteLength(text) <= MAX_PROBLEM_BYTES, {
    error: ({ input }) =>
      `the problem is ${Buffer.byteLength(String(input))} bytes long; ${MAX_PROBLEM_BYTES} is the limit: shorten it`,
  })
  .refine((text) => !text.includes('\u0000'), 'the problem holds a NUL character: is it a text file?');

/**
 * @param text the question in plain words
 * @throws T1Error INPUT when it is empty, too long, or not text
 */
export function parseProblem(text: string): Problem {
  const parsed = problemText.safeParse(text);
  if (!parsed.success) throw new T1Error('INPUT', parsed.error.issues[0]?.message ?? 'the problem is not text');
  return { text: parsed.data };
}
