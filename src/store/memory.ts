/** The store as one call sees it: with counts that are the call's own. */
import type { CacheCounts } from '../types.js';
import type { Store } from './store.js';

let calls = 0;

export class Memory {
  readonly store: Store;
  /** Keys of what came out doubtful in this call: asking again within it would be asking the same moment. */
  readonly doubtful = new Set<string>();
  /** What cannot be kept, since nobody says what computed it; within the call it is the same. */
  readonly ofThisCall = new Map<string, unknown>();
  /** No other call of this process has it. */
  readonly call = calls++;
  readonly #onNote: (note: string) => void;
  #hits = 0;
  #misses = 0;
  #damaged = 0;

  /** @param onNote is told once when rows are damaged */
  constructor(store: Store, onNote: (note: string) => void = () => {}) {
    this.store = store;
    this.#onNote = onNote;
  }

  /** Values that were there, and values that were not. */
  get counts(): CacheCounts {
    return { hits: this.#hits, misses: this.#misses };
  }

  count(kind: 'hit' | 'miss'): void {
    if (kind === 'hit') this.#hits++;
    else this.#misses++;
  }

  foundDamage(): void {
    if (this.#damaged++ > 0) return;
    this.#onNote(`${this.store.path} holds rows that are damaged: what they said is computed again`);
  }
}
