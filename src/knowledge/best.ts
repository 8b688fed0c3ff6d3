/** The k largest numbers so far; a binary heap with the least of them on top. */
export class Best {
  private readonly heap: Float64Array;

  constructor(private readonly k: number) {
    this.heap = new Float64Array(k); // zeros: nothing offered yet
  }

  /** The k-th largest; 0 while fewer than k were offered. */
  get least(): number {
    return this.heap[0] as number;
  }

  /** @param value larger than 0 */
  offer(value: number): void {
    const { heap, k } = this;
    if (value <= (heap[0] as number)) return;
    let at = 0;
    for (let child = 1; child < k; child = 2 * at + 1) {
      if (child + 1 < k && (heap[child + 1] as number) < (heap[child] as number)) child++;
      if ((heap[child] as number) >= value) break;
      heap[at] = heap[child] as number;
      at = child;
    }
    heap[at] = value;
  }
}
