/** Text from an argument, a file or standard input. */
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { T1Error } from '../errors.js';

/**
 * @param source `-` for standard input, else a path
 * @throws T1Error FILE_NOT_FOUND, or INPUT when it is not UTF-8
 */
export async function readText(source: string): Promise<string> {
  const bytes = source === '-' ? await buffer(process.stdin) : await readBytes(source);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new T1Error('INPUT', `${source === '-' ? 'standard input' : source} is not UTF-8 text: convert it first`, { cause });
  }
}

/** The argument itself, or standard input for `-` or when nothing is given and something is piped in. */
export async function argumentText(argument: string | undefined, what: string): Promise<string> {
  if (argument !== undefined && argument !== '-') return argument;
  if (argument === undefined && process.stdin.isTTY) throw new T1Error('USAGE', `no ${what} given: put it in quotes, or pipe it in`);
  return readText('-');
}

async function readBytes(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new T1Error('FILE_NOT_FOUND', `cannot read ${path} (${why}): check the path`, { cause });
  }
}
