/** The k-th best partial score so far: who cannot reach it is out. */

const OFFERS = 4096;

export class Top {
  /** A score that at least k passages have reached; 0 while fewer are known. */
  threshold = 0;
  private readonly offers = new Uint32Array(OFFERS);
  private offered = 0;
  private best: number[] = [];

  /** @param scores by passage; they only grow */
  constructor(
    private readonly k: number,
    private readonly scores: Float32Array,
  ) {}

  /** A passage whose score now exceeds the threshold. */
  offer(passage: number): void {
    this.offers[this.offered++] = passage;
    if (this.offered === OFFERS) this.update();
  }

  update(): void {
    if (this.offered === 0) return;
    const { scores, k } = this;
    const passages = [...new Set([...this.best, ...this.offers.subarray(0, this.offered)])];
    this.offered = 0;
    passages.sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
    this.best = passages.slice(0, k);
    if (this.best.length === k) this.threshold = scores[this.best[k - 1] ?? 0] ?? 0;
  }
}
