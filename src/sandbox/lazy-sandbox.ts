/** A sandbox that starts at its first use: a run that is answered from the cache needs none. */
import { T1Error } from '../errors.js';
import { Sandbox, type SandboxIdentity, type SandboxOptions } from './sandbox.js';

export class LazySandbox {
  readonly #options: SandboxOptions;
  readonly #stop = new AbortController();
  #started: Promise<Sandbox> | undefined;

  constructor(options: SandboxOptions) {
    this.#options = options;
  }

  start(): Promise<Sandbox> {
    return (this.#started ??= Sandbox.start(this.#options, {}, this.#stop.signal));
  }

  /** What cache keys hold of it; `auto` has to start for that. */
  async version(): Promise<string> {
    return (await Sandbox.versionOf(this.#options)) ?? (await this.start()).version;
  }

  /** All that results depend on; `auto` has to start for that. */
  async identity(): Promise<SandboxIdentity> {
    return (await Sandbox.identityOf(this.#options)) ?? (await this.start()).identity;
  }

  /** Ends a start that is going on. */
  async dispose(): Promise<void> {
    this.#stop.abort(new T1Error('DISPOSED', 'the sandbox was disposed'));
    await this.#started?.then(
      (sandbox) => sandbox.dispose(),
      () => undefined,
    );
  }
}
