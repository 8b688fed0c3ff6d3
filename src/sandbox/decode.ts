import { T1Error } from '../errors.js';

/** The text of a program file. @throws T1Error INPUT if the bytes are not UTF-8 */
export function decodeProgram(bytes: Uint8Array, name = 'the program'): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new T1Error('INPUT', `${name} is not UTF-8 text`, { cause });
  }
}
