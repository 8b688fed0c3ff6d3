/** node-llama-cpp, one sequence per sample: prints {seconds, tokens}. Arguments as for engine-t1.mjs. */
import { getLlama, LlamaLogLevel } from 'node-llama-cpp';

const [path, n, promptLength, maxTokens, threads] = process.argv.slice(2).map((arg, i) => (i === 0 ? arg : Number(arg)));
const llama = await getLlama({ gpu: false, build: 'never', logLevel: LlamaLogLevel.error, maxThreads: threads });
const model = await llama.loadModel({ modelPath: path });
const context = await model.createContext({ sequences: n, contextSize: promptLength + maxTokens + 8, batchSize: 2048, threads });
const tokens = Array.from({ length: promptLength }, (_, i) => 1000 + ((i * 7919) % 50_000));
const sequences = Array.from({ length: n }, () => context.getSequence());
const start = performance.now();
const counts = await Promise.all(
  sequences.map(async (sequence, i) => {
    let count = 0;
    for await (const _ of sequence.evaluate(tokens, { temperature: 0.8, topK: 0, topP: 1, minP: 0, seed: i + 1 })) {
      if (++count === maxTokens) break;
    }
    return count;
  }),
);
const seconds = (performance.now() - start) / 1000;
console.log(JSON.stringify({ seconds, tokens: counts.reduce((a, b) => a + b, 0) }));
process.exit(0);
