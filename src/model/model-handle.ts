/** A model as a computation has it: what is asked, and what its results depend on. */
import type { Engine } from '../engine/engine-types.js';
import type { RunAdapter } from './run-adapter.js';

export interface ModelHandle {
  /** The engine's, the file's content, and of an adapter content and scale: its name changes nothing. */
  readonly identity: {
    readonly engine: Engine['identity'];
    readonly model: string;
    readonly adapter: RunAdapter['files'] | null;
  };
  readonly engine: Engine;
  /** What the engine calls the adapter. */
  readonly adapter: string | undefined;
}

/** @param adapter the base model when absent */
export const modelHandle = (
  { engine, modelHash }: { readonly engine: Engine; readonly modelHash: string },
  adapter: RunAdapter | undefined,
): ModelHandle => ({
  identity: { engine: engine.identity, model: modelHash, adapter: adapter?.files ?? null },
  engine,
  adapter: adapter?.name,
});

/** Rows of one decode are rounded together: a reproducible engine gives the same again only for the same whole job. */
export const wholeJobs = ({ model }: { readonly model: ModelHandle }): boolean => model.engine.reproducible;
