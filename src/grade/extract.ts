/**
 * Finds the final answer in a solution. Everything here is linear in the text's length.
 *
 * In this order, as the graders of MATH and GSM8K do: a "final answer" behind the last box, boxes, what follows "the
 * answer is" (in several languages) or "####", the last formula or number.
 */
import { boxedAnswer } from './boxed.js';

export { extractBoxed } from './boxed.js';

/** What follows a cue is looked at so far. */
const REACH = 400;

const FINAL = /final answer\s*(?:is|:)?\s*:?/gi;
const CUES =
  /(?:answer|result|solution)s?\s*(?:is|are|was|should be|will be|would be|equals|:)+\s*:?|####|答案\s*(?:是|为|為|：|:)|答\s*(?:：|:)|答え(?:は|：|:)|(?:réponse|respuesta|resposta|risposta|antwort|lösung|ответ|відповідь|الجواب|الإجابة|उत्तर|답|정답|đáp án|odpowiedź|cevap|jawaban)\s*(?:finale|final)?\s*(?:est|es|é|è|ist|lautet|هو|هي|है|은|는|là|to|[:：—-])+\s*[:：]?/giu;

/**
 * @param text a whole solution, or an answer alone, which is returned as it is
 * @returns null when there is neither a box, a formula, a number, nor a stated answer
 */
export function extractAnswer(text: string): string | null {
  const solution = withoutMarkup(text);
  if (solution.trim() === '') return null;
  const box = boxedAnswer(solution);
  const final = afterLast(solution, FINAL, box?.end ?? 0);
  if (final !== null) return final;
  if (box) return box.answer;
  const open = solution.lastIndexOf('\\boxed{');
  if (open !== -1) return bare(solution.slice(open + '\\boxed{'.length, open + REACH));
  if (isBareAnswer(solution)) return bare(solution);
  return afterLast(solution, CUES, 0) ?? lastFormulaOrNumber(solution);
}

/** Marks of chat templates, and what was thought before the reply. */
function withoutMarkup(text: string): string {
  const thought = text.lastIndexOf('</think>');
  const reply = thought === -1 || text.slice(thought + 8).trim() === '' ? text : text.slice(thought + 8);
  return reply
    .replace(/<\|[^|<>]{1,40}\|>(?:user|assistant|system)?/g, ' ')
    .replace(/\\\\(?=(?:boxed|fbox|frac|dfrac|left|right|sqrt|text|begin|end)\b)/g, '\\');
}

interface Formula {
  readonly content: string;
  readonly start: number;
  readonly end: number;
}

/** `$…$`, `$$…$$`, `\(…\)` and `\[…\]`. An opening mark without its closing one ends the search for that kind. */
function formulas(text: string): Formula[] {
  const found: Formula[] = [];
  let at = 0;
  const missing = new Set<string>();
  for (let next = nextMark(text, at, missing); next; next = nextMark(text, at, missing)) {
    const { open, start } = next;
    const close = CLOSING[open] ?? '$';
    const end = text.indexOf(close, start + open.length);
    if (end === -1) {
      missing.add(open);
      at = start + open.length;
      continue;
    }
    const content = text.slice(start + open.length, end).trim();
    if (open === '$' && isProse(content)) {
      at = start + open.length; // dollars: "how many $? about 1$"
      continue;
    }
    found.push({ content, start, end: end + close.length });
    at = end + close.length;
  }
  return found.filter(({ content }) => content !== '');
}

const isProse = (content: string): boolean =>
  !content.includes('\\') && /(?:^|\s)[a-z]{3,}\s+(?:\S+\s+)?[a-z]{3,}(?=[\s.,]|$)/.test(content);

