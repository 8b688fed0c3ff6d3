/** What every stage of one solve shares. */
import type { Engine, Usage } from './engine/engine-types.js';
import type { KnowledgeIndex } from './knowledge/knowledge-index.js';
import type { RunAdapter } from './model/run-adapter.js';
import type { SameAnswer } from './grade/same.js';
import type { Profile } from './prompt/profile.js';
import type { RewardEntry } from './reward/entry.js';
import type { Sandbox } from './sandbox/sandbox.js';
import type { StageSettings } from './settings/stage-settings.js';
import type { Memory } from './store/memory.js';
import type { SolveEvent } from './types.js';

/** A model with all that depends on it, as the reward asks it. */
export interface RewardSource {
  readonly engine: Engine;
  readonly modelHash: string;
  readonly profile: Profile;
  /** Of a model that was made for rewards. */
  readonly entry?: RewardEntry | undefined;
  readonly adapter?: RunAdapter | undefined;
}

/** What a verifier needs of an index. */
export type KnowledgeSearch = Pick<KnowledgeIndex, 'fingerprint' | 'search'>;

/** What a verifier needs of a sandbox. What programs print is remembered only where it has an `identity`. */
export type ProgramRunner = Pick<Sandbox, 'run'> & Partial<Pick<Sandbox, 'version' | 'identity'>>;

export interface StageContext {
  readonly engine: Engine;
  /** sha256 of the GGUF. */
  readonly modelHash: string;
  /** Of the programs; candidates always come from the base model. */
  readonly adapters: { readonly tool?: RunAdapter | undefined };
  readonly profile: Profile;
  /** Whom the reward asks: the model above, or another one. */
  readonly reward: RewardSource;
  readonly settings: StageSettings;
  /** What was computed before, and what this call adds to it. */
  readonly memory: Memory;
  /** Starts the sandbox where it has not: a run answered from the cache needs none. */
  readonly sandbox: () => Promise<ProgramRunner>;
  /** Opens the index at its first use. */
  readonly knowledge: () => Promise<KnowledgeSearch>;
  /** Finds the final answer in a solution; null when it has none. */
  readonly extract: (solution: string) => string | null;
  /** Whether two answers are one, however they are written. */
  readonly same: SameAnswer;
  /** What results of the programs depend on; null for a sandbox of the caller's that does not say. */
  readonly sandboxIdentity: () => Promise<object | null>;
  readonly usage: UsageCounter;
  readonly signal: AbortSignal;
  readonly emit: (event: SolveEvent) => void;
}

/** Sums the usage of all jobs of a run. */
export class UsageCounter {
  private readonly sum = { promptTokens: 0, sharedTokens: 0, generatedTokens: 0, decodedTokens: 0 };

  add(usage: Usage): void {
    this.sum.promptTokens += usage.promptTokens;
    this.sum.sharedTokens += usage.sharedTokens;
    this.sum.generatedTokens += usage.generatedTokens;
    this.sum.decodedTokens += usage.decodedTokens;
  }

  get total(): Usage {
    return { ...this.sum };
  }
}
