/** BM25 (k1 = 1.2, b = 0.75) over a few thousand short passages, in memory. */

const words = (text) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

/** @param {readonly string[]} passages @returns {(query: string, k: number) => string[]} the k best, best first */
export function bm25(passages, { k1 = 1.2, b = 0.75 } = {}) {
  const counts = passages.map((text) => {
    const count = new Map();
    for (const word of words(text)) count.set(word, (count.get(word) ?? 0) + 1);
    return count;
  });
  const lengths = passages.map((text) => words(text).length);
  const mean = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
  const holders = new Map();
  counts.forEach((count, i) => {
    for (const word of count.keys()) {
      const list = holders.get(word);
      if (list) list.push(i);
      else holders.set(word, [i]);
    }
  });
  return (query, k) => {
    const scores = new Map();
    for (const word of new Set(words(query))) {
      const list = holders.get(word) ?? [];
      const idf = Math.log(1 + (passages.length - list.length + 0.5) / (list.length + 0.5));
      for (const i of list) {
        const tf = counts[i].get(word);
        const gain = (idf * tf * (k1 + 1)) / (tf + k1 * (1 - b + (b * lengths[i]) / mean));
        scores.set(i, (scores.get(i) ?? 0) + gain);
      }
    }
    return [...scores]
      .sort(([i, x], [j, y]) => y - x || i - j)
      .slice(0, k)
      .map(([i]) => passages[i]);
  };
}
