/**
 * The generated model as a Qwen3 with a classification head. As in Qwen3-Reranker (llama.cpp's converter) the head's
 * rows are rows of the language head, here those of the tokens CLASS_TOKENS: its outputs are the logits of these
 * tokens. `node classifier-gguf.mjs FILE` writes it.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { tinyGguf } from './tiny-gguf.mjs';

/** Width of the model, and of one of its attention heads. */
const WIDTH = 64;
const HEAD = 16;
const LAYERS = 2;

export const CLASS_TOKENS = [89, 78];

export function classifierGguf({
  architecture = 'qwen3',
  classTokens = CLASS_TOKENS,
  labels = ['yes', 'no'],
  metadata = {},
  edit,
} = {}) {
  const head = { shape: [WIDTH, classTokens.length], values: new Float32Array(WIDTH * classTokens.length) };
  const norms = Array.from({ length: LAYERS }, (_, layer) =>
    ['q', 'k'].map((which) => `blk.${layer}.attn_${which}_norm.weight`),
  ).flat();
  return tinyGguf({
    architecture,
    metadata: {
      [`${architecture}.pooling_type`]: 4, // LLAMA_POOLING_TYPE_RANK
      [`${architecture}.classifier.output_labels`]: labels,
      ...metadata,
    },
    tensors: {
      ...Object.fromEntries(norms.map((name) => [name, { shape: [HEAD], values: new Float32Array(HEAD).fill(1) }])),
      'cls.output.weight': head,
    },
    edit: (name, values) => {
      if (name === 'output.weight')
        for (const [i, token] of classTokens.entries()) {
          head.values.set(values.subarray(token * WIDTH, (token + 1) * WIDTH), i * WIDTH);
        }
      edit?.(name, values);
    },
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , file] = process.argv;
  if (!file) throw new Error('usage: node classifier-gguf.mjs FILE');
  writeFileSync(file, classifierGguf());
}
