/** How an index of passages is made, and searched. */
import { z } from 'zod';
import { defaultBm25 } from '../knowledge/search.js';
import { PASSAGE_WORDS } from '../knowledge/readers/split-passage.js';
import type { SettingTable } from './setting.js';

export const indexingSettings = {
  stemming: {
    type: z.boolean().optional(),
    group: 'Indexing',
    help: "Porter's stemmer, of a new index",
    absent: 'on',
  },
  stopWords: {
    type: z.boolean().optional(),
    group: 'Indexing',
    help: 'leave out English stop words, of a new index',
    absent: 'left out',
  },
  passageWords: {
    type: z.int().min(10).max(100_000).default(PASSAGE_WORDS),
    group: 'Indexing',
    help: 'most words of a passage of Markdown, text or a wiki',
    unit: 'words',
  },
} satisfies SettingTable;

export const searchSettings = {
  k: { type: z.int().min(1).max(1_000_000).default(10), group: 'Search', help: 'most hits', unit: 'passages' },
  k1: {
    type: z.number().min(0).max(1000).default(defaultBm25.k1),
    group: 'Search',
    help: 'BM25: how long more of the same word counts',
  },
  b: {
    type: z.number().min(0).max(1).default(defaultBm25.b),
    group: 'Search',
    help: 'BM25: how much long passages are held back',
  },
} satisfies SettingTable;
