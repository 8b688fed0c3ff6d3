/** Which answers are the same, however they are written: votes for one answer must not be split. */
import { normalizeAnswer } from './normalize.js';

/** Null: nobody can say. */
export type SameAnswer = (a: string, b: string) => Promise<boolean | null> | boolean | null;

/** Only mathematics says the same in two ways: texts of words are the same when they look the same. */
const WORDS = /^\p{L}{3,}(?:[ '’-]\p{L}+)*$/u;

interface Group {
  readonly number: number;
  readonly first: string;
}

/**
 * Each answer joins the first group whose first answer it equals. Answers with one normal form are the same without
 * being asked about; those about which nobody can say are not.
 *
 * @returns [answers] index of the first answer that is the same; null where there is no answer
 */
export async function answerGroups(answers: readonly (string | null)[], same: SameAnswer): Promise<(number | null)[]> {
  const byForm = new Map<string, Group>();
  const groups: Group[] = [];
  const numbers: (number | null)[] = [];
  for (const [i, answer] of answers.entries()) {
    if (answer === null) {
      numbers.push(null);
      continue;
    }
    const form = normalizeAnswer(answer);
    let group = byForm.get(form) ?? (await groupOf(answer, groups, same));
    if (!group) groups.push((group = { number: i, first: answer }));
    byForm.set(form, group);
    numbers.push(group.number);
  }
  return numbers;
}

async function groupOf(answer: string, groups: readonly Group[], same: SameAnswer): Promise<Group | undefined> {
  const words = WORDS.test(answer);
  for (const group of groups) {
    if (words && WORDS.test(group.first)) continue;
    if ((await same(group.first, answer)) === true) return group;
  }
  return undefined;
}
