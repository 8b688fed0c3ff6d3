/**
 * Makes factbook.jsonl.gz, the passages of the index that ships: The World Factbook (public domain; as JSON under CC0
 * 1.0 by github.com/factbook/factbook.json, commit 8662a8b17a784841ab4528631b04090eb2f183eb).
 *
 *   node models/knowledge/build_factbook.mjs passages.jsonl[.gz]
 *
 * Reads lines of {id, country, section, text}, one for each country and section, and cuts the texts after sentences
 * into passages of at most 120 words, titled "Country – Section". Needs the build (`npm run build`).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Splitter } from '../../dist/knowledge/readers/split-passage.js';

const MOST_WORDS = 120;
const [source] = process.argv.slice(2);
if (source === undefined) {
  console.error('usage: node models/knowledge/build_factbook.mjs passages.jsonl[.gz]');
  process.exit(2);
}
const bytes = readFileSync(source);
const rows = (source.endsWith('.gz') ? gunzipSync(bytes) : bytes)
  .toString('utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));

const passages = rows.flatMap(({ id, country, section, text }) => {
  const splitter = new Splitter(MOST_WORDS);
  const texts = [...splitter.add(text.replace(/\s+/g, ' ')), ...splitter.end()];
  return texts.map((part, i) => ({ id: `${id}#${i + 1}`, title: `${country} – ${section}`, text: part }));
});
const packed = gzipSync(passages.map((passage) => `${JSON.stringify(passage)}\n`).join(''), { level: 9 });
const target = join(dirname(fileURLToPath(import.meta.url)), 'factbook.jsonl.gz');
writeFileSync(target, packed);
console.log(`${passages.length} passages, ${packed.length} bytes: ${target}`);
