/**
 * A GGUF small enough to make in a test: llama architecture, 2 layers of width 64, random weights, byte-level BPE
 * vocabulary with chat tokens. `node tiny-gguf.mjs FILE` writes it.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

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

function vocabulary() {
  const bytes = byteAlphabet();
  const merges = ['t h', 'th e', 'i n', 'a n', 'an d', 'Ġ t', 'Ġt h', 'Ġth e', 'e r', 'o n', 'Ġ a', 'r e'];
  const tokens = [...bytes, ...merges.map((merge) => merge.replace(' ', ''))];
  const control = ['<|endoftext|>', '<|im_start|>', '<|im_end|>'];
  const types = [...tokens.map(() => 1), ...control.map(() => 3)];
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

class Writer {
  #parts = [];
  #length = 0;
  get length() {
    return this.#length;
  }
  bytes(buffer) {
    this.#parts.push(buffer);
    this.#length += buffer.length;
  }
  #number(size, write) {
    const buffer = Buffer.alloc(size);
    write(buffer);
    this.bytes(buffer);
  }
  u32(value) {
    this.#number(4, (b) => b.writeUInt32LE(value));
  }
  u64(value) {
    this.#number(8, (b) => b.writeBigUInt64LE(BigInt(value)));
  }
  f32(value) {
    this.#number(4, (b) => b.writeFloatLE(value));
  }
  text(value) {
    const buffer = Buffer.from(value);
    this.u64(buffer.length);
    this.bytes(buffer);
  }
  pad() {
    this.bytes(Buffer.alloc((32 - (this.#length % 32)) % 32));
  }
  /** u32 for integers, f32 for { f32 }, string, bool, arrays of strings (8) or integers (i32, 5). */
  value(value) {
    if (typeof value === 'string') {
      this.u32(8);
      this.text(value);
    } else if (typeof value === 'boolean') {
      this.u32(7);
      this.bytes(Buffer.from([value ? 1 : 0]));
    } else if (typeof value === 'number') {
      this.u32(4);
      this.u32(value);
    } else if (Array.isArray(value)) {
      this.u32(9);
      this.u32(typeof value[0] === 'string' ? 8 : 5);
      this.u64(value.length);
      for (const item of value) typeof item === 'string' ? this.text(item) : this.u32(item >>> 0);
    } else {
      this.u32(6);
      this.f32(value.f32);
    }
  }
  done() {
    return Buffer.concat(this.#parts);
  }
}

export function tinyGguf({ metadata = {}, seed = 1, edit } = {}) {
  const { tokens, types, merges, eos, imEnd } = vocabulary();
  const pairs = {
    'general.architecture': 'llama',
    'general.name': 'tiny test model',
    'general.file_type': 0,
    'llama.context_length': CONTEXT,
    'llama.embedding_length': WIDTH,
    'llama.block_count': LAYERS,
    'llama.feed_forward_length': FEED_FORWARD,
    'llama.attention.head_count': HEADS,
    'llama.attention.head_count_kv': KV_HEADS,
    'llama.attention.layer_norm_rms_epsilon': { f32: 1e-5 },
    'llama.rope.dimension_count': HEAD,
    'llama.vocab_size': tokens.length,
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
  const entries = Object.entries(pairs).filter(([, value]) => value !== undefined);
  const all = Object.entries(tensors(tokens.length, seed));
  const out = new Writer();
  out.bytes(Buffer.from('GGUF'));
  out.u32(3);
  out.u64(all.length);
  out.u64(entries.length);
  for (const [key, value] of entries) {
    out.text(key);
    out.value(value);
  }
  let offset = 0;
  for (const [name, { shape, values }] of all) {
    out.text(name);
    out.u32(shape.length);
    for (const extent of shape) out.u64(extent);
    out.u32(0); // F32
    out.u64(offset);
    offset += Math.ceil((values.length * 4) / 32) * 32;
  }
  out.pad();
  for (const [name, { values }] of all) {
    edit?.(name, values);
    out.bytes(Buffer.from(values.buffer));
    out.pad();
  }
  return out.done();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , file] = process.argv;
  if (!file) throw new Error('usage: node tiny-gguf.mjs FILE');
  writeFileSync(file, tinyGguf());
}
