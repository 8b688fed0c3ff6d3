/** Finds the letter that an answer to a multiple-choice question names. */

export interface ChoiceOptions {
  /** How many options the question has; their letters are A, B, C, … (default 10) */
  readonly choices?: number;
}

const MOST_CHOICES = 26;

/** What Python's `\s` matches in text; JavaScript's differs by a few characters. */
const SPACE = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const WORD = /[\p{L}\p{N}_]/u;

/**
 * The letter that MMLU-Pro's own extraction finds (TIGER-AI-Lab/MMLU-Pro, `evaluate_from_local.py`), in linear time:
 * its three regular expressions one after the other, with the meaning that Python gives them.
 *
 * 1. the first `answer is (X`
 * 2. the last `Answer: X` of the first line that has one
 * 3. the last letter that stands alone, with Unicode word boundaries
 *
 * @param text a whole solution
 * @returns null when no letter of an option stands anywhere
 * @throws RangeError when `choices` is not between 1 and 26
 */
export function extractChoice(text: string, { choices = 10 }: ChoiceOptions = {}): string | null {
  const letters = letterClass(choices);
  const stated = new RegExp(`answer is \\(?(${letters})\\)?`).exec(text);
  return stated?.[1] ?? labelled(text, letters) ?? lastAlone(text, letters);
}

/**
 * The letter that a short answer names: one that it begins with, "(B)" or "B. 12 apples", else one after "the answer
 * is", also with words between, else what `extractChoice` finds.
 *
 * @throws RangeError when `choices` is not between 1 and 26
 */
export function choiceOfAnswer(answer: string, { choices = 10 }: ChoiceOptions = {}): string | null {
  const letters = letterClass(choices);
  const boxed = /^\s*\\boxed\{\s*(.{1,200})\}\s*\.?\s*$/s.exec(answer)?.[1] ?? answer;
  const text = boxed
    .replace(/\\(?:text|textbf|mathrm|mathbf|mbox)\s*\{([^{}]*)\}/g, '$1')
    .replaceAll('$', '')
    .trim();
  const leading = new RegExp(`^[(\\[*]*(${letters})(?=$|[)\\].:,;*。，、：]|\\s)`).exec(text)?.[1];
  if (leading !== undefined && !/^[AI] [a-z]/.test(text)) return leading;
  const cue = new RegExp(`answer is (?:(?!not\\b)[a-z]+ ){0,4}\\(?(${letters})(?![\\p{L}\\p{N}_'])`, 'u').exec(text);
  return cue?.[1] ?? extractChoice(text, { choices });
}

function letterClass(choices: number): string {
  if (!Number.isInteger(choices) || choices < 1 || choices > MOST_CHOICES)
    throw new RangeError(`choices is ${choices}: give 1 to ${MOST_CHOICES}`);
  return `[A-${String.fromCharCode(64 + choices)}]`;
}

/** As `re.search(r'.*[aA]nswer:\s*([A-J])', text)`: the first line where one begins, and there the last. */
function labelled(text: string, letters: string): string | null {
  const pattern = new RegExp(`[aA]nswer:${SPACE}*(${letters})`, 'g');
  let found: string | null = null;
  let lineEnd = text.length;
  for (let match = pattern.exec(text); match && match.index < lineEnd; match = pattern.exec(text)) {
    if (found === null) lineEnd = endOfLine(text, match.index);
    found = match[1] ?? null;
    pattern.lastIndex = match.index + 1; // the A of "Answer: Answer: B" is a letter too
  }
  return found;
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end;
}

/** As `re.search(r'\b[A-J]\b(?!.*\b[A-J]\b)', text, re.DOTALL)`. */
function lastAlone(text: string, letters: string): string | null {
  const letter = new RegExp(letters);
  for (let i = text.length - 1; i >= 0; i--) {
    const character = text[i] ?? '';
    if (letter.test(character) && !isWord(before(text, i)) && !isWord(text.codePointAt(i + 1))) return character;
  }
  return null;
}

/** The code point that ends before `at`. */
function before(text: string, at: number): number | undefined {
  const pair = at >= 2 ? text.codePointAt(at - 2) : undefined;
  return pair !== undefined && pair > 0xffff ? pair : at >= 1 ? text.charCodeAt(at - 1) : undefined;
}

const isWord = (codePoint: number | undefined): boolean =>
  codePoint !== undefined && WORD.test(String.fromCodePoint(codePoint));
