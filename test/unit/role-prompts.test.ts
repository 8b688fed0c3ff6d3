/** What a verifier is asked, and which of it the model has in its cache already. */
import { describe, expect, test } from 'vitest';
import type { FinishReason } from '../../src/engine/engine-types.js';
import type { Prompt } from '../../src/prompt/prompt.js';
import { distinctSolutions } from '../../src/prompt/role-prompts.js';
import type { Candidate } from '../../src/types.js';

const solvePrompt: Prompt = { text: '<user>2+2?<assistant>', tokens: Int32Array.of(1, 2, 3) };
const candidateOf = (index: number, text: string, finish: FinishReason, answer: string | null = '4'): Candidate => ({
  index,
  seed: index,
  text,
  tokens: Int32Array.of(10 + index),
  logprobs: Float32Array.of(-0.5),
  finish,
  answer,
});

test('equal solutions are asked about once; those without an answer not at all', () => {
  const pool = [
    candidateOf(0, 'a', 'eog'),
    candidateOf(1, 'b', 'eog'),
    candidateOf(2, 'a', 'eog'),
    candidateOf(3, 'c', 'eog', null),
  ];
  const asked = distinctSolutions(pool, solvePrompt);
  expect(asked.map(({ text, candidates }) => [text, candidates.map(({ index }) => index)])).toEqual([
    ['a', [0, 2]],
    ['b', [1]],
  ]);
});

describe('a prompt goes on from the tokens that the model sampled', () => {
  const turnOf = (finish: FinishReason) => distinctSolutions([candidateOf(7, 'a', finish)], solvePrompt)[0]?.turn;

  test('of a solution that ended by itself: the template goes on where the model did', () => {
    expect(turnOf('eog')).toEqual({ prompt: solvePrompt, text: 'a', tokens: Int32Array.of(17) });
  });

  test.each(['length', 'stop'] as const)(
    'not of one that was ended (%s): its last token may be half of one',
    (finish) => {
      expect(turnOf(finish)).toBeUndefined();
    },
  );

  test('not of one that another model sampled: its tokens mean nothing to this one', () => {
    expect(distinctSolutions([candidateOf(7, 'a', 'eog')], undefined)[0]?.turn).toBeUndefined();
  });
});
