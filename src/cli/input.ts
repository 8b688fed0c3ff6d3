/** Text from an argument, a file or standard input. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { T1Error } from '../errors.js';

/** Stands for `-` on its way through yargs, which takes a positional `-` for a flag. No argument can hold it. */
const STANDARD_INPUT = '\u0000';
export const markStandardInput = (argument: string): string => (argument === '-' ? STANDARD_INPUT : argument);
export const isStandardInput = (argument: string): boolean => argument === '-' || argument === STANDARD_INPUT;

/** @returns the source's name for messages */
export const sourceName = (source: string): string => (isStandardInput(source) ? 'standard input' : source);

/**
 * @param source `-` (marked or not) for standard input, else a path
 * @throws T1Error FILE_NOT_FOUND
 */
export async function readBytes(source: string): Promise<Buffer> {
  if (isStandardInput(source)) return buffer(process.stdin);
  try {
    return await readFile(source);
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new T1Error('FILE_NOT_FOUND', `cannot read ${source} (${why}): check the path`, { cause });
  }
}

/**
 * The argument itself, or standard input for `-` or when nothing is given and something is piped in.
 *
 * @throws T1Error USAGE when there is neither, INPUT when it is not UTF-8
 */
export async function argumentText(argument: string | undefined, what: string): Promise<string> {
  if (argument !== undefined && !isStandardInput(argument)) return argument;
  if (argument === undefined && process.stdin.isTTY)
    throw new T1Error('USAGE', `no ${what} given: put it in quotes, or pipe it in`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readBytes('-'));
  } catch (cause) {
    if (cause instanceof T1Error) throw cause;
    throw new T1Error('INPUT', 'standard input is not UTF-8 text: convert it first', { cause });
  }
}

/** `FILE`, or `FILE:SCALE` as llama.cpp writes it; a file whose own name ends so is taken as it is. */
export function scaledFile(text: string): { readonly path: string; readonly scale: number } {
  const colon = text.lastIndexOf(':');
  const scale = text.slice(colon + 1);
  if (colon < 1 || scale.trim() === '' || !Number.isFinite(Number(scale)) || existsSync(text))
    return { path: text, scale: 1 };
  return { path: text.slice(0, colon), scale: Number(scale) };
}

/** `100` is the first hundred, `50-100` those from the 50th on. */
export function rangeOf(limit: string | undefined): readonly [number, number] {
  if (limit === undefined) return [0, Infinity];
  const match = /^(?:(\d+)-)?(\d+)$/.exec(limit);
  const [from, to] = [Number(match?.[1] ?? 0), Number(match?.[2])];
  if (match && from < to) return [from, to];
  throw new T1Error('USAGE', `--limit: '${limit}' is no range: write 100, or 50-100`);
}
