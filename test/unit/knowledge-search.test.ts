import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addToIndex } from '../../src/knowledge/add.js';
import { KnowledgeIndex } from '../../src/knowledge/knowledge-index.js';
import { mergeFrom } from '../../src/knowledge/merge.js';
import type { Passage } from '../../src/knowledge/passage.js';
import { blockCount, newBlock, PostingsWriter, readBlock, type Postings } from '../../src/knowledge/postings.js';
import { Scorer } from '../../src/knowledge/search.js';
import { codeOf } from '../support/code-of.js';
import { randomOf, randomPassages, randomText, slowSearch, writePassages } from '../support/knowledge.js';
import { temporaryFolder } from '../support/t1.js';

const folder = temporaryFolder();
afterAll(() => folder.remove());

async function indexOf(name: string, passages: readonly Passage[], segmentPostings?: number): Promise<KnowledgeIndex> {
  const path = writePassages(folder.path, `${name}.jsonl`, passages);
  await addToIndex(name, [path], { folder: folder.path, segmentPostings });
  return KnowledgeIndex.open(name, { folder: folder.path });
}

const inShort = (index: KnowledgeIndex, query: string, k: number, bm25 = {}) =>
  index.search(query, k, bm25).map(({ passage: { id }, score }) => ({ id, score }));

/** Scores agree but for the order in which they were added up. */
function expectClose(found: readonly { score: number }[], wanted: readonly { score: number }[]): void {
  for (const [i, { score }] of found.entries()) {
    expect(Math.abs(score - (wanted[i]?.score ?? NaN))).toBeLessThanOrEqual(1e-9);
  }
}

describe('the k best are those of a slow scorer that is obviously right', () => {
  const passages = randomPassages(2000);
  const settings = [
    { k1: 0.9, b: 0.4 },
    { k1: 1.2, b: 0.75 },
    { k1: 0, b: 0 },
    { k1: 5, b: 1 },
  ];
  let index: KnowledgeIndex;
  beforeAll(async () => {
    index = await indexOf('random', passages);
  });
  afterAll(() => index.dispose());

  test.each([1, 2, 8, 40, 150])('queries of %i words', (length) => {
    const random = randomOf(length);
    for (const bm25 of settings) {
      for (const k of [1, 3, 10, 100, 5000]) {
        const query = randomText(random, length, 320);
        const fast = inShort(index, query, k, bm25);
        const slow = slowSearch(passages, query, k, bm25, index.analysis);
        expect(fast.map(({ id }) => id)).toEqual(slow.map(({ id }) => id));
        expectClose(fast, slow);
      }
    }
  });

  test('also where most passages are never looked at', async () => {
    // One rare word beside frequent ones: what has it cannot be reached by the others.
    const rare = passages.map((passage, i) =>
      i % 400 === 7 ? { ...passage, text: `${passage.text} rare`.repeat(1 + (i % 3)) } : passage,
    );
    const withRare = await indexOf('rare', rare);
    for (const k of [1, 2, 5]) {
      const query = 'rare w0 w1 w2 w3 w4 w5';
      expect(inShort(withRare, query, k).map(({ id }) => id)).toEqual(
        slowSearch(rare, query, k, { k1: 0.9, b: 0.4 }, withRare.analysis).map(({ id }) => id),
      );
    }
    withRare.dispose();
  });
});

test.each([7, 64, 500, 1 << 15])('windows of %i passages: what is skipped changes nothing', (windowPassages) => {
  const random = randomOf(11);
  const texts = Array.from({ length: 3000 }, () => randomText(random, 1 + Math.floor(random() * 40), 2000).split(' '));
  const lengths = Uint32Array.from(texts, (words) => words.length);
  const meanLength = lengths.reduce((sum, length) => sum + length, 0) / texts.length;
  const scorer = new Scorer(lengths, meanLength * texts.length, windowPassages);
  const listOf = (term: string): Postings => {
    const writer = new PostingsWriter();
    texts.forEach((words, passage) => {
      const frequency = words.filter((word) => word === term).length;
      if (frequency > 0) writer.add(passage, frequency, words.length);
    });
    const { count, blocks, data } = writer.take();
    return { count, blocks: blocks.slice(), data: data.slice() };
  };
  for (const length of [1, 3, 10, 40]) {
    for (const k of [1, 10]) {
      const terms = [...new Set(randomText(random, length, 1500).split(' '))]
        .map((term) => ({ term, list: listOf(term) }))
        .filter(({ list }) => list.count > 0);
      const found = scorer.search(
        terms.map(({ list }) => ({ count: 1, lists: [list] })),
        k,
        { k1: 0.9, b: 0.4 },
      );
      const slow = texts.map((words, passage) => {
        let score = 0;
        for (const { term, list } of terms) {
          const frequency = words.filter((word) => word === term).length;
          const weight = Math.log(1 + (texts.length - list.count + 0.5) / (list.count + 0.5));
          if (frequency > 0)
            score += (weight * frequency) / (frequency + 0.9 * (0.6 + (0.4 * words.length) / meanLength));
        }
        return { passage, score };
      });
      const best = slow
        .filter(({ score }) => score > 0)
        .sort((a, b) => b.score - a.score)
        .slice(0, k);
      expect(found.map(({ passage }) => passage)).toEqual(best.map(({ passage }) => passage));
      expectClose(found, best);
    }
  }
});

