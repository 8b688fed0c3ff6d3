/** A line that changes is drawn only where lines can be overwritten. */
import { afterEach, expect, test } from 'vitest';
import { Spinner } from '../../src/cli/spinner.js';

const before = { isTTY: process.stderr.isTTY, columns: process.stderr.columns };
afterEach(() => void Object.assign(process.stderr, before));

test.each([
  [true, 80, true],
  [true, 0, false],
  [false, 80, false],
])('terminal: %s, %i columns: %s', (isTTY, columns, drawn) => {
  Object.assign(process.stderr, { isTTY, columns });
  expect(Spinner.onTerminal() !== undefined).toBe(drawn);
});
