/** The paper's figures, as they are printed beside a run's own. */
import { expect, test } from 'vitest';
import { paperFigures } from '../../src/runs/paper-figures.js';

test.each([
  ['math500', 'Llama-3.2-1B', 'T1 (prm)', 53.2],
  ['math500', 'Qwen2.5-0.5B', 'majority', 42.8],
  ['gsm8k', 'Llama-3.2-1B', 'T1 (genrm)', 74.6],
])('%s, %s, %s at N = 64', (task, model, strategy, accuracy) => {
  const paper = paperFigures(task);
  expect(paper?.n).toEqual([1, 2, 4, 8, 16, 32, 64]);
  expect(paper?.rows.every((row) => row.accuracy.length === 7)).toBe(true);
  expect(paper?.rows.find((row) => row.model === model && row.strategy === strategy)?.accuracy.at(-1)).toBe(accuracy);
});

test('no table, no figures', () => expect(paperFigures('tiny')).toBeUndefined());
