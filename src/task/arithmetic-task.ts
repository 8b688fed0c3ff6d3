/**
 * Claims about sums (arXiv 2504.04718, appendix A): n three-digit operands, + and − mixed; half of the claims are
 * right, half are off by at most 5 %. What the paper leaves open is decided so: operands from 100 to 999, the first
 * positive, signs by coin, a wrong result off by at least 1.
 */
import { sampleSeed } from '../generate/seeds.js';

/** What runs and lists say of the task; the version is raised when a seed would give other claims. */
export const arithmeticAbout = {
  name: 'arithmetic',
  version: 1,
  title: 'Sums of three-digit numbers, judged (figure 1b)',
  source: 'arXiv 2504.04718, appendix A: drawn from the seed',
} as const;
export const FEWEST_OPERANDS = 3;
export const MOST_OPERANDS = 10;
const LARGEST_ERROR = 0.05;

export interface Claim {
  readonly id: string;
  readonly operands: number;
  /** `189 + 143 - 456 = -124` */
  readonly text: string;
  readonly right: boolean;
}

/** @param each right claims, and wrong ones, of each number of operands (paper: 500) */
export function arithmeticClaims(each: number, seed: number): Claim[] {
  const numbers = Array.from({ length: MOST_OPERANDS - FEWEST_OPERANDS + 1 }, (_, i) => FEWEST_OPERANDS + i);
  return numbers.flatMap((operands) =>
    Array.from({ length: 2 * each }, (_, i): Claim => {
      const right = i % 2 === 0;
      return { id: `${operands}-${i}`, operands, right, text: claimText(operands, right, drawer(seed, operands, i)) };
    }),
  );
}

type Draw = (low: number, high: number) => number;

/** Whole numbers of both bounds included, the same for the same claim on every machine. */
function drawer(seed: number, operands: number, number: number): Draw {
  let drawn = 0;
  const stream = sampleSeed(sampleSeed(seed, operands), number);
  return (low, high) => low + Math.floor((sampleSeed(stream, drawn++) / 2 ** 32) * (high - low + 1));
}

function claimText(operands: number, right: boolean, draw: Draw): string {
  const terms = Array.from({ length: operands }, (_, i) => draw(100, 999) * (i > 0 && draw(0, 1) === 1 ? -1 : 1));
  const value = terms.reduce((sum, term) => sum + term, 0);
  const most = Math.max(1, Math.floor(Math.abs(value) * LARGEST_ERROR));
  const error = right ? 0 : draw(1, most) * (draw(0, 1) === 1 ? -1 : 1);
  const [first = 0, ...rest] = terms;
  return `${first}${rest.map((term) => ` ${term < 0 ? '-' : '+'} ${Math.abs(term)}`).join('')} = ${value + error}`;
}
