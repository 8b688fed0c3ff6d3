/** Takes decoration off an answer and spells what is left as LaTeX. Linear in the answer's length. */

/** Commands that are often written with two backslashes where JSON was escaped twice. */
const KNOWN =
  'boxed|frac|dfrac|tfrac|sqrt|left|right|text|pi|le|leq|ge|geq|lt|gt|ne|neq|in|infty|cup|cap|cdot|times|circ|theta|begin|end|pm|mathrm|mathbb|quad';
const TWICE_ESCAPED = new RegExp(`(?<!\\\\)\\\\\\\\(?=(?:${KNOWN})(?![A-Za-z]))`, 'g');

const SYMBOLS: Readonly<Record<string, string>> = {
  '−': '-',
  '–': '-',
  '—': '-',
  '×': '\\times ',
  '·': '\\cdot ',
  '⋅': '\\cdot ',
  '∗': '\\cdot ',
  '÷': '\\div ',
  '≤': '\\le ',
  '≥': '\\ge ',
  '≠': '\\ne ',
  '≈': '\\approx ',
  '∞': '\\infty ',
  '∪': '\\cup ',
  '∩': '\\cap ',
  '∈': '\\in ',
  '∅': '\\emptyset ',
  '°': '^{\\circ}',
  '±': '\\pm ',
  '∓': '\\mp ',
  π: '\\pi ',
  '√': '\\sqrt ',
  ℝ: '\\mathbb{R}',
  '²': '^{2}',
  '³': '^{3}',
  '⁴': '^{4}',
  '½': '\\frac{1}{2}',
  '¼': '\\frac{1}{4}',
  '¾': '\\frac{3}{4}',
  '⅓': '\\frac{1}{3}',
  '⅔': '\\frac{2}{3}',
  '（': '(',
  '）': ')',
  '，': ',',
  '：': ':',
  '；': ';',
  '。': '.',
  '％': '\\%',
  '＝': '=',
  '′': "'",
  '’': "'",
  '“': '"',
  '”': '"',
  '٫': '.',
  '٬': ',',
};
const SYMBOL = new RegExp(`[${Object.keys(SYMBOLS).join('')}]`, 'g');

/** First code points of the decimal digits of other scripts. */
const DIGIT_ZEROS = [0x0660, 0x06f0, 0x0966, 0x09e6, 0x0be6, 0x0e50, 0xff10];

