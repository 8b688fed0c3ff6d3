/**
 * A GGUF small enough to make in a test: llama architecture, 2 layers of width 64, random weights, byte-level BPE
 * vocabulary with chat tokens. `node tiny-gguf.mjs FILE [OPTIONS as JSON]` writes it.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { writeGguf } from './gguf-writer.mjs';

const WIDTH = 64;
const HEADS = 4;
const KV_HEADS = 2;
const FEED_FORWARD = 128;
const LAYERS = 2;
const CONTEXT = 512;
const HEAD = WIDTH / HEADS;

export const CHAT_TEMPLATE =
  "{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

/** GPT-2's byte alphabet: printable bytes stand for themselves, the rest is moved up from U+0100. */
function byteAlphabet() {
  const printable = (b) => (b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b <= 0xac) || (b >= 0xae && b <= 0xff);
  let next = 256;
  return Array.from({ length: 256 }, (_, b) => String.fromCodePoint(printable(b) ? b : next++));
}

function vocabulary(pieces) {
  const bytes = byteAlphabet();
  const merges = ['t h', 'th e', 'i n', 'a n', 'an d', 'Ġ t', 'Ġt h', 'Ġth e', 'e r', 'o n', 'Ġ a', 'r e'];
  const tokens = [...bytes, ...merges.map((merge) => merge.replace(' ', ''))];
  const control = ['<|endoftext|>', '<|im_start|>', '<|im_end|>'];
  const types = [...tokens.map(() => 1), ...control.map(() => 3)];
  for (const [token, piece] of Object.entries(pieces)) tokens[token] = piece.map((byte) => bytes[byte]).join('');
  return { tokens: [...tokens, ...control], types, merges, eos: tokens.length, imEnd: tokens.length + 2 };
}

/** Mulberry32, then Box-Muller: normal numbers that are the same on every machine to the last bits of F32. */
function normals(seed) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return () => Math.sqrt(-2 * Math.log(uniform() + 1e-12)) * Math.cos(2 * Math.PI * uniform());
}

function tensors(vocabularySize, seed) {
  const normal = normals(seed);
  const random = (rows, columns, deviation) => ({
    shape: [columns, rows],
    values: Float32Array.from({ length: rows * columns }, () => normal() * deviation),
  });
  const ones = () => ({ shape: [WIDTH], values: new Float32Array(WIDTH).fill(1) });
  const all = { 'token_embd.weight': random(vocabularySize, WIDTH, 1) };
  for (let layer = 0; layer < LAYERS; layer++) {
    const at = (name) => `blk.${layer}.${name}.weight`;
    all[at('attn_norm')] = ones();
    all[at('attn_q')] = random(WIDTH, WIDTH, 0.25);
    all[at('attn_k')] = random(KV_HEADS * HEAD, WIDTH, 0.25);
    all[at('attn_v')] = random(KV_HEADS * HEAD, WIDTH, 0.25);
    all[at('attn_output')] = random(WIDTH, WIDTH, 0.25);
    all[at('ffn_norm')] = ones();
    all[at('ffn_gate')] = random(FEED_FORWARD, WIDTH, 0.2);
    all[at('ffn_up')] = random(FEED_FORWARD, WIDTH, 0.2);
    all[at('ffn_down')] = random(WIDTH, FEED_FORWARD, 0.2);
  }
  all['output_norm.weight'] = ones();
  // Logits of a deviation of about 3: neither flat nor certain.
  all['output.weight'] = random(vocabularySize, WIDTH, 0.37);
  return all;
}

export function tinyGguf({
  architecture = 'llama',
  metadata = {},
  tensors: more = {},
  seed = 1,
  edit,
  without = [],
  pieces = {},
} = {}) {
  const { tokens, types, merges, eos, imEnd } = vocabulary(pieces);
  const pairs = {
    'general.architecture': architecture,
    'general.name': 'tiny test model',
    'general.file_type': 0,
    [`${architecture}.context_length`]: CONTEXT,
    [`${architecture}.embedding_length`]: WIDTH,
    [`${architecture}.block_count`]: LAYERS,
    [`${architecture}.feed_forward_length`]: FEED_FORWARD,
    [`${architecture}.attention.head_count`]: HEADS,
    [`${architecture}.attention.head_count_kv`]: KV_HEADS,
    [`${architecture}.attention.layer_norm_rms_epsilon`]: { f32: 1e-5 },
    [`${architecture}.rope.dimension_count`]: HEAD,
    [`${architecture}.vocab_size`]: tokens.length,
    'tokenizer.ggml.model': 'gpt2',
    'tokenizer.ggml.pre': 'gpt-2',
    'tokenizer.ggml.tokens': tokens,
    'tokenizer.ggml.token_type': types,
    'tokenizer.ggml.merges': merges,
    'tokenizer.ggml.bos_token_id': eos,
    'tokenizer.ggml.eos_token_id': imEnd,
    'tokenizer.ggml.add_bos_token': false,
    'tokenizer.chat_template': CHAT_TEMPLATE,
    ...metadata,
  };
  const all = { ...tensors(tokens.length, seed), ...more };
  for (const name of without) delete all[name];
  for (const [name, { values }] of Object.entries(all)) edit?.(name, values);
  return writeGguf(pairs, all);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , file, options = '{}'] = process.argv;
  if (!file) throw new Error('usage: node tiny-gguf.mjs FILE [OPTIONS]');
  writeFileSync(file, tinyGguf(JSON.parse(options)));
}
