/**
 * One way to remember: look up, find what is missing, compute, keep, tell.
 *
 * A `Computation` is a constant of its module. What it computes from comes in as data (`shared`, `items`) and as
 * handles, each with an `identity`: data that names everything its results depend on. The key of a value is the hash of
 * all of that, so nothing that changes a value can be left out of its key. `runtime` is for what changes no value:
 * usage counters, progress, hints.
 */
import type { z } from 'zod';
import { T1Error, type ErrorCode } from '../errors.js';
import { must } from '../must.js';
import { aborted, untilAborted } from '../abort.js';
import { plainKey, digest, encode } from './canonical.js';
import type { Memory } from './memory.js';
import type { Store } from './store.js';

/** Raised when keys are made otherwise. */
const KEY_VERSION = 1;
const DAY_MS = 24 * 3600 * 1000;

/** Ends of another call that say nothing of this one. */
const THE_OTHERS_OWN: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['ABORTED', 'DISPOSED', 'QUEUE_FULL']);

/**
 * Something that computes. `identity` is plain data; null for one that cannot say what it is, whose results do not
 * outlive the call.
 */
export interface Identified {
  readonly identity: object | null;
}

/**
 * - `certain`: kept until it is evicted
 * - `doubtful`: it may have been the moment. Kept, and asked for again by the next call. Once it came out twice it is
 * believed for a
 *   day, then two, then four: what is always so costs little, and no moment is believed for ever.
 * - `transient`: not kept
 */
export type Worth = 'certain' | 'doubtful' | 'transient';

export interface Work<Handles, Shared, Item, Value, Runtime> {
  readonly handles: Handles;
  readonly shared: Shared;
  readonly items: readonly Item[];
  readonly runtime: Runtime;
  /** The call's, and fires too when a value cannot be kept: going on would be work thrown away. */
  readonly signal: AbortSignal;
  /** Called once for each item, in any order. */
  done(item: number, value: Value, worth?: Worth): void;
}

/** A kind of work whose results are remembered. */
export interface Computation<Handles extends Readonly<Record<string, Identified>>, Shared, Item, Value, Runtime> {
  /** What the values are, for statistics and keys. */
  readonly stage: string;
  /** Raised when the same inputs could lead to another value. */
  readonly version: number;
  /** What is read from the store is checked against it. */
  readonly value: z.ZodType<Value>;
  /**
   * Whether an item's value depends on the items beside it, as with a reproducible engine, where rows of one decode are
   * rounded together: then all of them are part of its key, and what is missing is computed among all.
   */
  readonly together?: (handles: Handles) => boolean;
  compute(work: Work<Handles, Shared, Item, Value, Runtime>): Promise<void>;
}

export interface Inputs<Handles, Shared, Item, Runtime> {
  readonly handles: Handles;
  /** What all items have in common. */
  readonly shared: Shared;
  readonly items: readonly Item[];
  readonly runtime: Runtime;
  readonly signal: AbortSignal;
}

/** Values that are being computed, by store and key: who asks for one meanwhile waits for it. */
const flights = new WeakMap<Store, Map<string, Flight>>();

interface Flight {
  readonly value: Promise<unknown>;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/**
 * @param onValue called once per item as its value is known, those that were in the store first
 * @returns [items] values
 * @throws T1Error ABORTED, DISK_FULL, and what `compute` throws; what was done by then is kept
 */
export async function remember<Handles extends Readonly<Record<string, Identified>>, Shared, Item, Value, Runtime>(
  memory: Memory,
  computation: Computation<Handles, Shared, Item, Value, Runtime>,
  inputs: Inputs<Handles, Shared, Item, Runtime>,
  onValue: (item: number, value: Value) => void = () => {},
): Promise<Value[]> {
  const call = new Call(memory, computation, inputs, onValue);
  // More than once only where somebody else was to compute a value and gave up.
  while (call.open.length > 0) await call.attempt();
  return call.values();
}

class Call<Handles extends Readonly<Record<string, Identified>>, Shared, Item, Value, Runtime> {
  /** Items without a value. */
  open: readonly number[];
  readonly #values = new Map<number, Value>();
  readonly #keys: readonly Key[];
  readonly #flights: Map<string, Flight>;

  constructor(
    private readonly memory: Memory,
    private readonly computation: Computation<Handles, Shared, Item, Value, Runtime>,
    private readonly inputs: Inputs<Handles, Shared, Item, Runtime>,
    private readonly onValue: (item: number, value: Value) => void,
  ) {
    this.open = [...inputs.items.keys()];
    this.#keys = keysOf(computation, inputs, memory.call);
    this.#flights = flightsOf(memory.store);
  }

