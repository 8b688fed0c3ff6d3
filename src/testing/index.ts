/**
 * `t1/test`: what you need to test what you build on T1, without a model.
 *
 *     const engine = new FakeEngine({ answer: (prompt, seed) => '\\boxed{42}', model: { path: aFileOfYours } });
 *     const solver = await createSolver({ engine, database: false });
 */
export { FakeEngine, type FakeEngineOptions } from './fake-engine.js';
