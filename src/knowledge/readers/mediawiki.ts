/** A MediaWiki XML dump (`…-pages-articles.xml`): articles, without redirects and other namespaces. */
import { TextDecoder } from 'node:util';
import { SaxesParser } from 'saxes';
import { T1Error } from '../../errors.js';
import { Numbered } from './documents.js';
import type { PlacedPassage } from './jsonl.js';
import { Splitter } from './split-passage.js';
import { wikiSections } from './wikitext.js';

interface Page {
  title: string;
  namespace: string;
  redirect: boolean;
  text: string;
}

/**
 * Ids are `Title#1`, `Title#2`, …; titles are `Title – Section`.
 *
 * @throws T1Error INPUT: not well-formed, cut off, or no MediaWiki dump; says where
 */
export async function* wikiPassages(
  chunks: AsyncIterable<Buffer>,
  name: string,
  words: number,
): AsyncGenerator<PlacedPassage, void> {
  for await (const page of pagesOf(chunks, name)) {
    if (page.namespace !== '0' || page.redirect || /^\s*#redirect\b/i.test(page.text)) continue;
    const numbered = new Numbered(page.title);
    for (const { heading, paragraphs } of wikiSections(page.text)) {
      const splitter = new Splitter(words);
      const title = heading === null ? page.title : `${page.title} – ${heading}`;
      for (const paragraph of paragraphs) yield* numbered.all(splitter.add(paragraph), title);
      yield* numbered.all(splitter.end(), title);
    }
  }
}

async function* pagesOf(chunks: AsyncIterable<Buffer>, name: string): AsyncGenerator<Page, void> {
  const done: Page[] = [];
  const parser = pageParser(name, (page) => done.push(page));
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for await (const chunk of chunks) {
    parser.write(decoded(decoder, chunk, name));
    yield* done.splice(0);
  }
  parser.write(decoded(decoder, undefined, name)).close();
  yield* done;
}

function decoded(decoder: TextDecoder, chunk: Buffer | undefined, name: string): string {
  try {
    return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode();
  } catch (cause) {
    throw new T1Error('INPUT', `${name}: not UTF-8 text: convert the file first`, { cause });
  }
}

function pageParser(name: string, onPage: (page: Page) => void): SaxesParser {
  const parser = new SaxesParser();
  const open: string[] = [];
  let page: Page | undefined;
  let text = '';
  parser.on('error', (error) => {
    throw new T1Error(
      'INPUT',
      `${name}: no well-formed XML (line ${parser.line}: ${error.message.replace(/^\d+:\d+: /, '')}): get the file again`,
    );
  });
  parser.on('opentag', ({ name: tag }) => {
    if (open.length === 0 && tag !== 'mediawiki')
      throw new T1Error('INPUT', `${name}: XML, but no MediaWiki dump (its root is <${tag}>)`);
    open.push(tag);
    text = '';
    if (tag === 'page') page = { title: '', namespace: '', redirect: false, text: '' };
    if (tag === 'redirect' && page) page.redirect = true;
  });
  parser.on('text', (more) => {
    text += more;
  });
  parser.on('closetag', ({ name: tag }) => {
    open.pop();
    const parent = open.at(-1);
    if (!page) return;
    if (tag === 'title' && parent === 'page') page.title = text;
    else if (tag === 'ns' && parent === 'page') page.namespace = text.trim();
    else if (tag === 'text' && parent === 'revision') page.text = text;
    else if (tag === 'page') {
      onPage(page);
      page = undefined;
    }
  });
  return parser;
}
