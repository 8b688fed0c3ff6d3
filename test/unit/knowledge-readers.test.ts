import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { T1Error } from '../../src/errors.js';
import type { Passage } from '../../src/knowledge/passage.js';
import { readers } from '../../src/knowledge/readers/reader.js';
import { contentOf, findSources, type SourceKind } from '../../src/knowledge/readers/source.js';
import { Splitter } from '../../src/knowledge/readers/split-passage.js';
import { wikiSections } from '../../src/knowledge/readers/wikitext.js';
import { temporaryFolder } from '../support/t1.js';
import { cpuTimeOf } from '../support/cpu-time.js';

const folder = temporaryFolder();
afterAll(() => folder.remove());

/** In pieces of a few bytes, so that lines and characters are cut everywhere. */
async function* inPieces(content: string | Buffer, bytes: number): AsyncGenerator<Buffer, void> {
  const all = Buffer.from(content);
  for (let at = 0; at < all.length; at += bytes) yield all.subarray(at, at + bytes);
}

async function passagesOf(
  kind: SourceKind,
  content: string | Buffer,
  { words = 20, bytes = 7 } = {},
): Promise<Passage[]> {
  const found: Passage[] = [];
  for await (const { passage } of readers[kind](inPieces(content, bytes), 'file', words)) found.push(passage);
  return found;
}

async function errorOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof T1Error) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'nothing thrown';
}

describe('JSONL', () => {
  test('ids, titles, other keys, empty lines, a byte order mark, Windows line ends', async () => {
    const content =
      '\ufeff{"id":"a","text":"one"}\r\n\r\n{"_id":7,"title":"T","text":"zwei ü🙂","url":"x"}\n{"id":"ü/日","title":"","text":""}';
    expect(await passagesOf('jsonl', content)).toEqual([
      { id: 'a', title: null, text: 'one' },
      { id: '7', title: 'T', text: 'zwei ü🙂' },
      { id: 'ü/日', title: null, text: '' },
    ]);
  });

  test.each([
    ['{"id":"a","text":"x"}\n{"id":', 'INPUT: file:2: not JSON'],
    ['\n\n[1]', 'INPUT: file:3: no line of'],
    ['{"id":"a"}', 'INPUT: file:1: no line of {"id", "title"?, "text"} (text: '],
    ['{"text":"a"}', 'id is missing'],
    ['{"id":"","text":"a"}', 'INPUT: file:1: '],
    ['{"id":1.5,"text":"a"}', 'INPUT: file:1: '],
    ['{"id":"a","text":"x"}\n{"id":"b","text":null}', 'INPUT: file:2: '],
  ])('%j', async (content, message) => {
    expect(await errorOf(passagesOf('jsonl', content))).toContain(message);
  });

  test('not UTF-8: says which line', async () => {
    const content = Buffer.concat([Buffer.from('{"id":"a","text":"x"}\n'), Buffer.from([0x7b, 0xff, 0xfe, 0x7d])]);
    expect(await errorOf(passagesOf('jsonl', content))).toMatch(/^INPUT: file:2: not UTF-8/);
  });

  test('a line of some megabytes is a passage, one beyond the limit is not', async () => {
    const long = 'word '.repeat(1_000_000);
    expect((await passagesOf('jsonl', JSON.stringify({ id: 'a', text: long }), { bytes: 1 << 16 }))[0]?.text).toBe(
      long,
    );
    expect(await errorOf(passagesOf('jsonl', Buffer.alloc(65 * 2 ** 20, 'x'), { bytes: 1 << 20 }))).toMatch(
      /^INPUT: file:1: .*longer than 64 MiB/,
    );
  });

  test('a lone surrogate becomes what can be stored', async () => {
    expect((await passagesOf('jsonl', '{"id":"\\ud800","text":"a\\udc00b"}'))[0]).toEqual({
      id: '\ufffd',
      title: null,
      text: 'a\ufffdb',
    });
  });
});

const words = (count: number, from = 0): string => Array.from({ length: count }, (_, i) => `w${from + i}`).join(' ');

