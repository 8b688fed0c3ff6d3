/** Processes that tests start. None outlives its test, its file or the runner, however these end. */
import type { ChildProcess } from 'node:child_process';
import { afterAll, afterEach, expect } from 'vitest';

/** With the test that started it; none for what a hook of the file started. */
const children = new Map<ChildProcess, string | undefined>();

/**
 * @returns the child; killed when the test ends in which it was started (also by its time limit), or else with the file
 */
export function ofThisTest<Child extends ChildProcess>(child: Child): Child {
  children.set(child, expect.getState().currentTestName);
  child.once('exit', () => children.delete(child));
  return child;
}

function killAll(which: (test: string | undefined) => boolean = () => true): void {
  for (const [child, test] of children) if (which(test)) child.kill('SIGKILL');
}

afterEach(() => killAll((test) => test !== undefined && test === expect.getState().currentTestName));
afterAll(() => killAll());
process.once('exit', () => killAll());
for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    killAll();
    process.kill(process.pid, signal); // `once`: now it does what it would have done
  });
}
