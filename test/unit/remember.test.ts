/** Looking up, finding what is missing, computing, keeping and telling: once, for everything that is remembered. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { T1Error } from '../../src/errors.js';
import { Memory } from '../../src/store/memory.js';
import { type Computation, type Identified, remember, type Work, type Worth } from '../../src/store/remember.js';
import { Store } from '../../src/store/store.js';

interface Machine extends Identified {
  readonly together?: boolean;
}
interface Item {
  readonly word: string;
}
type Lengths = Work<{ readonly machine: Machine }, { readonly extra: number }, Item, number, { readonly hint: string }>;

let store: Store;
let clock: number;
/** What was computed, a list for each job. */
let jobs: string[][];
/** What a job does; set by tests. */
let work: (asked: Lengths) => Promise<void>;
beforeEach(() => {
  clock = Date.UTC(2026, 0, 1);
  store = Store.open(':memory:', { now: () => clock });
  jobs = [];
  work = async ({ items, shared, done }) => {
    for (const [i, { word }] of items.entries()) done(i, word.length + shared.extra);
  };
});
afterEach(() => store.close());

const lengths: Computation<Lengths['handles'], Lengths['shared'], Item, number, Lengths['runtime']> = {
  stage: 'length',
  version: 1,
  value: z.number(),
  together: ({ machine }) => machine.together === true,
  compute: async (asked) => {
    jobs.push(asked.items.map(({ word }) => word));
    await work(asked);
  },
};

interface Ask {
  readonly memory?: Memory;
  readonly machine?: Machine;
  readonly extra?: number;
  readonly hint?: string;
  readonly signal?: AbortSignal;
  readonly computation?: typeof lengths;
  readonly onValue?: (item: number, value: number) => void;
}
const ask = (words: readonly string[], more: Ask = {}): Promise<number[]> => {
  const { memory = new Memory(store), machine = { identity: { name: 'm' } }, extra = 0, hint = '' } = more;
  const inputs = {
    handles: { machine },
    shared: { extra },
    items: words.map((word) => ({ word })),
    runtime: { hint },
    signal: more.signal ?? new AbortController().signal,
  };
  return remember(memory, more.computation ?? lengths, inputs, more.onValue);
};

/** A job that waits until it is let go. */
function held() {
  let release = (): void => {};
  const until = new Promise<void>((resolve) => (release = resolve));
  const before = work;
  work = async (asked) => {
    await until;
    asked.signal.throwIfAborted();
    await before(asked);
  };
  return release;
}

test('what is there is not computed again, what is missing is one job, and all come in their order', async () => {
  expect(await ask(['a', 'bb'])).toEqual([1, 2]);
  const told: number[][] = [];
  const memory = new Memory(store);
  expect(await ask(['ccc', 'bb', 'dddd', 'a'], { memory, onValue: (...each) => told.push(each) })).toEqual([
    3, 2, 4, 1,
  ]);
  expect(jobs).toEqual([
    ['a', 'bb'],
    ['ccc', 'dddd'],
  ]);
  expect(told).toEqual([
    [1, 2],
    [3, 1],
    [0, 3],
    [2, 4],
  ]);
  expect(memory.counts).toEqual({ hits: 2, misses: 2 });
  expect(await ask([])).toEqual([]);
});

test.each<[string, Ask]>([
  ['what all items have in common', { extra: 1 }],
  ['what computes', { machine: { identity: { name: 'm', memoryBytes: 1 } } }],
  ['whether items are computed together', { machine: { identity: { name: 'm' }, together: true } }],
  ['the kind of value', { computation: { ...lengths, stage: 'other' } }],
  ['its version', { computation: { ...lengths, version: 2 } }],
])('%s is part of the key', async (_, more) => {
  await ask(['a']);
  await ask(['a'], more);
  expect(jobs).toHaveLength(2);
  await ask(['a'], more);
  expect(jobs).toHaveLength(2);
});

test('a hint is not', async () => {
  await ask(['a'], { hint: 'x' });
  await ask(['a'], { hint: 'y' });
  expect(jobs).toHaveLength(1);
});

test('nothing is kept of what cannot say what it is', async () => {
  await ask(['a'], { machine: { identity: null } });
  const memory = new Memory(store);
  const both = [
    ask(['a'], { machine: { identity: null }, memory }),
    ask(['a'], { machine: { identity: null }, memory }),
  ];
  expect(await Promise.all(both)).toEqual([[1], [1]]);
  await ask(['a'], { machine: { identity: null }, memory });
  expect(jobs).toHaveLength(2); // once for each call
  expect(store.stats().values).toEqual({});
});

