/** Our engine: prints {seconds, tokens} of one job. Arguments: model, N, prompt tokens, new tokens, threads. */
import { Engine } from '../../dist/index.js';

const [path, n, promptLength, maxTokens, threads] = process.argv.slice(2).map((arg, i) => (i === 0 ? arg : Number(arg)));
const engine = await Engine.load({ path, threads });
const tokens = Int32Array.from({ length: promptLength }, (_, i) => 1000 + ((i * 7919) % 50_000));
const job = (more) =>
  engine.sample({
    prompts: [{ tokens, seeds: Array.from({ length: n }, (_, i) => i + 1) }],
    sampler: { temperature: 0.8, topK: 0, topP: 1, minP: 0 },
    maxTokens,
    ...more,
  });
// Weights and a context of this size are there before the clock starts, as they are for the peers.
const warm = new AbortController();
await job({ signal: warm.signal, onProgress: () => warm.abort() }).catch((error) => {
  if (!warm.signal.aborted) throw error;
});
const start = performance.now();
const { usage } = await job({});
console.log(JSON.stringify({ seconds: (performance.now() - start) / 1000, tokens: usage.generatedTokens }));
await engine.dispose();
