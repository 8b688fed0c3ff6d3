/** The shipped model's generator and labeller: Python with nothing but its standard library. */
import { execFileSync } from 'node:child_process';
import { root } from './record.mjs';

const lines = (text) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

/** @param {string} module of `training/tiny` @param {...(string | number)} flags @returns {object[]} its JSON lines */
export function generate(module, ...flags) {
  return lines(python(module, flags));
}

/**
 * @param {{ solution: string, answer: string, plan: unknown }[]} solutions
 * @returns {({ correct: boolean, logic: boolean, sums: boolean, steps: (boolean | null)[] } | null)[]} what is wrong
 *   with each
 */
export function label(solutions) {
  return lines(python('label', [], solutions.map((each) => JSON.stringify(each)).join('\n')));
}

function python(module, flags, input = '') {
  return execFileSync('python3', ['-m', `training.tiny.${module}`, ...flags.map(String)], {
    cwd: root,
    encoding: 'utf8',
    input,
    maxBuffer: 1 << 28,
  });
}
