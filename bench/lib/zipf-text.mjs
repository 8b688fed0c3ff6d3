/** Text whose words are as frequent as those of a natural language (Zipf's law); no meaning, no topics. */
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { randomOf } from './statistics.mjs';

/** The most frequent words of English in order, so that stop words are as frequent as they are there. */
const FREQUENT =
  'the of and to a in is that was for it on with as he be by at his they not are this from had have but which or were all their an one we when there can has been more if would who will no out so up into them then its than some these could two other do first such'.split(
    ' ',
  );

const CONSONANTS = 'b c d f g h j k l m n p r s t v w z br ch cr dr fl gr kl pr sh st tr'.split(' ');
const VOWELS = 'a e i o u ai ea io ou'.split(' ');
const ENDINGS = ['', '', '', '', 's', 'ed', 'ing', 'er', 'ation', 'ly', 'al', 'n', 'r', 't'];

/** @param {number} count @param {number} seed @returns {string[]} different words, most frequent first */
export function vocabulary(count, seed) {
  const random = randomOf(seed);
  const pick = (list) => list[Math.floor(random() * list.length)];
  const words = new Set(FREQUENT);
  while (words.size < count) {
    const syllables = 1 + Math.floor(random() * 3) + (words.size > 2000 ? 1 : 0);
    words.add(Array.from({ length: syllables }, () => pick(CONSONANTS) + pick(VOWELS)).join('') + pick(ENDINGS));
  }
  return [...words];
}

/**
 * Draws from p(rank) ∝ 1 / rank (Walker's alias method).
 *
 * @param {number} count @param {() => number} random @returns {() => number} a rank from 0
 */
export function zipf(count, random) {
  const share = Float64Array.from({ length: count }, (_, rank) => 1 / (rank + 1));
  const scale = count / share.reduce((sum, value) => sum + value, 0);
  const other = new Uint32Array(count);
  const small = [];
  const large = [];
  for (let i = 0; i < count; i++) ((share[i] *= scale) < 1 ? small : large).push(i);
  while (small.length > 0 && large.length > 0) {
    const [less, more] = [small.pop(), large.pop()];
    other[less] = more;
    share[more] -= 1 - share[less];
    (share[more] < 1 ? small : large).push(more);
  }
  for (const rest of [...small, ...large]) share[rest] = 1;
  return () => {
    const i = Math.floor(random() * count);
    return random() < share[i] ? i : other[i];
  };
}

/**
 * Passages of 50 to 100 words as JSONL.
 *
 * @param {string} path @param {{ passages: number, words: readonly string[], seed: number, kept?: number }} options
 * @returns {Promise<string[]>} the text of every `kept`-th passage
 */
export async function writePassages(path, { passages, words, seed, kept = 1000 }) {
  const random = randomOf(seed);
  const rank = zipf(words.length, random);
  const file = createWriteStream(path, { highWaterMark: 1 << 20 });
  const texts = [];
  let lines = [];
  for (let i = 0; i < passages; i++) {
    const length = 50 + Math.floor(random() * 51);
    const text = Array.from({ length }, () => words[rank()]).join(' ');
    if (i % kept === 0) texts.push(text);
    lines.push(`{"id":"p${i}","text":"${text}"}\n`);
    if (lines.length === 1000 || i === passages - 1) {
      if (!file.write(lines.join(''))) await once(file, 'drain');
      lines = [];
    }
  }
  file.end();
  await once(file, 'close');
  return texts;
}