test('equal scores come in the order of adding', async () => {
  const same = Array.from({ length: 500 }, (_, i) => ({
    id: `x${(i * 7919) % 500}`,
    title: null,
    text: `apple pear${i % 2 === 0 ? ' plum' : ' quince'}`,
  }));
  const index = await indexOf('ties', same, 300);
  expect(inShort(index, 'apple', 20).map(({ id }) => id)).toEqual(same.slice(0, 20).map(({ id }) => id));
  expect(inShort(index, 'plum pear', 5).map(({ id }) => id)).toEqual(
    same
      .filter((_, i) => i % 2 === 0)
      .slice(0, 5)
      .map(({ id }) => id),
  );
  index.dispose();
});

test('many segments give what one gives', async () => {
  const passages = randomPassages(900, { seed: 5 });
  const one = await indexOf('one', passages);
  const path = writePassages(folder.path, 'parts-0.jsonl', passages.slice(0, 700));
  await addToIndex('parts', [path], { folder: folder.path, segmentPostings: 500 });
  for (const [from, to] of [
    [700, 850],
    [850, 890],
    [890, 900],
  ] as const) {
    await addToIndex('parts', [writePassages(folder.path, `parts-${from}.jsonl`, passages.slice(from, to))], {
      folder: folder.path,
    });
  }
  const parts = KnowledgeIndex.open('parts', { folder: folder.path });
  const random = randomOf(9);
  for (let i = 0; i < 30; i++) {
    const query = randomText(random, 1 + i, 300);
    expect(inShort(parts, query, 12)).toEqual(inShort(one, query, 12));
  }
  expect(parts.fingerprint).toBe(one.fingerprint);
  parts.dispose();
  one.dispose();
});

describe('a search', () => {
  let index: KnowledgeIndex;
  beforeAll(async () => {
    index = await indexOf('fruit', [
      { id: 'a', title: 'Apples', text: 'They grow on trees.' },
      { id: 'ü/ß 日本', title: null, text: 'Naïve pears 🍐 and \u0000 plums' },
      { id: 'stop', title: null, text: 'the of and' },
    ]);
  });
  afterAll(() => index.dispose());

  test('finds words of the title, and gives the passage back as it was', () => {
    expect(index.search('apple', 3).map(({ passage }) => passage)).toEqual([
      { id: 'a', title: 'Apples', text: 'They grow on trees.' },
    ]);
    expect(index.search('naïve PEAR', 3)[0]?.passage).toEqual({
      id: 'ü/ß 日本',
      title: null,
      text: 'Naïve pears 🍐 and \u0000 plums',
    });
  });

  test('without a known word finds nothing', () => {
    expect(index.search('zebra', 3)).toEqual([]);
    expect(index.search('the of', 3)).toEqual([]);
    expect(index.search('', 3)).toEqual([]);
  });

  test('refuses what it cannot do', () => {
    expect(codeOf(() => index.search('apple', 0))).toBe('USAGE');
    expect(codeOf(() => index.search('apple', 1.5))).toBe('USAGE');
    expect(codeOf(() => index.search('apple', 3, { b: 2 }))).toBe('USAGE');
    expect(codeOf(() => index.search('apple', 3, { k1: -1 }))).toBe('USAGE');
    expect(codeOf(() => index.search('apple', 3, { k1: NaN }))).toBe('USAGE');
  });
});