describe('long texts are cut', () => {
  const cut = (most: number, paragraphs: readonly string[]): string[] => {
    const splitter = new Splitter(most);
    return [...paragraphs.flatMap((paragraph) => splitter.add(paragraph)), ...splitter.end()];
  };

  test('at paragraphs, as many together as there is room for', () => {
    expect(cut(20, [words(8), words(8), words(8), words(3), words(20), words(1)])).toEqual([
      `${words(8)}\n${words(8)}`,
      `${words(8)}\n${words(3)}`,
      words(20),
      words(1),
    ]);
  });

  test('within a paragraph after sentences, in parts of about equal length', () => {
    const sentence = `${words(7)}.`;
    const parts = cut(20, [Array.from({ length: 4 }, () => sentence).join(' ')]);
    expect(parts).toEqual([`${sentence} ${sentence}`, `${sentence} ${sentence}`]);
  });

  test('a sentence that is too long between words; nothing is lost, no part is too long', () => {
    const parts = cut(20, [`${words(50)}. ${words(5)}!`]);
    expect(parts.join(' ')).toBe(`${words(50)}. ${words(5)}!`);
    for (const part of parts) expect(part.split(' ').length).toBeLessThanOrEqual(20);
  });
});

test('plain text: paragraphs, numbered', async () => {
  const content = `${words(12)}\n${words(3)}\n\n\n${words(10)}\n  \n${words(4)}\n`;
  expect(await passagesOf('text', content)).toEqual([
    { id: 'file#1', title: null, text: `${words(12)}\n${words(3)}` },
    { id: 'file#2', title: null, text: `${words(10)}\n${words(4)}` },
  ]);
});

test('text without a single empty line or line end is cut all the same', async () => {
  const passages = await passagesOf('text', `${words(5)}.\n`.repeat(20_000), { bytes: 1 << 16, words: 100 });
  expect(passages.length).toBeGreaterThan(900);
  expect(passages.map(({ text }) => text.split(/\s+/).length).reduce((a, b) => a + b)).toBe(100_000);
});

test('Markdown: headings become titles, links their text', async () => {
  const content = [
    'Before.',
    '',
    '# Guide',
    '',
    'Read [this](http://x.org/a_b) and **that**, ![a picture](x.png).',
    '',
    '## Install #',
    '- one',
    '- `two`',
    '',
    '```sh',
    '# no heading',
    '```',
    '',
    '# Next',
    'End.',
  ].join('\n');
  expect(await passagesOf('markdown', content)).toEqual([
    { id: 'file#1', title: null, text: 'Before.' },
    { id: 'file#2', title: 'Guide', text: 'Read this and that, a picture.' },
    { id: 'file#3', title: 'Guide – Install', text: 'one\ntwo\n# no heading' },
    { id: 'file#4', title: 'Next', text: 'End.' },
  ]);
});

const page = (title: string, text: string, { ns = '0', redirect = false } = {}): string =>
  `<page><title>${title}</title><ns>${ns}</ns><id>1</id>${redirect ? '<redirect title="X"/>' : ''}<revision><id>2</id>` +
  `<contributor><username>text</username></contributor><text xml:space="preserve">${text}</text></revision></page>`;
const dump = (...pages: string[]): string =>
  `<?xml version="1.0"?>\n<mediawiki><siteinfo><sitename>W</sitename></siteinfo>\n${pages.join('\n')}\n</mediawiki>`;

describe('MediaWiki', () => {
  test('articles, their sections as titles; no redirects, no other namespaces', async () => {
    const article = `'''Algebra''' is [[mathematics|maths]] &amp; more.&lt;ref name="a"&gt;{{cite}}&lt;/ref&gt;\n\n== History ==\nOld ü.`;
    const content = dump(
      page('Algebra', article),
      page('Talk:Algebra', 'chat', { ns: '1' }),
      page('Alg', '#REDIRECT [[Algebra]]'),
      page('Al', 'x', { redirect: true }),
    );
    expect(await passagesOf('mediawiki', content)).toEqual([
      { id: 'Algebra#1', title: 'Algebra', text: 'Algebra is maths & more.' },
      { id: 'Algebra#2', title: 'Algebra – History', text: 'Old ü.' },
    ]);
  });

  test.each([
    ['<html><body/></html>', 'INPUT: file: XML, but no MediaWiki dump'],
    ['no XML', 'INPUT: file: no well-formed XML'],
    [dump(page('A', 'text')).slice(0, -30), 'INPUT: file: no well-formed XML'],
    [dump('<page><title>A</page>'), 'INPUT: file: no well-formed XML (line 3: '],
    ['', 'INPUT: file: no well-formed XML'],
  ])('%j', async (content, message) => {
    expect(await errorOf(passagesOf('mediawiki', content))).toContain(message);
  });

  test.each([
    ['a {{t|{{u}}|x=[[y]]}} b', ['a b']],
    ['{| class="wikitable"\n! h\n|-\n| c {{t}}\n|}\nafter', ['after']],
    ['[[File:x.jpg|thumb|A [[cat]] here]]text [[:Category:C]][[Category:D]]', ['text']],
    ['see [[Rome]], [[Rome|the city]], [http://x.org a site] and [http://x.org]', ['see Rome, the city, a site and']],
    ["''i'' '''b''' x<sup>2</sup><br/>y", ['i b x2y']],
    ['a<!-- no --> b<ref>n</ref><ref name=x /> c', ['a b c']],
    ['* one\n** two\n: three', ['one', 'two', 'three']],
    ['unclosed {{template and [[link', ['unclosed {{template and [[link']],
    ['too many }} and ]] here', ['too many }} and ]] here']],
    ['1&nbsp;km &#8211; &lt;tag&gt;', ['1 km – <tag>']],
  ])('%j', (markup, paragraphs) => {
    expect(wikiSections(markup).flatMap((section) => section.paragraphs)).toEqual(paragraphs);
  });

  test('markup that never closes takes linear time', () => {
    const reading = (): void => {
      for (const piece of ['{{', '[[', '<!--', '<ref>', '[[a|', '{|\n', '<b ']) wikiSections(piece.repeat(100_000));
    };
    expect(cpuTimeOf(reading)).toBeLessThan(5000);
  });
});

