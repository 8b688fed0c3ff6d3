/** Writes a run as one HTML file that needs no network. */
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { T1Error } from '../errors.js';
import { message, remedy } from '../message.js';
import { recordKey } from '../runs/record.js';
import { RunFile } from '../runs/run-file.js';
import { withoutTexts } from './data.js';
import { reportFile } from './page.js';

/**
 * @param folder of the run
 * @throws T1Error FILE_NOT_FOUND, RUN_CORRUPT, INPUT, DISK_FULL
 */
export async function writeReport(folder: string, output: string): Promise<void> {
  using run = RunFile.open(folder);
  const records = run.versions().map(({ key }) => withoutTexts(run.record(key)));
  if (records.length === 0)
    throw new T1Error(
      'INPUT',
      message`${folder} has no finished problem yet: ${remedy('goOnOrWatch', 'go on with it first', folder)}`,
    );
  await write(
    output,
    reportFile(run, records, (record) => run.record(recordKey(record))),
  );
}

/** The whole file or none: a reader never finds half of one under its name. */
async function write(path: string, parts: AsyncIterable<string>): Promise<void> {
  const beside = `${path}.${process.pid}.part`;
  try {
    await pipeline(Readable.from(parts), createWriteStream(beside, { flags: 'wx' }));
    await rename(beside, path);
  } catch (cause) {
    await rm(beside, { force: true }).catch(() => {}); // what matters is why it could not be written
    if (!(cause instanceof Error && 'syscall' in cause && 'code' in cause)) throw cause;
    if (cause.code === 'ENOSPC') throw new T1Error('DISK_FULL', `no room to write ${path}`, { cause });
    throw new T1Error('INPUT', `cannot write ${path} (${String(cause.code)}): name another file`, { cause });
  }
}
