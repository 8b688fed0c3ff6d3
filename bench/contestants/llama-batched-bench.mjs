/** llama-batched-bench: decodes and samples nothing, so it is the limit. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** @returns tokens a second, prefill of the one shared prompt included */
export async function decoding({ binary, path, threads, unified, promptTokens, samples, maxTokens }) {
  const cells = samples * (promptTokens + maxTokens + 8);
  const args = [
    '-m',
    path,
    '-c',
    cells,
    '-b',
    2048,
    '-ub',
    512,
    '-npp',
    promptTokens,
    '-ntg',
    maxTokens,
    '-npl',
    samples,
    '-pps',
    '-t',
    threads,
    '-ngl',
    0,
    '--output-format',
    'jsonl',
    ...(unified ? ['-kvu'] : []),
  ];
  const { stdout } = await promisify(execFile)(binary, args.map(String), { maxBuffer: 1 << 28 });
  const line = stdout.split('\n').find((text) => text.startsWith('{'));
  if (!line) throw new Error(`llama-batched-bench printed no result: ${stdout.slice(-500)}`);
  const { t_pp: prefill, t_tg: decode } = JSON.parse(line);
  return {
    rate: (samples * maxTokens) / (prefill + decode),
    seconds: prefill + decode,
    generatedTokens: samples * maxTokens,
  };
}