describe('files', () => {
  const at = (name: string): string => join(folder.path, name);
  const contentAt = async (name: string): Promise<string> => {
    const chunks: Buffer[] = [];
    for await (const chunk of contentOf({ path: at(name), name }, () => {})) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  };
  const plain = 'Grüße\n'.repeat(50_000);
  // bzip2 -9 of 'hello\nhello\n' and of 'again\n', one after the other as pbzip2 writes them
  const bzip2 = Buffer.from(
    'QlpoOTFBWSZTWaDHN6oAAALBAAAQAkSgACCqGQZoKjkU8XckU4UJCgxzeqBCWmg5MUFZJlNZHGO4vwAAAMEAABAgoSAAMM0Aw0aAtxdyRThQkBxjuL8=',
    'base64',
  );

  test('gzip, also of several members; bzip2, also of several streams; by content, not by name', async () => {
    writeFileSync(at('a.txt'), plain);
    writeFileSync(at('b.txt.gz'), Buffer.concat([gzipSync(plain), gzipSync('end')]));
    writeFileSync(at('c.txt'), gzipSync(plain));
    writeFileSync(at('d.txt.bz2'), bzip2);
    writeFileSync(at('e.txt.gz'), 'not packed');
    writeFileSync(at('f.txt'), '');
    expect(await contentAt('a.txt')).toBe(plain);
    expect(await contentAt('b.txt.gz')).toBe(`${plain}end`);
    expect(await contentAt('c.txt')).toBe(plain);
    expect(await contentAt('d.txt.bz2')).toBe('hello\nhello\nagain\n');
    expect(await contentAt('e.txt.gz')).toBe('not packed');
    expect(await contentAt('f.txt')).toBe('');
  });

  test('damaged packing is told, not taken for the end', async () => {
    const packed = gzipSync(Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7919) & 255)));
    writeFileSync(at('short.txt.gz'), packed.subarray(0, packed.length >> 1));
    const broken = Buffer.from(packed);
    broken.fill(0x55, 100, 140);
    writeFileSync(at('broken.txt.gz'), broken);
    writeFileSync(at('short.txt.bz2'), bzip2.subarray(0, 30));
    const wrong = Buffer.from(bzip2);
    wrong.fill(0x55, 20, 30);
    writeFileSync(at('broken.txt.bz2'), wrong);
    for (const name of ['short.txt.gz', 'broken.txt.gz', 'short.txt.bz2', 'broken.txt.bz2']) {
      expect(await errorOf(contentAt(name)), name).toMatch(new RegExp(`^INPUT: ${name}: damaged (gzip|bzip2) `));
    }
  });

  test('folders are searched for files of known kinds, each file once', () => {
    mkdirSync(at('tree/deep'), { recursive: true });
    for (const name of ['tree/b.md', 'tree/deep/a.jsonl.gz', 'tree/c.pdf']) writeFileSync(at(name), '');
    const sources = findSources([at('tree'), at('tree/b.md')]);
    expect(sources.map(({ name, kind }) => [name.slice(folder.path.length + 1), kind])).toEqual([
      ['tree/b.md', 'markdown'],
      ['tree/deep/a.jsonl.gz', 'jsonl'],
    ]);
  });

  test('what cannot be read', async () => {
    mkdirSync(at('empty'), { recursive: true });
    const find = (name: string) => errorOf((async () => findSources([at(name)]))());
    expect(await find('absent.md')).toMatch(/^FILE_NOT_FOUND: /);
    expect(await find('tree/c.pdf')).toMatch(/^INPUT: .*c\.pdf: not known what this is/);
    expect(await find('empty')).toMatch(/^INPUT: .*no \.jsonl, /);
  });
});