describe('asked for at the same time', () => {
  test('it is computed once, also where only some is asked for by both, and twice by one', async () => {
    const release = held();
    const memory = new Memory(store);
    const [first, second] = [ask(['a', 'bb', 'a']), ask(['bb', 'ccc'], { memory })];
    release();
    expect(await Promise.all([first, second])).toEqual([
      [1, 2, 1],
      [2, 3],
    ]);
    expect(jobs).toEqual([['a', 'bb'], ['ccc']]);
    expect(memory.counts).toEqual({ hits: 1, misses: 1 });
  });

  test('who waits for another that is aborted computes it himself', async () => {
    const release = held();
    const stop = new AbortController();
    const first = ask(['a'], { signal: stop.signal });
    const second = ask(['a']);
    work = async ({ done }) => done(0, 1);
    stop.abort();
    release();
    await expect(first).rejects.toThrow();
    expect(await second).toEqual([1]);
    expect(jobs).toHaveLength(2);
  });

  test('who waits can be aborted, and the other goes on', async () => {
    const release = held();
    const stop = new AbortController();
    const first = ask(['a']);
    const second = ask(['a'], { signal: stop.signal });
    stop.abort();
    await expect(second).rejects.toMatchObject({ code: 'ABORTED' });
    release();
    expect(await first).toEqual([1]);
  });

  test('a failure is told to all who waited, and the next one tries again', async () => {
    const before = work;
    work = () => Promise.reject(new T1Error('DECODE_FAILED', 'no number'));
    const both = [ask(['a']), ask(['a'])];
    for (const each of await Promise.allSettled(both))
      expect(each).toMatchObject({ status: 'rejected', reason: { code: 'DECODE_FAILED' } });
    work = before;
    expect(await ask(['a'])).toEqual([1]);
  });
});

describe('an interruption', () => {
  test('keeps what was done, and an abort before it begins computes nothing', async () => {
    work = async ({ done }) => {
      done(1, 2);
      throw new T1Error('ABORTED', 'aborted');
    };
    await expect(ask(['a', 'bb'])).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(ask(['c'], { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
    expect(jobs).toHaveLength(1);
    work = async ({ done }) => done(0, 1);
    expect(await ask(['a', 'bb'])).toEqual([1, 2]);
    expect(jobs.at(-1)).toEqual(['a']);
  });

  test('of items that are computed together repeats all of them', async () => {
    const machine = { identity: { name: 'm' }, together: true };
    work = async ({ done }) => {
      done(0, 10);
      throw new T1Error('ABORTED', 'aborted');
    };
    await expect(ask(['a', 'bb'], { machine })).rejects.toMatchObject({ code: 'ABORTED' });
    work = async ({ items, done }) => {
      for (const i of items.keys()) done(i, 10 * items.length);
    };
    expect(await ask(['a', 'bb'], { machine })).toEqual([10, 20]);
    expect(jobs).toEqual([
      ['a', 'bb'],
      ['a', 'bb'],
    ]);
    // Beside others, or in another order, it would be something else.
    expect(await ask(['bb', 'a'], { machine })).toEqual([20, 20]);
    expect(await ask(['a'], { machine })).toEqual([10]);
    expect(await ask(['a', 'a'], { machine })).toEqual([20, 20]);
    expect(jobs).toHaveLength(5);
  });
});

describe('what came out', () => {
  const worth = (kind: Worth) => {
    work = async ({ items, done }) => {
      for (const [i, { word }] of items.entries()) done(i, word.length, kind);
    };
  };

  test('of a passing cause is not kept', async () => {
    worth('transient');
    expect(await ask(['a'])).toEqual([1]);
    await ask(['a']);
    expect(jobs).toHaveLength(2);
    expect(store.stats().values).toEqual({});
  });

  test('in doubt is asked for again, but not in the same call, and believed longer each time', async () => {
    worth('doubtful');
    const memory = new Memory(store);
    await ask(['a'], { memory });
    await ask(['a'], { memory });
    expect(jobs).toHaveLength(1);
    const hours = [0, 0, 23, 2, 47, 2, 95, 2];
    const asked: number[] = [];
    for (const pause of hours) {
      clock += pause * 3600_000;
      await ask(['a']);
      asked.push(jobs.length);
    }
    expect(asked).toEqual([2, 2, 2, 3, 3, 4, 4, 5]);
    // What is certain replaces it.
    clock += 1000 * 24 * 3600_000;
    worth('certain');
    await ask(['a']);
    clock += 1000 * 24 * 3600_000;
    await ask(['a']);
    expect(jobs).toHaveLength(6);
  });

  test('and cannot be kept ends the job with the reason', async () => {
    store.keep = () => {
      throw new T1Error('DISK_FULL', 'no room');
    };
    let stopped = false;
    work = async ({ done, signal }) => {
      done(0, 1);
      stopped = signal.aborted;
      throw new T1Error('ABORTED', 'aborted');
    };
    await expect(ask(['a', 'bb'])).rejects.toMatchObject({ code: 'DISK_FULL' });
    expect(stopped).toBe(true);
  });

  test('is not what was promised: a fault of ours, not a value', async () => {
    work = async ({ done }) => done(0, 1);
    await expect(ask(['a', 'bb'])).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  test('is checked when it is found: what is no such value is computed again, with one note', async () => {
    await ask(['a', 'bb']);
    const notes: string[] = [];
    const memory = new Memory(store, (note) => notes.push(note));
    const computation = { ...lengths, value: z.number().min(5) };
    work = async ({ items, done }) => {
      for (const i of items.keys()) done(i, 7);
    };
    expect(await ask(['a', 'bb'], { memory, computation })).toEqual([7, 7]);
    expect(notes).toEqual([expect.stringContaining('damaged')]);
    expect(await ask(['a'], { computation })).toEqual([7]);
    expect(jobs).toHaveLength(2);
  });
});
