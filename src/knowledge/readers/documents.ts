/** Plain text and Markdown: paragraphs are parted by empty lines. */
import type { PlacedPassage } from './jsonl.js';
import { linesOf } from './lines.js';
import { Splitter } from './split-passage.js';

/** Lines of a paragraph that never ends are cut here; characters. */
const LONGEST_PARAGRAPH = 1 << 16;

/** `name#1`, `name#2`, … without a title. */
export async function* textPassages(
  chunks: AsyncIterable<Buffer>,
  name: string,
  words: number,
): AsyncGenerator<PlacedPassage, void> {
  const numbered = new Numbered(name);
  const splitter = new Splitter(words);
  for await (const { paragraph } of paragraphsOf(chunks, name, () => undefined))
    yield* numbered.all(splitter.add(paragraph), null);
  yield* numbered.all(splitter.end(), null);
}

/** The same with the headings above as title: `Guide – Install`. */
export async function* markdownPassages(
  chunks: AsyncIterable<Buffer>,
  name: string,
  words: number,
): AsyncGenerator<PlacedPassage, void> {
  const numbered = new Numbered(name);
  const splitter = new Splitter(words);
  const headings: string[] = [];
  let title: string | null = null;
  for await (const { paragraph, heading } of paragraphsOf(chunks, name, headingOf())) {
    if (heading) {
      yield* numbered.all(splitter.end(), title);
      headings.length = Math.min(headings.length, heading.level - 1);
      headings[heading.level - 1] = heading.text;
      title = headings.filter(Boolean).join(' – ') || null;
    } else yield* numbered.all(splitter.add(plainMarkdown(paragraph)), title);
  }
  yield* numbered.all(splitter.end(), title);
}

export class Numbered {
  private last = 0;
  constructor(private readonly name: string) {}

  *all(texts: readonly string[], title: string | null): Generator<PlacedPassage, void> {
    for (const text of texts) {
      const id = `${this.name}#${++this.last}`;
      yield { passage: { id, title, text }, where: id };
    }
  }
}

interface Heading {
  readonly level: number;
  readonly text: string;
}

interface Piece {
  readonly paragraph: string;
  readonly heading?: Heading | undefined;
}

async function* paragraphsOf(
  chunks: AsyncIterable<Buffer>,
  name: string,
  headingIn: (line: string) => Heading | undefined,
): AsyncGenerator<Piece, void> {
  let paragraph: string[] = [];
  let characters = 0;
  const flush = (): Piece[] => {
    const whole = paragraph.join('\n');
    [paragraph, characters] = [[], 0];
    return whole === '' ? [] : [{ paragraph: whole }];
  };
  for await (const { text } of linesOf(chunks, name)) {
    const heading = headingIn(text);
    if (heading) yield* [...flush(), { paragraph: '', heading }];
    else if (text.trim() === '' || characters > LONGEST_PARAGRAPH) yield* flush();
    if (heading || text.trim() === '') continue;
    paragraph.push(text.trim());
    characters += text.length;
  }
  yield* flush();
}

/** `# Heading`, but not in fenced code, where # begins a comment. */
function headingOf(): (line: string) => Heading | undefined {
  let fence: string | undefined;
  return (line) => {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (mark !== undefined) {
      if (fence === undefined) fence = mark;
      else if (mark.startsWith(fence)) fence = undefined;
      return undefined;
    }
    const match = fence === undefined ? /^ {0,3}(#{1,6})[ \t]+(.*?)[ \t#]*$/.exec(line) : null;
    return match ? { level: match[1]?.length ?? 1, text: plainMarkdown(match[2] ?? '') } : undefined;
  };
}

/** Links and images to their words; the marks of emphasis, lists and quotes stay out. */
const plainMarkdown = (text: string): string =>
  text
    .replace(/!?\[([^\]\n]*)\]\([^)\n]*\)/g, '$1')
    .replace(/^[ \t]*(?:[-*+]|>|\d+[.)])[ \t]+/gm, '')
    .replace(/^(?:`{3,}|~{3,}).*$/gm, '')
    .replace(/\*\*|__|`/g, '');
