/**
 * Postings of one term: in which passages it is, how often. Passages ascend; 128 of them make a block.
 *
 * Data: for each posting the varint of 2 × (distance from the passage before) + (1 if the term is there once), then, if it is
 * there more often, the varint of how often. Distances go on over blocks. Varints: 7 bits a byte, lowest first, the high
 * bit says that more follows.
 *
 * Blocks: four uint32 each, little-endian: last passage, end of the block in the data (bytes), largest frequency, shortest
 * length of a passage (terms). The last two bound every score in the block, whatever k1 and b are.
 */

/** Passages of an index, so that all of this is done in 32-bit integers. */
export const MOST_PASSAGES = 2 ** 30;
export const BLOCK_POSTINGS = 128;
export const BLOCK_FIELDS = 4;
export const LAST_PASSAGE = 0;
export const DATA_END = 1;
export const MOST_FREQUENT = 2;
export const SHORTEST = 3;

/** As read from the index. */
export interface Postings {
  /** Passages with the term. */
  readonly count: number;
  readonly blocks: Uint32Array;
  readonly data: Uint8Array;
}

/** A postings list that grows; used again and again for one term after the other. */
export class PostingsWriter {
  private data = new Uint8Array(1 << 12);
  private blocks = new Uint32Array(1 << 8);
  private bytes = 0;
  private blockCount = 0;
  private postings = 0;
  private lastPassage = 0;
  private mostFrequent = 0;
  private shortest = 0xffff_ffff;

  /**
   * @param passage larger than the one before
   * @param frequency of the term in it, at least 1
   * @param length of the passage, terms
   */
  add(passage: number, frequency: number, length: number): void {
    if (this.bytes + 10 > this.data.length) this.data = grown(this.data);
    const distance = passage - this.lastPassage;
    this.varint((distance << 1) | (frequency === 1 ? 1 : 0));
    if (frequency !== 1) this.varint(frequency);
    this.lastPassage = passage;
    if (frequency > this.mostFrequent) this.mostFrequent = frequency;
    if (length < this.shortest) this.shortest = length;
    this.postings++;
    if (this.postings % BLOCK_POSTINGS === 0) this.endBlock();
  }

  /** What was added since the last call, as views that hold until the next `add`. */
  take(): Postings {
    if (this.postings % BLOCK_POSTINGS !== 0) this.endBlock();
    const taken = {
      count: this.postings,
      blocks: this.blocks.subarray(0, this.blockCount * BLOCK_FIELDS),
      data: this.data.subarray(0, this.bytes),
    };
    this.bytes = this.blockCount = this.postings = this.lastPassage = 0;
    return taken;
  }

  private varint(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.data[this.bytes++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.data[this.bytes++] = rest;
  }

  private endBlock(): void {
    const at = this.blockCount++ * BLOCK_FIELDS;
    if (at + BLOCK_FIELDS > this.blocks.length) this.blocks = grown(this.blocks);
    this.blocks[at + LAST_PASSAGE] = this.lastPassage;
    this.blocks[at + DATA_END] = this.bytes;
    this.blocks[at + MOST_FREQUENT] = this.mostFrequent;
    this.blocks[at + SHORTEST] = this.shortest;
    this.mostFrequent = 0;
    this.shortest = 0xffff_ffff;
  }
}

function grown<T extends Uint8Array | Uint32Array>(array: T): T {
  const larger = new (array.constructor as new (length: number) => T)(array.length * 2);
  larger.set(array);
  return larger;
}

export interface Block {
  /** Ascending; only the first `count` count. */
  readonly passages: Uint32Array;
  readonly frequencies: Uint32Array;
  count: number;
}

export const newBlock = (): Block => ({
  passages: new Uint32Array(BLOCK_POSTINGS),
  frequencies: new Uint32Array(BLOCK_POSTINGS),
  count: 0,
});

/**
 * Reads block `index` into `into`.
 *
 * @throws RangeError when the data end within the block
 */
export function readBlock({ blocks, data }: Postings, index: number, into: Block): void {
  const before = (index - 1) * BLOCK_FIELDS;
  let passage = index === 0 ? 0 : (blocks[before + LAST_PASSAGE] ?? 0);
  let at = index === 0 ? 0 : (blocks[before + DATA_END] ?? 0);
  const end = blocks[index * BLOCK_FIELDS + DATA_END] ?? 0;
  if (end > data.length) throw new RangeError('postings are cut off');
  const { passages, frequencies } = into;
  let count = 0;
  while (at < end && count < BLOCK_POSTINGS) {
    let byte = data[at++] ?? 0;
    let value = byte & 127;
    for (let shift = 7; byte >= 128; shift += 7) {
      byte = data[at++] ?? 0;
      value |= (byte & 127) << shift;
    }
    let frequency = 1;
    if ((value & 1) === 0) {
      byte = data[at++] ?? 0;
      frequency = byte & 127;
      for (let shift = 7; byte >= 128; shift += 7) {
        byte = data[at++] ?? 0;
        frequency |= (byte & 127) << shift;
      }
    }
    passage += value >>> 1;
    passages[count] = passage;
    frequencies[count++] = frequency;
  }
  into.count = count;
}

export const blockCount = ({ blocks }: Postings): number => Math.floor(blocks.length / BLOCK_FIELDS);
