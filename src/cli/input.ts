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
 * The argument itself, or what a file says, or standard input for `-` or when nothing is given and something is piped
 * in.
 *
 * @param file instead of the argument
 * @throws T1Error USAGE when there is neither or both, FILE_NOT_FOUND, INPUT when it is not UTF-8
 */
export async function argumentText(argument: string | undefined, what: string, file?: string): Promise<string> {
  if (file !== undefined && argument !== undefined)
    throw new T1Error('USAGE', `give the ${what} or a file with it, not both`, { setting: 'file' });
  if (argument !== undefined && !isStandardInput(argument)) return argument;
  if (argument === undefined && file === undefined && process.stdin.isTTY)
    throw new T1Error('USAGE', `no ${what} given: put it in quotes, or pipe it in`);
  const source = file ?? '-';
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readBytes(source));
  } catch (cause) {
    if (cause instanceof T1Error) throw cause;
    throw new T1Error('INPUT', `${sourceName(source)} is not UTF-8 text: convert it first`, { cause });
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
