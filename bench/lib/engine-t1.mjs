/** Our engine: prints {seconds, tokens} of one job. Arguments: model, N, prompt tokens, new tokens, threads. */
import { Engine } from '../../dist/index.js';

const [path, n, promptLength, maxTokens, threads] = process.argv.slice(2).map((arg, i) => (i === 0 ? arg : Number(arg)));
const engine = await Engine.load({ path, threads });
const tokens = Int32Array.from({ length: promptLength }, (_, i) => 1000 + ((i * 7919) % 50_000));
const job = (samples, length) =>
  engine.sample({
    prompts: [{ tokens, seeds: Array.from({ length: samples }, (_, i) => i + 1) }],
    sampler: { temperature: 0.8, topK: 0, topP: 1, minP: 0 },
    maxTokens: length,
  });
await job(n, 2); // weights and context are there, as they are for the peers when their clock starts
const start = performance.now();
const { usage } = await job(n, maxTokens);
console.log(JSON.stringify({ seconds: (performance.now() - start) / 1000, tokens: usage.generatedTokens }));
await engine.dispose();
