/** Writes a GGUF with random weights, real dimensions and a real vocabulary: speed does not depend on weights. */
import { randomFillSync } from 'node:crypto';
import { closeSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';

/** GGUF value types of ggml-org/ggml docs/gguf.md. */
const UINT32 = 4;
const FLOAT32 = 6;
const STRING = 8;
const ARRAY = 9;
const SCALAR_BYTES = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 };
/** ggml tensor types, and bytes for 32 elements. */
const F32 = { id: 0, bytes: 128 };
/** `scale`: half-precision factor of a block of random bytes whose weights then have a standard deviation near 0.02. */
const WEIGHTS = {
  Q4_0: { id: 2, bytes: 18, scale: 0x1c72 }, // 4.34e-3 × (0 … 15 - 8)
  Q8_0: { id: 8, bytes: 34, scale: 0x0c6c }, // 2.70e-4 × (-128 … 127)
};
const ALIGNMENT = 32;

/**
 * @typedef {object} Shape
 * @property {'llama' | 'qwen2'} architecture qwen2 has biases on query, key and value
 * @property {number} layers
 * @property {number} width
 * @property {number} heads
 * @property {number} kvHeads
 * @property {number} feedForward
 * @property {number} context tokens
 * @property {number} ropeBase
 */

/**
 * All matrices in one type, embeddings too, which are the output layer as well.
 *
 * @param {string} path file to write
 * @param {string} vocabulary a vocabulary-only GGUF of llama.cpp's `models/` folder
 * @param {Shape} shape
 * @param {keyof typeof WEIGHTS} type of the matrices
 */
export function writeRandomModel(path, vocabulary, shape, type) {
  const { entries, tokens } = tokenizerEntries(readFileSync(vocabulary));
  const { architecture, layers, width, heads, kvHeads, feedForward, context, ropeBase } = shape;
  const matrix = WEIGHTS[type];
  const kvWidth = (width / heads) * kvHeads;
  const metadata = [
    entry('general.architecture', STRING, string(architecture)),
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
    }).map(([key, value]) => entry(`${architecture}.${key}`, UINT32, uint32(value))),
    entry(`${architecture}.attention.layer_norm_rms_epsilon`, FLOAT32, float32(1e-5)),
    entry(`${architecture}.rope.freq_base`, FLOAT32, float32(ropeBase)),
    ...entries,
  ];
  const tensors = [tensor('token_embd.weight', matrix, width, tokens), tensor('output_norm.weight', F32, width)];
  for (let i = 0; i < layers; i++) {
    tensors.push(
      tensor(`blk.${i}.attn_norm.weight`, F32, width),
      tensor(`blk.${i}.attn_q.weight`, matrix, width, width),
      tensor(`blk.${i}.attn_k.weight`, matrix, width, kvWidth),
      tensor(`blk.${i}.attn_v.weight`, matrix, width, kvWidth),
      tensor(`blk.${i}.attn_output.weight`, matrix, width, width),
      ...(architecture === 'qwen2'
        ? [
            tensor(`blk.${i}.attn_q.bias`, F32, width),
            tensor(`blk.${i}.attn_k.bias`, F32, kvWidth),
            tensor(`blk.${i}.attn_v.bias`, F32, kvWidth),
          ]
        : []),
      tensor(`blk.${i}.ffn_norm.weight`, F32, width),
      tensor(`blk.${i}.ffn_gate.weight`, matrix, width, feedForward),
      tensor(`blk.${i}.ffn_up.weight`, matrix, width, feedForward),
      tensor(`blk.${i}.ffn_down.weight`, matrix, feedForward, width),
    );
  }
  const unfinished = `${path}.part`;
  const file = openSync(unfinished, 'w');
  let written = 0;
  const write = (buffer) => {
    for (let done = 0; done < buffer.length; ) done += writeSync(file, buffer, done);
    written += buffer.length;
  };
  const pad = () => write(Buffer.alloc((ALIGNMENT - (written % ALIGNMENT)) % ALIGNMENT));
  write(Buffer.concat([Buffer.from('GGUF'), uint32(3), uint64(tensors.length), uint64(metadata.length), ...metadata]));
  let offset = 0;
  for (const { name, type, shape: dimensions, bytes } of tensors) {
    write(
      Buffer.concat([
        string(name),
        uint32(dimensions.length),
        ...dimensions.map(uint64),
        uint32(type.id),
        uint64(offset),
      ]),
    );
    offset += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
  }
  pad();
  for (const {
    name,
    type: { scale },
    bytes,
  } of tensors) {
    if (scale !== undefined) write(randomBlocks(bytes, matrix));
    else write(name.endsWith('.bias') ? Buffer.alloc(bytes) : ones(bytes));
    pad();
  }
  closeSync(file);
  renameSync(unfinished, path);
}

function tensor(name, type, ...shape) {
  return { name, type, shape, bytes: (shape.reduce((a, b) => a * b, 1) / 32) * type.bytes };
}

/** Blocks of a half-precision scale and 32 random weights. */
function randomBlocks(bytes, { bytes: block, scale }) {
  const data = Buffer.allocUnsafe(bytes);
  for (let at = 0; at < bytes; at += 1 << 30) randomFillSync(data, at, Math.min(1 << 30, bytes - at));
  for (let at = 0; at < bytes; at += block) data.writeUInt16LE(scale, at);
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
