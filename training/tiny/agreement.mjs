/** Compares the engine's log-probabilities with those of `agreement.py` on standard input. Argument: the GGUF. */
import { createInterface } from 'node:readline';
import { loadEngine } from '../../dist/index.js';

const LIMIT = 1e-2;

const engine = await loadEngine({ path: process.argv[2] });
const LIKELY = Math.log(1e-3);
let [prompts, largest, likely] = [0, 0, 0];
for await (const line of createInterface({ input: process.stdin })) {
  const { ids, logprobs } = JSON.parse(line);
  const [found] = (
    await engine.score({
      sequences: [{ tokens: Int32Array.from(ids), positions: Int32Array.of(ids.length - 1) }],
      targets: Int32Array.from(logprobs.keys()),
    })
  ).logprobs;
  const differences = logprobs.map((value, i) => Math.abs(value - found[i]));
  largest = Math.max(largest, ...differences);
  likely = Math.max(likely, ...differences.filter((_, i) => logprobs[i] > LIKELY));
  prompts++;
}
await engine.dispose();
console.log(
  `${prompts} prompts, largest difference of a log-probability ${largest.toExponential(1)}, where p > 0.001 ${likely.toExponential(1)}`,
);
if (!(prompts > 0 && largest <= LIMIT)) process.exit(1);
