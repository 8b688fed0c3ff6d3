/** node-llama-cpp, one sequence per sample. */
import { getLlama, LlamaLogLevel } from 'node-llama-cpp';

/** @returns tokens sampled a second */
export async function samples({ path, threads, temperature, tokens, samples: count, maxTokens }) {
  const llama = await getLlama({ gpu: false, build: 'never', logLevel: LlamaLogLevel.error, maxThreads: threads });
  const model = await llama.loadModel({ modelPath: path });
  const context = await model.createContext({
    sequences: count,
    contextSize: tokens.length + maxTokens + 8,
    batchSize: 2048,
    threads,
  });
  const sequences = Array.from({ length: count }, () => context.getSequence());
  const start = performance.now();
  const counts = await Promise.all(
    sequences.map(async (sequence, i) => {
      let sampled = 0;
      for await (const _ of sequence.evaluate([...tokens], { temperature, topK: 0, topP: 1, minP: 0, seed: i + 1 })) {
        if (++sampled === maxTokens) break;
      }
      return sampled;
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  const generatedTokens = counts.reduce((sum, each) => sum + each, 0);
  return { rate: generatedTokens / seconds, seconds, generatedTokens };
}
