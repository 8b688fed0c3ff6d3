/**
 * Postings of one term: in which passages it is, how often. Passages ascend; 128 of them make a block.
 *
 * Data of a block: the width of its distances (1, 2 or 4 bytes), the distance of each passage from the one before (that
 * of the block before, too) in so many bytes, lowest first, then how many of the passages have the term more than once,
 * and for each of these its place in the block (a byte) and a varint of how often (7 bits a byte, lowest first, the
 * high bit says that more follows). Nearly all have it once; without branches they are read several times as fast as
 * varints.
 *
 * Blocks: four uint32 each, little-endian: last passage, end of the block in the data (bytes), largest frequency,
 * shortest length of a passage (terms). The last two bound every score in the block, whatever k1 and b are.
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

/** Bytes of a block at most: width, distances, count, and place and varint of each frequency. */
const BLOCK_BYTES = 2 + BLOCK_POSTINGS * (4 + 1 + 5);

/** A postings list that grows; used again and again for one term after the other. */
export class PostingsWriter {
  private data: Uint8Array = new Uint8Array(4 * BLOCK_BYTES);
  private blocks: Uint32Array = new Uint32Array(1 << 8);
  private bytes = 0;
  private blockCount = 0;
  private postings = 0;
  private lastPassage = 0;
  private mostFrequent = 0;
  private shortest = 0xffff_ffff;
  /** Of the block at hand. */
  private readonly distances = new Uint32Array(BLOCK_POSTINGS);
  private readonly frequencies = new Uint32Array(BLOCK_POSTINGS);
  private inBlock = 0;

  /**
   * @param passage larger than the one before
   * @param frequency of the term in it, at least 1
   * @param length of the passage, terms
   */
  add(passage: number, frequency: number, length: number): void {
    this.distances[this.inBlock] = passage - this.lastPassage;
    this.frequencies[this.inBlock++] = frequency;
    this.lastPassage = passage;
    if (frequency > this.mostFrequent) this.mostFrequent = frequency;
    if (length < this.shortest) this.shortest = length;
    if (this.inBlock === BLOCK_POSTINGS) this.endBlock();
  }

  /** What was added since the last call, as views that hold until the next `add`. */
  take(): Postings {
    if (this.inBlock > 0) this.endBlock();
    const taken = {
      count: this.postings,
      blocks: this.blocks.subarray(0, this.blockCount * BLOCK_FIELDS),
      data: this.data.subarray(0, this.bytes),
    };
    this.bytes = this.blockCount = this.postings = this.lastPassage = 0;
    return taken;
  }

  private endBlock(): void {
    while (this.bytes + BLOCK_BYTES > this.data.length) this.data = grown(this.data);
    this.writeDistances();
    this.writeFrequencies();
    const at = this.blockCount++ * BLOCK_FIELDS;
    if (at + BLOCK_FIELDS > this.blocks.length) this.blocks = grown(this.blocks);
    this.blocks[at + LAST_PASSAGE] = this.lastPassage;
    this.blocks[at + DATA_END] = this.bytes;
    this.blocks[at + MOST_FREQUENT] = this.mostFrequent;
    this.blocks[at + SHORTEST] = this.shortest;
    this.postings += this.inBlock;
    this.inBlock = this.mostFrequent = 0;
    this.shortest = 0xffff_ffff;
  }

  private writeDistances(): void {
    const { distances, inBlock, data } = this;
    let largest = 0;
    for (let i = 0; i < inBlock; i++) largest = Math.max(largest, distances[i] as number);
    const width = largest < 1 << 8 ? 1 : largest < 1 << 16 ? 2 : 4;
    data[this.bytes++] = width;
    for (let i = 0; i < inBlock; i++) {
      for (let shift = 0; shift < 8 * width; shift += 8) data[this.bytes++] = (distances[i] as number) >>> shift;
    }
  }

  private writeFrequencies(): void {
    const { frequencies, inBlock, data } = this;
    const countAt = this.bytes++;
    let count = 0;
    for (let i = 0; i < inBlock; i++) {
      if (frequencies[i] === 1) continue;
      count++;
      data[this.bytes++] = i;
      let rest = frequencies[i] as number;
      for (; rest >= 128; rest >>>= 7) data[this.bytes++] = (rest & 127) | 128;
      data[this.bytes++] = rest;
    }
    data[countAt] = count;
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
 * @throws RangeError when the data end within the block, or are no block
 */
export function readBlock({ blocks, data, count }: Postings, index: number, into: Block): void {
  const before = (index - 1) * BLOCK_FIELDS;
  const start = index === 0 ? 0 : (blocks[before + DATA_END] as number);
  const end = blocks[index * BLOCK_FIELDS + DATA_END] as number;
  into.count = Math.min(BLOCK_POSTINGS, count - index * BLOCK_POSTINGS);
  if (end > data.length || start + 2 + into.count > end) throw new RangeError('postings are cut off');
  const at = readDistances(data, start, index === 0 ? 0 : (blocks[before + LAST_PASSAGE] as number), into);
  readFrequencies(data, at, end, into);
}

/** @returns where the frequencies begin */
function readDistances(data: Uint8Array, start: number, before: number, { passages, count }: Block): number {
  const width = data[start] as number;
  let at = start + 1;
  let passage = before;
  if (width === 1) {
    for (let i = 0; i < count; i++) passages[i] = passage += data[at++] as number;
  } else if (width === 2) {
    for (let i = 0; i < count; i++, at += 2)
      passages[i] = passage += (data[at] as number) | ((data[at + 1] as number) << 8);
  } else if (width === 4) {
    for (let i = 0; i < count; i++, at += 4) {
      passages[i] = passage +=
        (data[at] as number) |
        ((data[at + 1] as number) << 8) |
        ((data[at + 2] as number) << 16) |
        ((data[at + 3] as number) << 24);
    }
  } else throw new RangeError('postings are no block');
  return at;
}

function readFrequencies(data: Uint8Array, start: number, end: number, { frequencies, count }: Block): void {
  frequencies.fill(1, 0, count);
  let at = start;
  for (let left = data[at++] as number; left > 0 && at < end; left--) {
    const place = data[at++] as number;
    let byte = data[at++] as number;
    let frequency = byte & 127;
    for (let shift = 7; byte >= 128 && at < end; shift += 7) {
      byte = data[at++] as number;
      frequency |= (byte & 127) << shift;
    }
    frequencies[place] = frequency;
  }
}

export const blockCount = ({ blocks }: Postings): number => Math.floor(blocks.length / BLOCK_FIELDS);
