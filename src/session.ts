/**
 * What all problems of a solver share: models, database, sandbox, indexes. Each is loaded or started once, at its first
 * use.
 */
import type { Engine } from './engine/engine-types.js';
import type { EngineOptions } from './engine/engine.js';
import { T1Error } from './errors.js';
import { aborted, untilAborted } from './abort.js';
import type { KnowledgeIndex } from './knowledge/knowledge-index.js';
import { fingerprint } from './model/fingerprint.js';
import { keepKvCosts, recallKvCosts } from './model/kv-costs.js';
import { resolveModel, type ResolveOptions } from './model/resolve.js';
import { defaultDatabase, shippedModel } from './paths.js';
import { LazySandbox } from './sandbox/lazy-sandbox.js';
import { Sandbox, type SandboxOptions } from './sandbox/sandbox.js';
import { engineSettings, parseEngineSettings } from './settings/engine-settings.js';
import { ownValues } from './settings/setting.js';
import type { KnowledgeSearch, ProgramRunner } from './stage-context.js';
import { Store } from './store/store.js';

export interface SessionOptions extends Omit<EngineOptions, 'path'> {
  /** GGUF file, or `hf:user/repo:quant`; the model that ships when absent. */
  readonly model?: string | undefined;
  /** Another model for the reward, in the same process: a file or `hf:…`; the model itself when absent. */
  readonly rewardModel?: string | undefined;
  /** LoRAs of the reward model, as `adapters` are of the model. */
  readonly rewardAdapters?: EngineOptions['adapters'] | undefined;
  /** An engine that is there already, instead of `model`; the caller disposes it. */
  readonly engine?: Engine | undefined;
  /** The same for the reward. */
  readonly rewardEngine?: Engine | undefined;
  /**
   * File of the result database; `false`: results live as long as the solver. The one that the command line uses when
   * absent. Or a store that is open already; the caller closes it.
   */
  readonly database?: string | false | Store | undefined;
  /** How programs are run; or what runs them, which the caller ends. */
  readonly sandbox?: SandboxOptions | ProgramRunner | undefined;
  /** Searched by the verifier knowledge, instead of the index of that name. */
  readonly knowledge?: KnowledgeSearch | undefined;
  /** Ends loading and downloading; the solver itself is ended by `close`. */
  readonly signal?: AbortSignal | undefined;
  /** Of a download, bytes. */
  readonly onDownload?: NonNullable<ResolveOptions['onProgress']> | undefined;
  /** Something worth a line, such as what is loaded. */
  readonly onNote?: ((note: string) => void) | undefined;
}

/** Ends what was opened. */
type Closing = () => Promise<void> | void;

const isRunner = (sandbox: SandboxOptions | ProgramRunner): sandbox is ProgramRunner => 'run' in sandbox;

/** A model of the session with the hash of its file, which is part of every key. */
export interface SessionModel {
  readonly engine: Engine;
  readonly hash: string;
}

export class Session {
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  readonly #indexes = new Map<string, Promise<KnowledgeIndex>>();
  #closed: Promise<void> | undefined;

  private constructor(
    readonly model: SessionModel,
    readonly rewardModel: SessionModel,
    readonly store: Store,
    readonly sandbox: () => Promise<ProgramRunner>,
    readonly sandboxVersion: () => Promise<string>,
    readonly sandboxIdentity: () => Promise<object | null>,
    private readonly options: SessionOptions,
    private readonly owned: readonly Closing[],
  ) {}

  /**
   * @throws T1Error what finding and loading the models, opening the database and the sandbox's options raise; ABORTED
   */
  static async open(options: SessionOptions): Promise<Session> {
    const signal = AbortSignal.any(options.signal ? [options.signal] : []);
    const owned: Closing[] = [];
    try {
      const store = openStore(options.database, owned);
      const programs = openSandbox(options.sandbox ?? {}, owned);
      await programs.check(); // options that cannot be used are told before anything is loaded
      const [engine, rewardEngine] = await openEngines(options, signal, owned);
      const model = await modelOf(engine, store);
      const rewardModel = rewardEngine === undefined ? model : await modelOf(rewardEngine, store);
      return new Session(
        model,
        rewardModel,
        store,
        programs.start,
        programs.version,
        programs.identity,
        options,
        owned,
      );
    } catch (error) {
      await closeAll(owned);
      throw error;
    }
  }