/** Functions that plain text writes without a backslash. */
const FUNCTIONS =
  /(?<![\\A-Za-z])(sinh|cosh|tanh|arcsin|arccos|arctan|sin|cos|tan|cot|sec|csc|log|ln|exp|min|max|gcd|lcm)(?=\s*(?:[(^_{\\\d]|[a-z]\b))/g;

const SPELLINGS: readonly (readonly [RegExp, string])[] = [
  [/\\(?:dfrac|tfrac|cfrac)(?![A-Za-z])/g, '\\frac'],
  [/\\(?:dbinom|tbinom)(?![A-Za-z])/g, '\\binom'],
  [/\\(?:left|right|middle|displaystyle|textstyle|limits|nolimits|[bB]igg?[lrm]?)(?![A-Za-z])\s?\.?/g, ''],
  [/\\(q?quad)(?=[A-Za-z])/g, '\\$1 '],
  [/,\s*(?<!\\)\\!\s*/g, '{,}'],
  [/(?<!\\)\\!/g, ''],
  [/(\d)\\[,;: ]\s*(?=\d{3}(?!\d))/g, '$1{,}'],
  [/(?<!\\)\\(?:[,;:> ]|q?quad(?![A-Za-z]))|~/g, ' '],
  [/\\(?:text|textbf|textit|textrm|textnormal|mathrm|mathbf|mathit|mathsf|mbox|hbox|bf|rm)\s*\{\s*\}/g, ''],
  [/\\(?:[$£€]|pounds|euro)|[$£€¥]/g, ' '],
  [/\\%|(?<=\d)\s*\b(?:percent(?:age)?|per cent|pct)\b/gi, '%'],
  [/\\text\s*\{\s*(?:percent(?:age)?|pct|%)\s*\}/g, '%'],
  [/\\(?:leqslant|leqq|leq)(?![A-Za-z])|<=|=</g, '\\le '],
  [/\\(?:geqslant|geqq|geq)(?![A-Za-z])|>=/g, '\\ge '],
  [/\\neq(?![A-Za-z])|!=/g, '\\ne '],
  [/\\lt(?![A-Za-z])|&lt;/g, '<'],
  [/\\gt(?![A-Za-z])|&gt;/g, '>'],
  [/\\(?:approxeq|simeq|doteq)(?![A-Za-z])/g, '\\approx '],
  [/\\(?:varnothing)(?![A-Za-z])/g, '\\emptyset '],
  [/\\(?:lbrace)(?![A-Za-z])/g, '\\{'],
  [/\\(?:rbrace)(?![A-Za-z])/g, '\\}'],
  [/\\(?:lvert|rvert|vert)(?![A-Za-z])/g, '|'],
  [/\\colon(?![A-Za-z])/g, ':'],
  [/\^\s*\{?\s*\\(?:circ|degree)\s*\}?|\\degree(?![A-Za-z])/g, '^{\\circ}'],
  [/\\dot\s*\{?(\d)\}?(\d*)\\dot\s*\{?(\d)\}?/g, '\\overline{$1$2$3}'],
  [/(\.\d*)\\dot\s*\{?(\d)\}?/g, '$1\\overline{$2}'],
  [/\*\*/g, '^'],
  [/\*/g, '\\cdot '],
  [/(?<![\\A-Za-z])(?:infinity|inf|oo)(?![A-Za-z])/gi, '\\infty '],
  [/(?<![\\A-Za-z])pi(?![A-Za-z])/g, '\\pi '],
  [/(?<=\d)pi(?![A-Za-z])/g, '\\pi '],
  [FUNCTIONS, '\\$1 '],
  [/\\(sin|cos|tan|cot|sec|csc)\s*\^\s*(?:\{\s*-\s*1\s*\}|-1)/g, '\\arc$1 '],
  [/(\d(?:\.\d+)?)[eE]([+-]?\d{1,4})(?![\dA-Za-z.])/g, '$1\\times 10^{$2}'],
  [/\^\s*([+-]?\d{2,}|[+-]\s*\d+)/g, '^{$1}'],
];

/** @returns LaTeX without decoration; its meaning is the answer's */
export function clean(answer: string): string {
  let text = answer.replace(TWICE_ESCAPED, '\\').replace(SYMBOL, (symbol) => SYMBOLS[symbol] ?? symbol);
  text = asciiDigits(text);
  text = text.replace(/[\p{Cc}\u200b-\u200f\ufeff]/gu, ' ');
  text = text.replace(/\\\[|\\\]|\\\(|\\\)/g, ' ').replace(/\*\*(?=\S[^*]*\*\*)|(?<=\S)\*\*$/g, '');
  for (const [pattern, spelling] of SPELLINGS) text = text.replace(pattern, spelling);
  text = callsToBraces(text, /(?<![\\A-Za-z])sqrt\s*\(/g, '\\sqrt{', '}');
  text = callsToBraces(text, /(?<![\\A-Za-z])(?:cbrt)\s*\(/g, '\\sqrt[3]{', '}');
  text = callsToBraces(text, /\^\s*\(/g, '^{', '}');
  return ends(text);
}

const asciiDigits = (text: string): string =>
  text.replace(/[٠-٩۰-۹०-९০-৯௦-௯๐-๙０-９]/g, (digit) => {
    const code = digit.codePointAt(0) ?? 0;
    const zero = DIGIT_ZEROS.findLast((first) => code >= first) ?? code;
    return String(code - zero);
  });

/** "sqrt(2)" as "\sqrt{2}", brackets balanced; one pass. */
function callsToBraces(text: string, pattern: RegExp, open: string, close: string): string {
  const starts = new Map<number, number>();
  for (const match of text.matchAll(pattern)) starts.set(match.index + match[0].length - 1, match.index);
  if (starts.size === 0) return text;
  const pairs = new Map<number, number>();
  const stack: number[] = [];
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '(') stack.push(i);
    else if (text[i] === ')') {
      const start = stack.pop();
      if (start !== undefined && starts.has(start)) pairs.set(start, i);
    }
  }
  const closings = new Set(pairs.values());
  let result = '';
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    if (pairs.has(i)) {
      result += text.slice(from, starts.get(i)) + open;
      from = i + 1;
    } else if (closings.has(i)) {
      result += text.slice(from, i) + close;
      from = i + 1;
    }
  }
  return result + text.slice(from);
}

/** Space, full stops, quotes and a lone backslash at the ends. */
export function ends(text: string): string {
  return text
    .replace(/^[\s"']+/, '')
    .replace(/^(?:[.,;:!?]\s+)+/, '')
    .trimEnd()
    .replace(/(?:\s|[.,;:?"]|(?<!\\)\\(?=[\s.,;:?"\\]*$))+$/, '')
    .replace(/^(?:so|thus|hence|therefore|is|equals)\b[\s,:]*/i, '')
    .trim();
}
