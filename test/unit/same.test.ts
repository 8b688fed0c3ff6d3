/** Votes for one answer are counted together, however it is written. */
import { writeFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { FakeEngine } from '../../src/testing/fake-engine.js';
import { unified } from '../../src/statistics/unify.js';
import { sampleSeed } from '../../src/generate/seeds.js';
import { grade } from '../../src/grade/grader.js';
import { answerGroups, type SameAnswer } from '../../src/grade/same.js';
import { solve } from '../support/solve.js';
import { temporaryFolder } from '../support/t1.js';

const graded: SameAnswer = async (a, b) => (await grade(a, b, { kind: 'math' })).equal;

test('a group is called after the first answer of it', async () => {
  const answers = ['1/2', null, '0.5', '\\sqrt{8}', '7', '2\\sqrt{2}', '\\frac{1}{2}', '7.0', null];
  expect(await answerGroups(answers, graded)).toEqual([0, null, 0, 3, 4, 3, 0, 4, null]);
});

test('nobody is asked about the same text, nor about two words', async () => {
  const same = vi.fn(() => true);
  expect(await answerGroups(['Norway', 'norway', 'Sweden', 'the Dead Sea', 'Norway'], same)).toEqual([0, 0, 2, 3, 0]);
  expect(same).not.toHaveBeenCalled();
});

test('answers of which nobody can say whether they are the same are not', async () => {
  expect(await answerGroups(['x+1', 'y+1', 'x+1'], () => null)).toEqual([0, 1, 0]);
});

test('each is asked about once, and with the first of a group alone', async () => {
  const asked: string[] = [];
  const same: SameAnswer = (a, b) => (asked.push(`${a} ${b}`), Number(a) % 2 === Number(b) % 2);
  expect(await answerGroups(['1', '3', '2', '3', '4', '5'], same)).toEqual([0, 0, 2, 0, 2, 0]);
  expect(asked).toEqual(['1 3', '1 2', '1 4', '2 4', '1 5']);
});

test('pools from elsewhere: the right answer first, greedy too, and what says nothing stays so', async () => {
  const [problem] = await unified(
    [
      {
        id: 'a',
        gold: '0.5',
        candidates: [{ answer: '\\frac12', reward: 1 }, { answer: null }, { answer: '2x+x' }, { answer: '3x' }],
        greedy: '1/2',
      },
    ],
    graded,
  );
  expect(problem).toEqual({
    id: 'a',
    gold: '0.5',
    candidates: [{ answer: '0.5', reward: 1 }, { answer: null }, { answer: '2x+x' }, { answer: '2x+x' }],
    greedy: '0.5',
  });
  const [silent] = await unified([{ id: 'b', gold: '1', candidates: [{ answer: '1.0' }] }], graded);
  expect(silent).not.toHaveProperty('greedy');
});

test('a problem is answered by all who say the same', async () => {
  const folder = temporaryFolder();
  try {
    const path = `${folder.path}/fake.gguf`;
    writeFileSync(path, 'weights');
    const answers = ['\\frac{1}{2}', '3', '3', '0.5', '0.50'];
    const engine = new FakeEngine({
      answer: (_, seed) => `\\boxed{${answers[answers.findIndex((_, i) => sampleSeed(0, i) === seed)] ?? ''}}`,
      model: { path },
    });
    const context = { engine, samples: 5, verifier: 'steps', select: 'majority', reward: 'yes-no' } as const;
    expect(await solve('What is half of one?', context).result).toMatchObject({
      answer: '\\frac{1}{2}',
      chosen: 0,
      candidates: [{ group: 0 }, { group: 1 }, { group: 1 }, { group: 0 }, { group: 0 }],
    });
    // Told that they are not the same, the first of two with two votes.
    expect(await solve('What is half of one?', { ...context, same: () => false }).result).toMatchObject({
      answer: '3',
      candidates: [{ group: 0 }, { group: 1 }, { group: 1 }, { group: 3 }, { group: 3 }],
    });
  } finally {
    folder.remove();
  }
});
