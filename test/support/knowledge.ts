/** A small random language, a slow scorer that is obviously right, and files in a folder of their own. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Analyzer, searchedText, type Analysis } from '../../src/knowledge/analysis.js';
import type { Passage } from '../../src/knowledge/passage.js';
import type { Bm25 } from '../../src/knowledge/search.js';

export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Words w0, w1, …: the first ones often, the last ones hardly ever. */
export function randomText(random: () => number, length: number, vocabulary: number): string {
  return Array.from({ length }, () => `w${Math.floor(vocabulary * random() ** 3)}`).join(' ');
}

export function randomPassages(count: number, { seed = 1, vocabulary = 300, longest = 60 } = {}): Passage[] {
  const random = randomOf(seed);
  return Array.from({ length: count }, (_, i) => ({
    id: `p${i}`,
    title: i % 3 === 0 ? `title w${i % 17}` : null,
    text: randomText(random, 1 + Math.floor(random() * longest), vocabulary),
  }));
}

export const asJsonl = (passages: readonly Passage[]): string =>
  passages.map((passage) => `${JSON.stringify(passage)}\n`).join('');

export function writePassages(folder: string, name: string, passages: readonly Passage[]): string {
  const path = join(folder, name);
  writeFileSync(path, asJsonl(passages));
  return path;
}

/** The formula as it stands in textbooks: every passage, every term, then a stable sort. */
export function slowSearch(
  passages: readonly Passage[],
  query: string,
  k: number,
  { k1, b }: Bm25,
  analysis: Analysis,
): { id: string; score: number }[] {
  const analyzer = new Analyzer(analysis);
  const termsOf = (text: string): string[] => {
    const terms: string[] = [];
    analyzer.eachTerm(text, (term) => terms.push(term.text));
    return terms;
  };
  const documents = passages.map(({ title, text }) => termsOf(searchedText(title, text)));
  const meanLength = documents.reduce((sum, terms) => sum + terms.length, 0) / documents.length;
  const times = (terms: readonly string[], term: string): number => terms.filter((other) => other === term).length;
  const queryTerms = termsOf(query);
  const weights = new Map(
    [...new Set(queryTerms)].map((term) => {
      const having = documents.filter((terms) => terms.includes(term)).length;
      return [term, times(queryTerms, term) * Math.log(1 + (documents.length - having + 0.5) / (having + 0.5))];
    }),
  );
  const scored = documents.map((terms, i) => {
    let score = 0;
    for (const [term, weight] of weights) {
      const frequency = times(terms, term);
      if (frequency > 0) score += (weight * frequency) / (frequency + k1 * (1 - b + (b * terms.length) / meanLength));
    }
    return { id: passages[i]?.id ?? '', score };
  });
  return scored
    .filter(({ score }) => score > 0)
    .sort((a, b2) => b2.score - a.score)
    .slice(0, k);
}
