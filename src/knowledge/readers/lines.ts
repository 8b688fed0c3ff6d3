/** Lines of a stream of bytes, checked to be UTF-8. */
import { isUtf8 } from 'node:buffer';
import { T1Error } from '../../errors.js';

/** A line beyond this is a mistake, not a passage; bytes. */
export const LONGEST_LINE = 64 * 2 ** 20;

const NEWLINE = 10;

export interface Line {
  readonly text: string;
  /** From 1. */
  readonly number: number;
}

/**
 * @param name of the source, for messages
 * @throws T1Error INPUT: not UTF-8, or too long; says which line
 */
export async function* linesOf(chunks: AsyncIterable<Buffer>, name: string): AsyncGenerator<Line, void> {
  let number = 1;
  let kept: Buffer[] = [];
  let keptBytes = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      const rest = chunk.subarray(from, end);
      yield { text: textOf(kept.length === 0 ? rest : Buffer.concat([...kept, rest]), name, number), number };
      if (kept.length > 0) [kept, keptBytes] = [[], 0];
      number++;
      from = end + 1;
    }
    if (from < chunk.length) {
      kept.push(chunk.subarray(from));
      keptBytes += chunk.length - from;
    }
    if (keptBytes > LONGEST_LINE) {
      throw new T1Error(
        'INPUT',
        `${name}:${number}: the line is longer than ${LONGEST_LINE / 2 ** 20} MiB: cut it into passages`,
      );
    }
  }
  if (keptBytes > 0) yield { text: textOf(Buffer.concat(kept), name, number), number };
}

function textOf(bytes: Buffer, name: string, number: number): string {
  if (!isUtf8(bytes)) throw new T1Error('INPUT', `${name}:${number}: not UTF-8 text: convert the file first`);
  const text = bytes.toString('utf8', 0, bytes.at(-1) === 13 ? bytes.length - 1 : bytes.length);
  return number === 1 && text.startsWith('\ufeff') ? text.slice(1) : text;
}
