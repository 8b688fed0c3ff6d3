/** Length-prefixed frames: the parent's half of child/channel.mjs. */

const HEADER_BYTES = 4;

export function encodeFrame(message: object): Buffer {
  const body = Buffer.from(JSON.stringify(message), 'utf8');
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(body.length, 0);
  return Buffer.concat([header, body]);
}

/** Puts frames together from chunks of a stream; refuses one that is longer than allowed. */
export class FrameReader {
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #held = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @returns the frames that are complete now. @throws RangeError if one claims to be too long. */
  push(chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    const frames: Buffer[] = [];
    for (let frame = this.#next(); frame; frame = this.#next()) frames.push(frame);
    return frames;
  }

  #next(): Buffer | null {
    if (this.#held < HEADER_BYTES) return null;
    const length = this.#header();
    if (length > this.#maxBytes) throw new RangeError(`frame of ${length} bytes, at most ${this.#maxBytes} allowed`);
    // Joined only once it is whole: a long frame comes in many chunks.
    if (this.#held < HEADER_BYTES + length) return null;
    const all = Buffer.concat(this.#chunks);
    const rest = all.subarray(HEADER_BYTES + length);
    this.#chunks = [rest];
    this.#held = rest.length;
    return all.subarray(HEADER_BYTES, HEADER_BYTES + length);
  }

  #header(): number {
    const [first] = this.#chunks;
    if (first && first.length >= HEADER_BYTES) return first.readUInt32LE(0);
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all.readUInt32LE(0);
  }
}
