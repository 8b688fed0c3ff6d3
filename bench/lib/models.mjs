/**
 * Models that the engine's benchmark can use: random weights in the dimensions of real ones, and the one that ships.
 */
import { existsSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { BenchError } from './bench-error.mjs';
import { peerFolder, peerSource } from './peers.mjs';
import { writeRandomModel } from './random-model.mjs';
import { root } from './record.mjs';

/**
 * Of the model cards, but for SmolLM2's vocabulary: the bundle has none of its own, so it gets Llama 3's, which is
 * larger.
 */
const SHAPES = {
  smol: {
    like: 'SmolLM2-135M',
    vocabulary: 'llama-bpe',
    architecture: 'llama',
    layers: 30,
    width: 576,
    heads: 9,
    kvHeads: 3,
    feedForward: 1536,
    context: 8192,
    ropeBase: 100_000,
  },
  qwen: {
    like: 'Qwen2.5-0.5B',
    vocabulary: 'qwen2',
    architecture: 'qwen2',
    layers: 24,
    width: 896,
    heads: 14,
    kvHeads: 2,
    feedForward: 4864,
    context: 32_768,
    ropeBase: 1_000_000,
  },
  llama: {
    like: 'Llama-3.2-1B',
    vocabulary: 'llama-bpe',
    architecture: 'llama',
    layers: 16,
    width: 2048,
    heads: 32,
    kvHeads: 8,
    feedForward: 8192,
    context: 131_072,
    ropeBase: 500_000,
  },
};
const TYPES = { q4: 'Q4_0', q8: 'Q8_0' };
/** training/tiny/model.py */
const SHIPPED = { like: 't1-tiny', vocabulary: 't1-tiny', layers: 5, width: 192, heads: 3, kvHeads: 3 };

export const MODEL_NAMES = [
  ...Object.keys(SHAPES).flatMap((shape) => Object.keys(TYPES).map((type) => `${shape}-${type}`)),
  'tiny',
];

/**
 * @typedef {object} Model
 * @property {string} name
 * @property {string} path
 * @property {object} card what the record says of it
 * @property {number} bytes
 * @property {number} lowestToken ids from here up to `highestToken` are plain text in its vocabulary
 * @property {number} highestToken
 * @property {number} temperature at which it ends no sequence by itself, but for chance
 * @property {number | undefined} threads more than these are no gain
 * @property {number | undefined} kvBytes of one token, F16; undefined where nobody says
 */

/** @param {string} name of `MODEL_NAMES`, or a GGUF file @returns {Model} with its file on the disk */
export function prepareModel(name) {
  checkModel(name);
  if (isFile(name)) return real(name);
  return name === 'tiny' ? shipped() : random(name);
}

/** @throws BenchError for a name that is none, or a file that is not there */
export function checkModel(name) {
  if (isFile(name) ? existsSync(name) : MODEL_NAMES.includes(name)) return;
  throw new BenchError(
    isFile(name)
      ? `--models: no file ${name}`
      : `--models: no model named '${name}'; there are ${MODEL_NAMES.join(', ')}, all of them with 'all', and GGUF files`,
  );
}

const isFile = (name) => name.endsWith('.gguf');

/** A user's own: random prompts of its plain tokens, sampled so that it ends none by itself. */
function real(path) {
  const name = basename(path, '.gguf');
  const bytes = statSync(path).size;
  return {
    name,
    path: resolve(path),
    bytes,
    card: { like: name, weights: 'its own', bytes },
    lowestToken: 1000,
    highestToken: 30_000,
    temperature: 20,
    threads: undefined,
    kvBytes: undefined,
  };
}

function shipped() {
  const path = join(root, 'models', 't1-tiny.gguf');
  const bytes = statSync(path).size;
  // Trained, so that it would end by itself: at this temperature its distribution is nearly flat.
  return {
    name: 'tiny',
    path,
    bytes,
    card: { ...SHIPPED, weights: 'as shipped', bytes },
    lowestToken: 300,
    highestToken: 3800,
    temperature: 20,
    threads: 1,
    kvBytes: kvBytes(SHIPPED),
  };
}

function random(name) {
  const [shapeName, typeName] = name.split('-');
  const { like, vocabulary, ...shape } = SHAPES[shapeName];
  const type = TYPES[typeName];
  const path = join(peerFolder, `random-${name}.gguf`);
  if (!existsSync(path)) {
    process.stderr.write(`writing ${name} …\n`);
    writeRandomModel(path, join(peerSource(), 'models', `ggml-vocab-${vocabulary}.gguf`), shape, type);
  }
  const bytes = statSync(path).size;
  const card = { like, weights: `random ${type}, embeddings too`, vocabulary, ...shape, bytes };
  return {
    name,
    path,
    bytes,
    card,
    lowestToken: 1000,
    highestToken: 100_000,
    temperature: 0.8,
    threads: undefined,
    kvBytes: kvBytes(shape),
  };
}

/** Keys and values of one token in all layers, two bytes each. */
function kvBytes({ layers, width, heads, kvHeads }) {
  return layers * 2 * 2 * (width / heads) * kvHeads;
}
