/** Long texts become passages: whole paragraphs together while there is room, too long ones parted after sentences. */

/** Most words of a passage, where a paragraph does not end earlier. */
export const PASSAGE_WORDS = 150;

export class Splitter {
  private paragraphs: string[] = [];
  private words = 0;

  /** @param most words of a passage */
  constructor(private readonly most: number) {}

  /** @returns passages that are complete now */
  add(paragraph: string): string[] {
    const text = paragraph.trim();
    if (text === '') return [];
    const words = countWords(text);
    if (words > this.most) return [...this.end(), ...this.parted(text)];
    const done = this.words + words > this.most ? this.end() : [];
    this.paragraphs.push(text);
    this.words += words;
    return done;
  }

  /** What is left, at the end of the text or of a section. */
  end(): string[] {
    const text = this.paragraphs.join('\n');
    [this.paragraphs, this.words] = [[], 0];
    return text === '' ? [] : [text];
  }

  /** Of about equal length, so that no short end is left over. */
  private parted(text: string): string[] {
    const share = countWords(text) / Math.ceil(countWords(text) / this.most);
    const parts: string[] = [];
    let sentences: string[] = [];
    let words = 0;
    for (const sentence of sentencesOf(text, this.most)) {
      const more = countWords(sentence);
      if (words > 0 && (words + more > this.most || words + more / 2 > share)) {
        parts.push(sentences.join(' '));
        [sentences, words] = [[], 0];
      }
      sentences.push(sentence);
      words += more;
    }
    if (words > 0) parts.push(sentences.join(' '));
    return parts;
  }
}

/** After . ! ? and a space; what is longer than `most` words without one is cut between words. */
function sentencesOf(text: string, most: number): string[] {
  return text.split(/(?<=[.!?]["')\]’”]?)\s+/u).flatMap((sentence) => {
    const words = sentence.split(/\s+/u);
    if (words.length <= most) return [sentence];
    return Array.from({ length: Math.ceil(words.length / most) }, (_, i) =>
      words.slice(i * most, (i + 1) * most).join(' '),
    );
  });
}

const countWords = (text: string): number => text.split(/\s+/u).length;