describe('an index that is written while it is open', () => {
  test('segments that are put together meanwhile change nothing', async () => {
    const passages = randomPassages(900, { seed: 6 });
    const path = writePassages(folder.path, 'apart.jsonl', passages);
    const controller = new AbortController();
    const onProgress = ({ stage }: { stage: string }): void => {
      if (stage === 'merge') controller.abort(new Error('stopped'));
    };
    const options = { folder: folder.path, segmentPostings: 2000 };
    await expect(addToIndex('apart', [path], { ...options, signal: controller.signal, onProgress })).rejects.toThrow(
      'stopped',
    );
    const index = KnowledgeIndex.open('apart', { folder: folder.path });
    const before = inShort(index, 'w1 w7 w30', 20);
    expect(before).toHaveLength(20);
    await addToIndex('apart', [path], options);
    expect(inShort(index, 'w1 w7 w30', 20)).toEqual(before);
    index.dispose();
  });

  test('more passages end the search with a clear error', async () => {
    const index = await indexOf('written', randomPassages(20));
    await addToIndex('written', [writePassages(folder.path, 'more.jsonl', [{ id: 'new', title: null, text: 'new' }])], {
      folder: folder.path,
    });
    expect(codeOf(() => index.search('w1', 3))).toBe('INDEX_UNAVAILABLE');
    index.dispose();
  });
});

test('the fingerprint tells content and analysis apart, not names', async () => {
  const passages = randomPassages(30);
  const print = (index: KnowledgeIndex): string => {
    index.dispose();
    return index.fingerprint;
  };
  const first = print(await indexOf('first', passages));
  expect(print(await indexOf('second', passages))).toBe(first);
  expect(print(await indexOf('third', [...passages].reverse()))).not.toBe(first);
  expect(
    print(
      await indexOf(
        'fourth',
        passages.map((passage) => ({ ...passage, title: passage.title ?? '-' })),
      ),
    ),
  ).not.toBe(first);
  await addToIndex('fifth', [writePassages(folder.path, 'fifth.jsonl', passages)], {
    folder: folder.path,
    analysis: { stemming: false },
  });
  expect(print(KnowledgeIndex.open('fifth', { folder: folder.path }))).not.toBe(first);
});

describe('postings', () => {
  test('come back as they were written, block by block', () => {
    const random = randomOf(3);
    const writer = new PostingsWriter();
    for (const count of [1, 127, 128, 129, 1000]) {
      const written: [number, number][] = [];
      let passage = -1;
      for (let i = 0; i < count; i++) {
        passage += 1 + Math.floor(random() ** 8 * 1e6);
        const frequency = random() < 0.7 ? 1 : 1 + Math.floor(random() * 70_000);
        written.push([passage, frequency]);
        writer.add(passage, frequency, 1 + Math.floor(random() * 100));
      }
      const { blocks, data, count: told } = writer.take();
      const postings = { blocks: blocks.slice(), data: data.slice(), count: told };
      const block = newBlock();
      const read: [number, number][] = [];
      for (let index = 0; index < blockCount(postings); index++) {
        readBlock(postings, index, block);
        for (let i = 0; i < block.count; i++) read.push([block.passages[i] ?? -1, block.frequencies[i] ?? -1]);
      }
      expect(told).toBe(count);
      expect(read).toEqual(written);
    }
  });

  test('the largest passage number and frequency', () => {
    const writer = new PostingsWriter();
    writer.add(2 ** 30 - 1, 2 ** 31 - 1, 1);
    const block = newBlock();
    readBlock(writer.take(), 0, block);
    expect([block.passages[0], block.frequencies[0]]).toEqual([2 ** 30 - 1, 2 ** 31 - 1]);
  });

  test('data that end too early are noticed', () => {
    const writer = new PostingsWriter();
    for (let i = 0; i < 200; i++) writer.add(i * 1000, 3, 1);
    const { blocks, data, count } = writer.take();
    expect(() => readBlock({ blocks, data: data.subarray(0, 20), count }, 0, newBlock())).toThrow(RangeError);
  });
});

test('segments are put together when what comes after them is half as large', () => {
  expect(mergeFrom([])).toBe(0);
  expect(mergeFrom([10])).toBe(1);
  expect(mergeFrom([10, 10, 10])).toBe(0);
  expect(mergeFrom([1000, 10])).toBe(2);
  expect(mergeFrom([1000, 10, 8])).toBe(1);
  expect(mergeFrom([1000, 300, 150, 80])).toBe(0);
  expect(mergeFrom([40, 40, 40, 8])).toBe(0); // a small rest at the end of a long add keeps nothing apart
  expect(mergeFrom([1000, 40, 40, 8])).toBe(1);
});
