/** Text → terms: what an index holds, and what a query is looked up by. Chosen when an index is made and kept in it. */
import { stemmer } from 'stemmer';
import { z } from 'zod';
import { englishStopWords } from './stop-words.js';
import { eachWord } from './word-break.js';

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

/** What a word of a text stands for; words of one term have one of these each. */
export interface Term {
  readonly text: string;
  /** For who counts terms: its own number of this one, while it is the owner. Spares it a look-up by text. */
  owner: object | undefined;
  number: number;
}

export class Analyzer {
  private readonly known = new Map<string, Term>();

  constructor(readonly analysis: Analysis) {}

  /** Calls `onTerm` with each term of the text, in order, as often as it is there. */
  eachTerm(text: string, onTerm: (term: Term) => void): void {
    eachWord(text, (word) => {
      const term = this.known.get(word) ?? this.learned(word);
      if (term !== null) onTerm(term);
    });
  }

  private learned(word: string): Term | null {
    const { stemming, stopWords } = this.analysis;
    if (stopWords && englishStopWords.has(word)) return null;
    if (this.known.size >= MOST_KEPT_WORDS) this.known.clear();
    const term = { text: stemming ? stemmer(word) : word, owner: undefined, number: 0 };
    this.known.set(word, term);
    return term;
  }
}

/** What of a passage is searched: title and text as one field. */
export const searchedText = (title: string | null, text: string): string =>
  title === null ? text : `${title} ${text}`;
