/** Text → terms: what an index holds, and what a query is looked up by. Chosen when an index is made and kept in it. */
import { stemmer } from 'stemmer';
import { z } from 'zod';
import { englishStopWords } from './stop-words.js';
import { eachWord } from './words.js';

export const analysisOptions = z.strictObject({
  /** Porter's stemmer: "falling", "falls" → "fall". */
  stemming: z.boolean().default(true),
  /** Leaves out Lucene's English stop words. */
  stopWords: z.boolean().default(true),
});

export type Analysis = z.output<typeof analysisOptions>;

/** Defaults from the grid of `npm run bench -- retrieval`; see bench/README.md. */
export const defaultAnalysis: Analysis = analysisOptions.parse({});

/** What is kept of word → term; a vocabulary beyond this is stemmed again. */
const MOST_KEPT_WORDS = 1 << 20;

export class Analyzer {
  /** Word → term; null for a stop word. */
  private readonly known = new Map<string, string | null>();

  constructor(readonly analysis: Analysis) {}

  /** Calls `onTerm` with each term of the text, in order, as often as it is there. */
  eachTerm(text: string, onTerm: (term: string) => void): void {
    eachWord(text, (word) => {
      const term = this.termOf(word);
      if (term !== null) onTerm(term);
    });
  }

  /** @returns null for a stop word; the same string object for the same word while it is known */
  termOf(word: string): string | null {
    const known = this.known.get(word);
    if (known !== undefined) return known;
    if (this.known.size >= MOST_KEPT_WORDS) this.known.clear();
    const { stemming, stopWords } = this.analysis;
    const term = stopWords && englishStopWords.has(word) ? null : stemming ? stemmer(word) : word;
    this.known.set(word, term);
    return term;
  }
}

/** What of a passage is searched: title and text as one field. */
export const searchedText = (title: string | null, text: string): string => (title === null ? text : `${title} ${text}`);
