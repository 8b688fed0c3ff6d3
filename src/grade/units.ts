/** Units behind a number. One that is missing on one side is forgiven; two different ones are not. */

interface Unit {
  readonly dimension: 'length' | 'mass' | 'time' | 'volume' | 'angle' | 'none';
  /** In metres, grams, seconds, litres. */
  readonly size: number;
}

const unit = (dimension: Unit['dimension'], size: number): Unit => ({ dimension, size });

/** Singular and abbreviated names; sizes are exact by definition. */
const UNITS: Readonly<Record<string, Unit>> = {
  mm: unit('length', 0.001),
  millimeter: unit('length', 0.001),
  millimetre: unit('length', 0.001),
  cm: unit('length', 0.01),
  centimeter: unit('length', 0.01),
  centimetre: unit('length', 0.01),
  m: unit('length', 1),
  meter: unit('length', 1),
  metre: unit('length', 1),
  km: unit('length', 1000),
  kilometer: unit('length', 1000),
  kilometre: unit('length', 1000),
  inch: unit('length', 0.0254),
  inche: unit('length', 0.0254),
  ft: unit('length', 0.3048),
  foot: unit('length', 0.3048),
  feet: unit('length', 0.3048),
  yd: unit('length', 0.9144),
  yard: unit('length', 0.9144),
  mi: unit('length', 1609.344),
  mile: unit('length', 1609.344),
  mg: unit('mass', 0.001),
  g: unit('mass', 1),
  gram: unit('mass', 1),
  kg: unit('mass', 1000),
  kilogram: unit('mass', 1000),
  oz: unit('mass', 28.349523125),
  ounce: unit('mass', 28.349523125),
  lb: unit('mass', 453.59237),
  pound: unit('mass', 453.59237),
  s: unit('time', 1),
  sec: unit('time', 1),
  second: unit('time', 1),
  min: unit('time', 60),
  minute: unit('time', 60),
  h: unit('time', 3600),
  hr: unit('time', 3600),
  hour: unit('time', 3600),
  day: unit('time', 86400),
  week: unit('time', 604800),
  ml: unit('volume', 0.001),
  milliliter: unit('volume', 0.001),
  l: unit('volume', 1),
  liter: unit('volume', 1),
  litre: unit('volume', 1),
  degree: unit('angle', 1),
  '°': unit('angle', 1),
};

const ONE = unit('none', 1);

/** Abbreviations that say what a number counts, of which nothing else is known. */
const SHORT = new Set(
  'in mph kph km/h m/s sq cu pt qt gal hz khz mhz ghz kb mb gb ma kw kj kpa pa mol usd eur gbp am pm rad deg yr yrs hrs mins secs lbs cc units unit'.split(
    ' ',
  ),
);
const JOINING = new Set(['of', 'per', 'the', 'a', 'an', 'and', 'in', 'on', 'to', 'sq', 'for']);
/** Letters that are as often variables; they are units behind a space only. */
const SINGLE = new Set(['m', 'g', 's', 'h', 'L', 'l', 'N', 'J', 'W', 'V', 'K']);

export interface Measured {
  readonly number: string;
  /** Lower case, singular, "km/h" and "mile/hour"; null without one. */
  readonly unit: string | null;
}

/**
 * A unit or other words at the end: words of at least three letters (four without a space), known abbreviations, and
 * what joins them.
 */
const TRAILING = /(?<space>[\s\d})\]!%|])\s*(?<words>(?:[A-Za-z]+(?:\s*\^\s*\{?[23]\}?)?\s*[/.·]?\s*)+)$/;
const LONGEST = 80;

/** @param text cleaned LaTeX, `\text{…}` opened */
export function measured(text: string): Measured {
  const degrees = /^(.*?)\s*\^\{\\circ\}\s*[CFK]?$/s.exec(text);
  if (degrees && !/\\(?:sin|cos|tan|cot|sec|csc)/.test(text)) return { number: degrees[1] ?? '', unit: '°' };
  const tail = text.slice(-LONGEST);
  const match = TRAILING.exec(tail);
  const found = match?.groups?.['words'];
  if (!match || found === undefined) return { number: text, unit: null };
  const number = text.slice(0, text.length - found.length).trim();
  const spaced = /\s/.test(tail.slice(0, tail.length - found.length).at(-1) ?? '');
  // what is counted, and what for: km/h, miles per hour
  const sides = found
    .replace(/\s*\^\s*\{?([23])\}?/g, '^$1')
    .split(/\/|(?<=\s)per(?=\s)/)
    .map((side) => side.split(/[\s.·]+/).filter((word) => word !== ''));
  const words = sides.flat();
  const rate = /(?:[A-Za-z]{2,}|\bm)\s*\/\s*[hs]$/.test(found); // such single letters are no variables
  const isUnit = words.every(
    (word, i) =>
      unitWord(word, spaced || i > 0, words.length === 1 || rate) ||
      (words.length > 1 && JOINING.has(word.toLowerCase())),
  );
  if (
    !isUnit ||
    !/\d|\\(?:pi|sqrt|frac|infty)/.test(number) ||
    /(?<![\\A-Za-z])[A-Za-z]{4,}/.test(number) ||
    /[=<>+\-,(/^_\\]$/.test(number)
  )
    return { number: text, unit: null };
  return { number, unit: sides.map((side) => side.map(singular).join(' ')).join('/') };
}

function unitWord(word: string, spaced: boolean, alone: boolean): boolean {
  const base = word.replace(/\^[23]$/, '');
  if (base.length === 1) return ((spaced && alone) || word !== base) && SINGLE.has(base);
  return base.length >= (spaced ? 3 : 4) || SHORT.has(base.toLowerCase()) || Object.hasOwn(UNITS, singular(base));
}

const singular = (word: string): string => {
  const lower = word.length === 1 ? word : word.toLowerCase();
  return lower.length > 2 && lower.endsWith('s') ? lower.slice(0, -1) : lower;
};

/**
 * What the prediction's number is to be multiplied with, as numerator and denominator; null when the units say
 * different things.
 */
export function unitFactor(
  gold: string | null,
  prediction: string | null,
): readonly [numerator: number, denominator: number] | null {
  if (gold === null || prediction === null || gold === prediction) return [1, 1];
  const [a, b] = [gold.split('/').map((name) => UNITS[name]), prediction.split('/').map((name) => UNITS[name])];
  const [[top, bottom = ONE], [otherTop, otherBottom = ONE]] = [a, b];
  if (!top || !otherTop || a.includes(undefined) || b.includes(undefined)) return [1, 1]; // "apple", of which nothing is known
  if (top.dimension !== otherTop.dimension || bottom.dimension !== otherBottom.dimension) return null;
  return [otherTop.size * bottom.size, top.size * otherBottom.size];
}
