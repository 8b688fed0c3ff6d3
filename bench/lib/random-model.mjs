/** Writes a llama-architecture GGUF with random Q8_0 weights and a real vocabulary: speed does not depend on weights. */
import { randomFillSync } from 'node:crypto';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

/** GGUF value types of ggml-org/ggml docs/gguf.md. */
const UINT32 = 4;
const FLOAT32 = 6;
const STRING = 8;
const ARRAY = 9;
const SCALAR_BYTES = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 };
/** ggml tensor types, and bytes for 32 elements. */
const F32 = { id: 0, bytes: 128 };
const Q8_0 = { id: 8, bytes: 34 };
const ALIGNMENT = 32;

/** SmolLM2-135M, but for the vocabulary. */
export const SMOL_SHAPE = { layers: 30, width: 576, heads: 9, kvHeads: 3, feedForward: 1536, context: 8192 };

/**
 * @param {string} path file to write
 * @param {string} vocabulary a vocabulary-only GGUF of llama.cpp's `models/` folder
 * @param {typeof SMOL_SHAPE} shape
 */
export function writeRandomModel(path, vocabulary, shape) {
  const { entries, tokens } = tokenizerEntries(readFileSync(vocabulary));
  const { layers, width, heads, kvHeads, feedForward, context } = shape;
  const kvWidth = (width / heads) * kvHeads;
  const metadata = [
    entry('general.architecture', STRING, string('llama')),
    entry('general.name', STRING, string('random weights')),
    ...Object.entries({
      block_count: layers,
      context_length: context,
      embedding_length: width,
      feed_forward_length: feedForward,
      'attention.head_count': heads,
      'attention.head_count_kv': kvHeads,
      'rope.dimension_count': width / heads,
      vocab_size: tokens,
    }).map(([key, value]) => entry(`llama.${key}`, UINT32, uint32(value))),
    entry('llama.attention.layer_norm_rms_epsilon', FLOAT32, float32(1e-5)),
    entry('llama.rope.freq_base', FLOAT32, float32(100_000)),
    ...entries,
  ];
  const tensors = [tensor('token_embd.weight', Q8_0, width, tokens), tensor('output_norm.weight', F32, width)];
  for (let i = 0; i < layers; i++) {
    tensors.push(
      tensor(`blk.${i}.attn_norm.weight`, F32, width),
      tensor(`blk.${i}.attn_q.weight`, Q8_0, width, width),
      tensor(`blk.${i}.attn_k.weight`, Q8_0, width, kvWidth),
      tensor(`blk.${i}.attn_v.weight`, Q8_0, width, kvWidth),
      tensor(`blk.${i}.attn_output.weight`, Q8_0, width, width),
      tensor(`blk.${i}.ffn_norm.weight`, F32, width),
      tensor(`blk.${i}.ffn_gate.weight`, Q8_0, width, feedForward),
      tensor(`blk.${i}.ffn_up.weight`, Q8_0, width, feedForward),
      tensor(`blk.${i}.ffn_down.weight`, Q8_0, feedForward, width),
    );
  }
  const file = openSync(path, 'w');
  let written = 0;
  const write = (buffer) => {
    for (let done = 0; done < buffer.length; ) done += writeSync(file, buffer, done);
    written += buffer.length;
  };
  const pad = () => write(Buffer.alloc((ALIGNMENT - (written % ALIGNMENT)) % ALIGNMENT));
  write(Buffer.concat([Buffer.from('GGUF'), uint32(3), uint64(tensors.length), uint64(metadata.length), ...metadata]));
  let offset = 0;
  for (const { name, type, shape: dimensions, bytes } of tensors) {
    write(Buffer.concat([string(name), uint32(dimensions.length), ...dimensions.map(uint64), uint32(type.id), uint64(offset)]));
    offset += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
  }
  pad();
  for (const { type, bytes } of tensors) {
    write(type === F32 ? ones(bytes) : randomBlocks(bytes));
    pad();
  }
  closeSync(file);
}

function tensor(name, type, ...shape) {
  return { name, type, shape, bytes: (shape.reduce((a, b) => a * b, 1) / 32) * type.bytes };
}

/** Q8_0 blocks: a half-precision scale of 2.7e-4, then 32 random bytes, so a standard deviation near 0.02. */
function randomBlocks(bytes) {
  const data = Buffer.allocUnsafe(bytes);
  for (let at = 0; at < bytes; at += 1 << 30) randomFillSync(data, at, Math.min(1 << 30, bytes - at));
  for (let at = 0; at < bytes; at += Q8_0.bytes) data.writeUInt16LE(0x0c6c, at);
  return data;
}

function ones(bytes) {
  return Buffer.from(new Float32Array(bytes / 4).fill(1).buffer);
}

const uint32 = (value) => {
  const data = Buffer.alloc(4);
  data.writeUInt32LE(value);
  return data;
};
const uint64 = (value) => {
  const data = Buffer.alloc(8);
  data.writeBigUInt64LE(BigInt(value));
  return data;
};
const float32 = (value) => {
  const data = Buffer.alloc(4);
  data.writeFloatLE(value);
  return data;
};
const string = (text) => Buffer.concat([uint64(Buffer.byteLength(text)), Buffer.from(text)]);
const entry = (key, type, value) => Buffer.concat([string(key), uint32(type), value]);

/** The `tokenizer.*` entries of a GGUF as they are in the file, and how many tokens there are. */
function tokenizerEntries(data) {
  let at = 8;
  const size = () => Number(data.readBigUInt64LE((at += 8) - 8));
  const word = () => data.readUInt32LE((at += 4) - 4);
  const skip = (type) => {
    if (type === STRING) {
      const bytes = size(); // moves `at` itself
      at += bytes;
    } else if (type !== ARRAY) at += SCALAR_BYTES[type];
    else {
      const inner = word();
      const length = size();
      for (let i = 0; i < length; i++) skip(inner);
      return length;
    }
  };
  size(); // tensors: none
  const count = size();
  const entries = [];
  let tokens = 0;
  for (let i = 0; i < count; i++) {
    const start = at;
    const length = size();
    const key = data.toString('utf8', at, (at += length));
    const items = skip(word());
    if (key === 'tokenizer.ggml.tokens') tokens = items;
    if (key.startsWith('tokenizer.')) entries.push(data.subarray(start, at));
  }
  return { entries, tokens };
}
