/** The generator of every random choice in these statistics: the same seed, the same figures, on any machine. */

/** xoshiro128** 1.1 (Blackman & Vigna, arXiv 1805.01407), period 2^128 − 1; its state is filled by SplitMix32. */
export class Random {
  private readonly state = new Uint32Array(4);

  /** @param seeds mixed in order, so that streams of (seed, problem, size) are independent */
  constructor(...seeds: readonly number[]) {
    let mixed = 0x9e3779b9;
    for (const seed of seeds) mixed = finalize((mixed + Math.imul(seed | 0, 0x85ebca6b) + 0x6a09e667) | 0);
    for (let i = 0; i < 4; i++) this.state[i] = finalize((mixed + Math.imul(i + 1, 0x9e3779b9)) | 0);
    if (this.state.every((word) => word === 0)) this.state[0] = 1; // the one state that never leaves itself
  }

  /** Uniform on 0…2^32 − 1. */
  next(): number {
    const s = this.state;
    const s0 = s[0] ?? 0;
    const s1 = s[1] ?? 0;
    const s2 = s[2] ?? 0;
    const s3 = s[3] ?? 0;
    const result = Math.imul(rotate(Math.imul(s1, 5), 7), 9) >>> 0;
    const t2 = s2 ^ s0;
    const t3 = s3 ^ s1;
    s[0] = s0 ^ t3;
    s[1] = s1 ^ t2;
    s[2] = t2 ^ (s1 << 9);
    s[3] = rotate(t3, 11);
    return result;
  }

  /** Uniform on 0…limit − 1, up to a bias of limit / 2^32. */
  below(limit: number): number {
    return Math.floor((this.next() / 4294967296) * limit);
  }

  /** In place (Fisher–Yates). */
  shuffle<Item>(items: { readonly length: number; [place: number]: Item }): void {
    for (let i = items.length - 1; i > 0; i--) {
      const other = this.below(i + 1);
      const [a, b] = [items[i], items[other]];
      if (a === undefined || b === undefined) throw new RangeError('a place that is none');
      [items[i], items[other]] = [b, a];
    }
  }
}

const rotate = (word: number, by: number): number => (word << by) | (word >>> (32 - by));

/** Finaliser of MurmurHash3, 32 bits. */
function finalize(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
