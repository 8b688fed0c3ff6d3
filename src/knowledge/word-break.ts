/**
 * Words of a text, as Lucene's StandardTokenizer finds them (Unicode UAX #29), then without the English possessive and
 * in lower case: "Newton's 2nd law, e.g. F=m·a" → newton, 2nd, law, e.g, f, m·a.
 *
 * Rules are kept word for word, so a hyphen parts words; an apostrophe, a full stop or a colon between letters does
 * not, nor a comma or a full stop between digits. Han and Hiragana characters are words of their own. Two liberties: a
 * typographic apostrophe is written as ', and text is put into Unicode's normal form C first.
 */

/** Lucene cuts longer words here; UTF-16 units. */
const LONGEST_WORD = 255;

// Classes of the scanner for ASCII.
const OTHER = 0;
const LETTER = 1;
const DIGIT = 2;
const UNDERSCORE = 3; // ExtendNumLet: joins what is beside it, is no word alone
const WITHIN_WORD = 4; // MidLetter: ':'
const WITHIN_NUMBER = 5; // MidNum: ',' ';'
const WITHIN_BOTH = 6; // MidNumLet and Single_Quote: '.' "'"
const SPACE = 7;
const BEYOND_ASCII = 8;

const classOf = asciiClasses();

function asciiClasses(): Uint8Array {
  const classes = new Uint8Array(128);
  const assign = (characters: string, kind: number): void => {
    for (const character of characters) classes[character.charCodeAt(0)] = kind;
  };
  assign('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ', LETTER);
  assign('0123456789', DIGIT);
  assign('_', UNDERSCORE);
  assign(':', WITHIN_WORD);
  assign(',;', WITHIN_NUMBER);
  assign(".'", WITHIN_BOTH);
  assign(' \t\n\v\f\r', SPACE);
  return classes;
}

const kindAt = (text: string, at: number): number => {
  const code = text.charCodeAt(at);
  return code < 128 ? (classOf[code] ?? OTHER) : Number.isNaN(code) ? SPACE : BEYOND_ASCII;
};

/** Calls `onWord` with each word, in order. */
export function eachWord(text: string, onWord: (word: string) => void): void {
  const lower = text.toLowerCase();
  const end = lower.length;
  let at = 0;
  while (at < end) {
    const kind = kindAt(lower, at);
    if (kind === LETTER || kind === DIGIT || kind === UNDERSCORE) at = asciiWord(lower, at, onWord);
    else if (kind === BEYOND_ASCII) at = otherWords(lower, at, at, onWord);
    else at++;
  }
}

/**
 * One word of ASCII from `start` on. Where a character beyond ASCII touches it, the rules of all of Unicode take over.
 *
 * @returns where to go on
 */
function asciiWord(text: string, start: number, onWord: (word: string) => void): number {
  let at = start;
  let last = OTHER; // LETTER or DIGIT: what a sign between two of them needs on both sides
  let real = false;
  for (;;) {
    const kind = kindAt(text, at);
    if (kind === LETTER || kind === DIGIT) real = true;
    else if (kind === BEYOND_ASCII) return otherWords(text, start, at, onWord);
    else if (kind >= WITHIN_WORD && kind <= WITHIN_BOTH) {
      const next = kindAt(text, at + 1);
      if (next === BEYOND_ASCII) return otherWords(text, start, at, onWord);
      if (next !== last || !joins(kind, last)) break;
    } else if (kind !== UNDERSCORE) break;
    last = kind;
    if (kind >= WITHIN_WORD) last = OTHER;
    at++;
  }
  if (real) emit(text.slice(start, at), onWord);
  return at;
}

const joins = (sign: number, sides: number): boolean =>
  sides === LETTER
    ? sign === WITHIN_WORD || sign === WITHIN_BOTH
    : sides === DIGIT && (sign === WITHIN_NUMBER || sign === WITHIN_BOTH);

// Word_Break classes, as far as JavaScript's property escapes go. {M} stands for what never parts: Extend, Format, ZWJ.
const MARK = String.raw`[\p{M}\p{Cf}\u200d]`;
const IDEOGRAPH = String.raw`\p{sc=Han}\p{sc=Hiragana}`;
const SOUTHEAST_ASIAN = String.raw`\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}`;
const KATAKANA = String.raw`\p{sc=Katakana}\u30fc\uff70`;
const letter = String.raw`[\p{Alphabetic}--[${IDEOGRAPH}${KATAKANA}${SOUTHEAST_ASIAN}]]`;
const digit = String.raw`\p{Nd}`;
const joiner = String.raw`\p{Pc}`;
const withinWord = String.raw`[:\u00b7\u0387\u055f\u05f4\u2027\ufe13\ufe55\uff1a.'\u2018\u2024\ufe52\uff07\uff0e]`;
const withinNumber = String.raw`[,;\u037e\u0589\u060c\u060d\u066c\u07f8\u2044\ufe10\ufe14\ufe50\ufe54\uff0c\uff1b.'\u2018\u2024\ufe52\uff07\uff0e]`;
const unicodeWord = new RegExp(
  [
    `(?:(?:${letter}|${digit}|${joiner})${MARK}*|(?<=${letter}${MARK}*)${withinWord}${MARK}*(?=${letter})|(?<=${digit}${MARK}*)${withinNumber}${MARK}*(?=${digit}))+`,
    `[${KATAKANA}](?:[${KATAKANA}]|${joiner}|${MARK})*`,
    `[${IDEOGRAPH}]${MARK}*`,
    `[${SOUTHEAST_ASIAN}${String.raw`\p{M}`}]+`,
    String.raw`\p{RGI_Emoji}`,
  ].join('|'),
  'gv',
);
const onlyJoiners = /^[\p{Pc}\p{M}\p{Cf}]*$/u;

/**
 * Words from `start` to the next ASCII space, by all rules of Unicode. Spaces always part words, so nothing is cut.
 *
 * @param seen no space lies between `start` and here
 * @returns where to go on
 */
function otherWords(text: string, start: number, seen: number, onWord: (word: string) => void): number {
  let end = seen;
  while (kindAt(text, end) !== SPACE) end++;
  const chunk = text.slice(start, end).replaceAll('\u2019', "'").replaceAll('i\u0307', 'i').normalize('NFC'); // the second one is a Turkish capital I with a dot
  for (const [word] of chunk.matchAll(unicodeWord)) if (!onlyJoiners.test(word)) emit(word, onWord);
  return end;
}

function emit(word: string, onWord: (word: string) => void): void {
  for (let at = 0; at < word.length; at += LONGEST_WORD) {
    const part = word.length > LONGEST_WORD ? word.slice(at, at + LONGEST_WORD) : word;
    onWord(isPossessive(part) ? part.slice(0, -2) : part);
  }
}

const isPossessive = (word: string): boolean =>
  word.length > 2 && word.endsWith('s') && (word.at(-2) === "'" || word.at(-2) === '\uff07');
