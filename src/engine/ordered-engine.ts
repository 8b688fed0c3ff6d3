import type { ClassifyRequest, Engine, SampleRequest, ScoreRequest } from './engine-types.js';

/**
 * The engine as one problem sees it: every job carries the problem's ordinal, so that problems are finished in order
 * and early instead of all at the end.
 *
 * @param ordinal of the problem, 0 first
 */
export function orderedEngine(engine: Engine, ordinal: number): Engine {
  const ordered: Pick<Engine, 'sample' | 'score' | 'classify'> = {
    sample: (request: SampleRequest) => engine.sample({ ordinal, ...request }),
    score: (request: ScoreRequest) => engine.score({ ordinal, ...request }),
    classify: (request: ClassifyRequest) => engine.classify({ ordinal, ...request }),
  };
  return new Proxy(engine, {
    get: (target, name) => {
      if (name in ordered) return ordered[name as keyof typeof ordered];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