const CLOSING: Readonly<Record<string, string>> = { $$: '$$', $: '$', '\\[': '\\]', '\\(': '\\)' };
const MARK = /\$\$|(?<!\\)\$|\\\[|\\\(/g;

function nextMark(text: string, from: number, missing: ReadonlySet<string>): { open: string; start: number } | null {
  MARK.lastIndex = from;
  for (let match = MARK.exec(text); match; match = MARK.exec(text)) {
    if (!missing.has(match[0])) return { open: match[0], start: match.index };
  }
  return null;
}

/** Answers themselves are shorter; beyond REACH they are formulas. */
const LONGEST_BARE = 10_000;

const WORDS = /[\p{L}\p{M}]{2,}/gu;
/** Words that link answers, name units or stand in answers themselves. */
const PART_OF_ANSWER =
  /^(?:and|or|und|oder|et|ou|y|o|percent|percentage|pct|square|cubic|per|for|some|all|if|when|with|in|of|to|any|units?|times|by)$/i;

const ANNOUNCES = /^(?:answer|solution|result|therefore|thus|hence|so|is|equals|get|have)$/i;
/** What a program holds and prose does not. */
const CODE = /__\w|\w\(['"]|=>|\blambda\b/;

/** True when a text is an answer itself, not a text that states one. */
export function isBareAnswer(text: string): boolean {
  if (text.length > LONGEST_BARE || /\\boxed|####/.test(text)) return false;
  const parts = formulas(text);
  let outside = text;
  for (const { start, end } of [...parts].reverse()) outside = `${outside.slice(0, start)} ${outside.slice(end)}`;
  const prose = outside.replace(
    /\\(?:text|textbf|textnormal|mathrm|mbox|operatorname)\s*\{[^{}]*\}|\\[A-Za-z]+|\{[^{}]*\}/g,
    ' ',
  );
  if (new RegExp(CUES).test(prose)) return false;
  const words = (prose.match(WORDS) ?? []).filter((word) => !PART_OF_ANSWER.test(word));
  if (text.length > REACH) return words.length === 0 && parts.length <= 1;
  if (CODE.test(prose)) return true;
  if (/[.!?。]\s+\S/.test(prose) && words.length > 1) return false;
  if (words.some((word) => ANNOUNCES.test(word))) return false;
  if (parts.length > 0) return words.length <= 1 && !/:\s*$/.test(text.slice(0, parts[0]?.start));
  return words.length <= (/\d/.test(prose) ? 3 : 8) && !isUnspacedSentence(prose);
}

/** Scripts that write no spaces between words make one "word" of a sentence. */
const isUnspacedSentence = (text: string): boolean =>
  (text.match(/[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/g)?.length ?? 0) > 4;

const bare = (text: string): string | null => text.trim() || null;

/** What the last occurrence of a cue is followed by; an earlier one when nothing follows. */
function afterLast(text: string, cue: RegExp, from: number): string | null {
  const ends: number[] = [];
  for (const match of text.matchAll(cue)) if (match.index >= from) ends.push(match.index + match[0].length);
  for (const end of ends.reverse().slice(0, 20)) {
    const answer = statedAnswer(text.slice(end, end + REACH));
    if (answer !== null) return answer;
  }
  return null;
}

/** The answer at the beginning of what follows a cue: a formula or number in its first sentence, else its words. */
function statedAnswer(rest: string): string | null {
  const text = rest.replace(/\*\*|__/g, '').trimStart();
  const sentence = firstSentence(text);
  const parts = formulas(sentence);
  const [first] = parts;
  if (first && first.start <= 2) return linked(sentence, parts);
  const telling = parts.find(({ content }) => /\d|\\(?:frac|sqrt|pi|infty)/.test(content));
  const number = firstNumber(sentence);
  if (telling && (!number || telling.start <= number.start)) return telling.content;
  if (number) return number.content;
  if (first) return first.content;
  const words = sentence.replace(/[.。"']+$/, '').trim();
  return words !== '' && words.split(/\s+/).length <= 8 && /[\p{L}\p{N}\\]/u.test(words) ? words : null;
}

/** Formulas that begin an answer, as far as only "and", "or" and commas stand between them. */
function linked(text: string, parts: readonly Formula[]): string {
  let answer = parts[0]?.content ?? '';
  for (let i = 1; i < parts.length; i++) {
    const between = text.slice(parts[i - 1]?.end, parts[i]?.start).trim();
    if (!/^(?:,|and|or|,\s*and|,\s*or)$/.test(between)) break;
    answer += `, ${parts[i]?.content ?? ''}`;
  }
  return answer;
}

/** Up to a full stop that is followed by space, outside formulas; not beyond an empty line. */
function firstSentence(text: string): string {
  const paragraph = text.split(/\n\s*\n/, 1)[0] ?? '';
  const parts = formulas(paragraph);
  for (const match of paragraph.matchAll(/[.!?](?=\s|$|["*])|[。！？]/g)) {
    if (!parts.some(({ start, end }) => match.index > start && match.index < end))
      return paragraph.slice(0, match.index);
  }
  return paragraph;
}

const NUMBER =
  '(?:\\\\[dt]?frac\\s?\\{[^{}]{1,40}\\}\\s?\\{[^{}]{1,40}\\}|\\d{1,3}(?:(?:,|\\{,\\}|,\\\\!\\s?)\\d{3})+(?:\\.\\d+)?|\\d+(?:[.,]\\d+)?|\\.\\d+)(?:\\s?\\\\?%)?';
const OPERATOR = '\\s?(?:[-+*/=^×·÷−:]|\\\\cdot|\\\\times|\\\\div)\\s?';
/** A calculation or a number: "35 + 70 = 105", "-3/4". Each part is bounded, so a search is linear. */
const RUN = new RegExp(
  `(?<![\\d\\p{Script=Latin}\\p{Script=Greek}\\p{Script=Cyrillic}_])[-−]?${NUMBER}(?:${OPERATOR}[-−]?${NUMBER}){0,20}`,
  'gu',
);

function firstNumber(text: string): { content: string; start: number } | null {
  const match = text.matchAll(RUN).next().value;
  return match ? { content: match[0], start: match.index } : null;
}

/** The last formula that says something, or the last number, whichever stands later. */
function lastFormulaOrNumber(text: string): string | null {
  const parts = formulas(text);
  const formula =
    parts.findLast(({ content }) => /\d|[=<>]|\\(?:frac|sqrt|pi|infty|le|ge|in|begin)\b/.test(content)) ?? parts.at(-1);
  let number: { content: string; start: number } | null = null;
  for (const match of text.matchAll(RUN)) number = { content: match[0], start: match.index };
  if (formula && (!number || number.start < formula.end)) return formula.content;
  return number?.content ?? null;
}
