/** From a file to its passages, one after the other. */
import { markdownPassages, textPassages } from './documents.js';
import { jsonlPassages, type PlacedPassage } from './jsonl.js';
import { wikiPassages } from './mediawiki.js';
import type { SourceKind } from './source.js';

/** @param words most of a passage, where a long text is cut; JSONL has passages already */
type Reader = (chunks: AsyncIterable<Buffer>, name: string, words: number) => AsyncGenerator<PlacedPassage, void>;

export const readers = {
  jsonl: jsonlPassages,
  markdown: markdownPassages,
  text: textPassages,
  mediawiki: wikiPassages,
} satisfies Record<SourceKind, Reader>;