  /** Fires when the session closes: work on it ends then. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** The index of that name, opened once. @param onNote told when it has to be made first */
  async knowledge(name: string, signal: AbortSignal, onNote: (note: string) => void): Promise<KnowledgeSearch> {
    if (this.options.knowledge) return this.options.knowledge;
    const opened = this.#indexes.get(name) ?? openIndex(name, this.closing, onNote);
    this.#indexes.set(name, opened);
    opened.catch(() => this.#indexes.delete(name)); // the next one may try again
    return untilAborted(opened, signal);
  }

  /**
   * Work that the session waits for when it closes.
   *
   * @throws T1Error DISPOSED once the session is closing
   */
  async use<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#closed) throw new T1Error('DISPOSED', 'the solver was closed: create another one');
    const running = work();
    const settled = running.then(
      () => {},
      () => {},
    );
    this.#running.add(settled);
    void settled.then(() => this.#running.delete(settled));
    const result = await running;
    this.keepCosts();
    return result;
  }

  /** What the engines have measured of their KV caches outlives them. */
  private keepCosts(): void {
    if (this.#closed) return;
    for (const { engine, hash } of new Set([this.model, this.rewardModel])) keepKvCosts(engine, hash, this.store);
  }

  /** Ends all work with DISPOSED, waits for it, and frees what the session has loaded itself. Safe to call twice. */
  close(): Promise<void> {
    this.#closed ??= (async () => {
      this.#closing.abort(new T1Error('DISPOSED', 'the solver was closed'));
      await Promise.all(this.#running);
      const indexes = [...this.#indexes.values()].map(
        (index) => async () => (await index.catch(() => null))?.dispose(),
      );
      await closeAll([...this.owned, ...indexes]);
    })();
    return this.#closed;
  }
}

async function openIndex(name: string, signal: AbortSignal, onNote: (note: string) => void): Promise<KnowledgeIndex> {
  const { openKnowledge } = await import('./knowledge/shipped.js'); // for those who check knowledge
  return openKnowledge(name, { signal, onNote });
}

/** In the opposite order; the first failure is thrown when all have been tried. */
async function closeAll(owned: readonly Closing[]): Promise<void> {
  const failures: unknown[] = [];
  for (const close of owned.toReversed()) {
    try {
      await close();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

function openStore(database: SessionOptions['database'], owned: Closing[]): Store {
  if (database instanceof Store) return database;
  const store = Store.open(database === false ? ':memory:' : (database ?? defaultDatabase()));
  owned.push(() => store.close());
  return store;
}

function openSandbox(sandbox: SandboxOptions | ProgramRunner, owned: Closing[]) {
  if (isRunner(sandbox)) {
    return {
      check: async () => {},
      start: async () => sandbox,
      version: async () => sandbox.version ?? 'unnamed',
      identity: async () => sandbox.identity ?? null,
    };
  }
  const programs = new LazySandbox(sandbox);
  owned.push(() => programs.dispose());
  return {
    check: async () => void (await Sandbox.versionOf(sandbox)),
    start: () => programs.start(),
    version: () => programs.version(),
    identity: () => programs.identity(),
  };
}

async function openEngines(
  options: SessionOptions,
  signal: AbortSignal,
  owned: Closing[],
): Promise<readonly [Engine, Engine | undefined]> {
  const { model = shippedModel, rewardModel, adapters = [], rewardAdapters = [], onDownload } = options;
  const resolve = (name: string) => resolveModel(name, { signal, ...(onDownload && { onProgress: onDownload }) });
  const path = options.engine ? undefined : await resolve(model);
  const rewardPath = options.rewardEngine || rewardModel === undefined ? undefined : await resolve(rewardModel);
  const load = async (file: string, loras: NonNullable<EngineOptions['adapters']>): Promise<Engine> => {
    if (signal.aborted) throw aborted(signal);
    const { loadEngine } = await import('./engine/engine.js');
    const engine = await loadEngine({
      ...engineOptions(options, rewardPath !== undefined),
      path: file,
      adapters: loras,
    });
    owned.push(() => engine.dispose());
    return engine;
  };
  const engine = options.engine ?? (path === undefined ? undefined : await load(path, adapters));
  if (!engine) throw new T1Error('INTERNAL', 'there is no model to load');
  const reward =
    options.rewardEngine ?? (rewardPath === undefined ? undefined : await load(rewardPath, rewardAdapters));
  return [engine, reward];
}

/** Two engines of one process see the same memory free: each takes half, of what is given too. */
function engineOptions(options: SessionOptions, two: boolean): Omit<EngineOptions, 'path' | 'adapters'> {
  const { memoryBytes, ...rest } = parseEngineSettings(ownValues(engineSettings, options));
  if (!two) return { memoryBytes, ...rest };
  return {
    ...rest,
    memoryBytes: memoryBytes === undefined ? undefined : Math.max(1, Math.floor(memoryBytes / 2)),
    memoryShare: rest.memoryShare / 2,
  };
}

async function modelOf(engine: Engine, store: Store): Promise<SessionModel> {
  const hash = await fingerprint(engine.model.path, store);
  recallKvCosts(engine, hash, store);
  return { engine, hash };
}