  values(): Value[] {
    return this.inputs.items.map((_, item) => must(this.#values.get(item), `the value of item ${item}`));
  }

  /** Looks every open item up, computes those that nobody computes, and waits for the others. */
  async attempt(): Promise<void> {
    if (this.inputs.signal.aborted) throw aborted(this.inputs.signal);
    const mine = new Map<number, Flight>();
    const others: Promise<number | undefined>[] = [];
    // No await up to the end of the loop: between the look and the claim nobody else may come.
    for (const item of this.open) {
      const key = must(this.#keys[item], 'a key');
      const known = this.#look(key);
      const flight = this.#flights.get(key.text);
      if (known) this.#settle(item, known.value, 'hit');
      else if (flight) others.push(this.#join(item, flight));
      else mine.set(item, this.#claim(key));
    }
    const [, failed] = await Promise.all([this.#compute(mine), Promise.all(others)]);
    this.open = failed.filter((item) => item !== undefined);
  }

  async #compute(mine: Map<number, Flight>): Promise<void> {
    if (mine.size === 0) return;
    const { computation, inputs } = this;
    const { handles, shared, items, runtime, signal } = inputs;
    const asked = computation.together?.(handles) ? [...items.keys()] : [...mine.keys()];
    const failure = new AbortController();
    const done = (place: number, value: Value, worth: Worth = 'certain'): void => {
      const item = must(asked[place], `item ${place} of what was asked`);
      const flight = mine.get(item);
      if (!flight || failure.signal.aborted) return; // known before, and computed for the sake of the others only
      try {
        this.#keep(must(this.#keys[item], 'a key'), value, worth);
      } catch (error) {
        failure.abort(error);
        return;
      }
      mine.delete(item);
      this.#land(item, flight);
      flight.resolve(value);
      this.#settle(item, value, 'miss');
    };
    const stop = AbortSignal.any([signal, failure.signal]);
    try {
      const wanted = asked.map((item) => items[item] as Item);
      await computation.compute({ handles, shared, items: wanted, runtime, signal: stop, done });
      failure.signal.throwIfAborted();
      if (mine.size > 0) throw new T1Error('INTERNAL', `${computation.stage}: ${mine.size} values were not computed`);
    } catch (error) {
      const reason: unknown = failure.signal.aborted ? failure.signal.reason : error;
      for (const [item, flight] of mine) {
        this.#land(item, flight);
        flight.reject(signal.aborted ? aborted(signal) : reason);
      }
      mine.clear();
      throw reason;
    }
  }

  /** @returns the item where it has to be tried again */
  async #join(item: number, { value }: Flight): Promise<number | undefined> {
    const { signal } = this.inputs;
    try {
      this.#settle(item, (await untilAborted(value, signal)) as Value, 'hit');
      return undefined;
    } catch (error) {
      if (signal.aborted) throw aborted(signal);
      // The other call was stopped, or its engine was; not this one.
      if (error instanceof T1Error && THE_OTHERS_OWN.has(error.code)) return item;
      throw error;
    }
  }

  #claim({ text }: Key): Flight {
    const flight = newFlight();
    this.#flights.set(text, flight);
    return flight;
  }

  #land(item: number, flight: Flight): void {
    const { text } = must(this.#keys[item], 'a key');
    if (this.#flights.get(text) === flight) this.#flights.delete(text);
  }

  /** In an object, since a value may be anything. */
  #look({ bytes, text, ofThisCall }: Key): { readonly value: Value } | undefined {
    const { store, doubtful, ofThisCall: own } = this.memory;
    if (ofThisCall) return own.has(text) ? { value: own.get(text) as Value } : undefined;
    const found = store.find(bytes);
    if (found === undefined) return undefined;
    const parsed = found === 'damaged' ? undefined : this.computation.value.safeParse(found.value);
    if (found === 'damaged' || !parsed?.success) {
      this.memory.foundDamage();
      return undefined;
    }
    const { times, computedAt } = found;
    const believed = times >= 2 && store.now() < computedAt + DAY_MS * 2 ** (times - 2);
    return times === 0 || believed || doubtful.has(text) ? { value: parsed.data } : undefined;
  }

  #keep(key: Key, value: Value, worth: Worth): void {
    if (worth === 'transient') return;
    const { store, doubtful, ofThisCall } = this.memory;
    if (key.ofThisCall) {
      ofThisCall.set(key.text, value);
      return;
    }
    let times = 0;
    if (worth === 'doubtful') {
      const before = store.find(key.bytes);
      times = 1 + (before === undefined || before === 'damaged' ? 0 : before.times);
      doubtful.add(key.text);
    }
    store.keep(key.bytes, this.computation.stage, value, times);
  }

  #settle(item: number, value: Value, kind: 'hit' | 'miss'): void {
    this.#values.set(item, value);
    this.memory.count(kind);
    this.onValue(item, value);
  }
}

interface Key {
  readonly bytes: Buffer;
  readonly text: string;
  /** A handle cannot say what it is: the value is not kept. */
  readonly ofThisCall: boolean;
}

function keysOf<Handles extends Readonly<Record<string, Identified>>, Shared, Item, Value, Runtime>(
  { stage, version, together }: Computation<Handles, Shared, Item, Value, Runtime>,
  { handles, shared, items }: Inputs<Handles, Shared, Item, Runtime>,
  call: number,
): Key[] {
  const identities = Object.fromEntries(Object.entries(handles).map(([name, { identity }]) => [name, identity]));
  const ofThisCall = Object.values(identities).includes(null);
  const common = encode([KEY_VERSION, stage, version, identities, shared, ofThisCall ? call : null]);
  const written = items.map((item) => encode(item));
  const job = together?.(handles) ? digest(...written) : undefined;
  return written.map((item, place) => {
    const bytes = job ? plainKey(common, encode(place), job) : plainKey(common, item);
    return { bytes, text: bytes.toString('latin1'), ofThisCall };
  });
}

function flightsOf(store: Store): Map<string, Flight> {
  const known = flights.get(store) ?? new Map<string, Flight>();
  flights.set(store, known);
  return known;
}

function newFlight(): Flight {
  let resolve: Flight['resolve'] = () => {};
  let reject: Flight['reject'] = () => {};
  const value = new Promise<unknown>((...both) => ([resolve, reject] = both));
  value.catch(() => {}); // nobody may be waiting for it
  return { value, resolve, reject };
}
