/** What can be done, as commands; errors of the library and help lines leave a place for it. */
import type { RemedyName, RemedyOf } from '../message.js';

const remedies: Readonly<Record<RemedyName, (about: string) => string>> = {
  addIndex: () => 'make one with t1 index add NAME PATHS…',
  listIndexes: () => ' (t1 index list)',
  listDevices: () => 't1 inspect gpu lists them',
  listRuns: () => 't1 runs ls lists those there are',
  showRun: (folder) => `give the command that it was made with (t1 runs show ${folder})`,
  goOn: () => 't1 retry makes what is missing',
  goOnOrWatch: (folder) => `t1 retry ${folder} goes on with it, t1 view ${folder} shows it live`,
  sameAgain: () => 'the same command continues',
  askAgain: () => 't1 retry makes it again once it is deleted',
};

export const inCommands: RemedyOf = (name, about) => remedies[name](about);
