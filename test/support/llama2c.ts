/** A llama2.c checkpoint and its tokenizer as GGUF (formats: karpathy/llama2.c, run.c). */
import { readFileSync } from 'node:fs';
import { writeGguf } from './gguf-writer.mjs';
import type { Tensor } from './gguf-writer.mjs';

interface Vocabulary {
  readonly tokens: string[];
  readonly scores: Float32Array;
  readonly types: number[];
}

function readTokenizer(path: string, size: number): Vocabulary {
  const bytes = readFileSync(path);
  const vocabulary = { tokens: [] as string[], scores: new Float32Array(size), types: [] as number[] };
  let at = 4; // after the longest token's length
  for (let i = 0; i < size; i++) {
    const length = bytes.readInt32LE(at + 4);
    const text = bytes.toString('utf8', at + 8, at + 8 + length);
    vocabulary.scores[i] = bytes.readFloatLE(at);
    const special = ['<unk>', '<s>', '</s>'][i];
    vocabulary.tokens.push(special ?? text.replaceAll(' ', '▁'));
    // unknown, control, byte, normal
    vocabulary.types.push(i === 0 ? 2 : special ? 3 : /^<0x[0-9A-F]{2}>$/.test(text) ? 6 : 1);
    at += 8 + length;
  }
  return vocabulary;
}

export function llama2cGguf(checkpoint: string, tokenizer: string): Buffer {
  const bytes = readFileSync(checkpoint);
  const [width = 0, hidden = 0, layers = 0, heads = 0, kvHeads = 0, vocabularySize = 0, context = 0] = Array.from(
    { length: 7 },
    (_, i) => bytes.readInt32LE(4 * i),
  );
  if (vocabularySize < 0) throw new Error('a checkpoint with its own classifier is not read');
  let at = 28;
  const take = (...shape: number[]): Tensor => {
    const count = shape.reduce((product, extent) => product * extent, 1);
    const values = Float32Array.from({ length: count }, (_, i) => bytes.readFloatLE(at + 4 * i));
    at += 4 * count;
    return { shape, values };
  };
  const kvWidth = (width / heads) * kvHeads;
  const tensors: Record<string, Tensor> = { 'token_embd.weight': take(width, vocabularySize) };
  const perLayer = (name: string, ...shape: number[]): void => {
    for (let layer = 0; layer < layers; layer++) tensors[`blk.${layer}.${name}.weight`] = take(...shape);
  };
  perLayer('attn_norm', width);
  perLayer('attn_q', width, width);
  perLayer('attn_k', width, kvWidth);
  perLayer('attn_v', width, kvWidth);
  perLayer('attn_output', width, width);
  perLayer('ffn_norm', width);
  perLayer('ffn_gate', width, hidden);
  perLayer('ffn_down', hidden, width);
  perLayer('ffn_up', width, hidden);
  tensors['output_norm.weight'] = take(width);
  const { tokens, scores, types } = readTokenizer(tokenizer, vocabularySize);
  return writeGguf(
    {
      'general.architecture': 'llama',
      'general.name': 'stories260K',
      'llama.context_length': context,
      'llama.embedding_length': width,
      'llama.block_count': layers,
      'llama.feed_forward_length': hidden,
      'llama.attention.head_count': heads,
      'llama.attention.head_count_kv': kvHeads,
      'llama.attention.layer_norm_rms_epsilon': { f32: 1e-5 },
      'llama.rope.dimension_count': width / heads,
      'tokenizer.ggml.model': 'llama',
      'tokenizer.ggml.tokens': tokens,
      'tokenizer.ggml.scores': scores,
      'tokenizer.ggml.token_type': types,
      'tokenizer.ggml.bos_token_id': 1,
      'tokenizer.ggml.eos_token_id': 2,
    },
    tensors,
  );
}
