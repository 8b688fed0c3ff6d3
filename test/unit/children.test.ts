/** Tests leave no process behind. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { beforeAll, expect, test } from 'vitest';
import { ofThisTest } from '../support/children.js';

const forever = (): ChildProcess => ofThisTest(spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']));
let ofTheFile: ChildProcess;
let left: ChildProcess;

beforeAll(() => {
  ofTheFile = forever();
});

test('a child that its test forgets …', () => {
  left = forever();
  expect(left.exitCode).toBeNull();
});

test('… is killed when the test has ended; one that a hook started is not', async () => {
  if (left.signalCode === null) await once(left, 'exit');
  expect(left.signalCode).toBe('SIGKILL');
  expect([ofTheFile.exitCode, ofTheFile.signalCode]).toEqual([null, null]);
});
