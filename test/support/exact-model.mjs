/**
 * Models of the architectures llama and qwen3 in plain loops of F64: what their log-probabilities are before any
 * processor has rounded them, and how far rounding may move them. Written from the papers (RMSNorm arXiv 1910.07467,
 * rotary positions 2104.09864, SwiGLU 2002.05202, grouped queries 2305.13245, Qwen3 2505.09388), not from llama.cpp.
 */

export const ROUNDINGS = {
  f32: { input: 'f32', cache: 'f32', sum: 'f32' },
  f16Cache: { input: 'f32', cache: 'f16', sum: 'f32' },
  f16: { input: 'f16', cache: 'f16', sum: 'f32' },
  f16Summed: { input: 'f16', cache: 'f16', sum: 'f16' },
};

/** A number is moved by at most this part of itself. */
const UNIT = { f32: 2 ** -24, f16: 2 ** -11 };

/** The nearest that can be kept. F16: Veltkamp's splitting leaves 11 of 53 bits, and no step is below 2^-24. */
const nearest = {
  f32: Math.fround,
  f16: (value) => {
    if (Math.abs(value) < 2 ** -14) return value + 1.5 * 2 ** 28 - 1.5 * 2 ** 28;
    const shifted = (2 ** 42 + 1) * value;
    return shifted - (shifted - value);
  },
};

/**
 * A vector register holds as many running sums at least (4 of F32 in SSE, 8 of F16 in NEON); fewer and longer ones err
 * more.
 */
const LANES = 4;

export class ExactModel {
  #tensors;
  #shape;

  constructor({ pairs, tensors }) {
    const architecture = pairs['general.architecture'];
    if (architecture !== 'llama' && architecture !== 'qwen3')
      throw new Error(`the architecture ${architecture} is not known here`);
    const number = (name, fallback) => {
      const value = pairs[`${architecture}.${name}`];
      const found = typeof value === 'object' ? value.f32 : (value ?? fallback);
      if (found === undefined) throw new Error(`the model does not say its ${name}`);
      return found;
    };
    this.#tensors = tensors;
    const [width, heads] = [number('embedding_length'), number('attention.head_count')];
    const [layers, kvHeads] = [number('block_count'), number('attention.head_count_kv', heads)];
    const [epsilon, base] = [number('attention.layer_norm_rms_epsilon'), number('rope.freq_base', 10_000)];
    const head = width / heads;
    // The numbers of a rotary pair lie side by side in llama, half a head apart in qwen3.
    this.#shape = {
      width,
      layers,
      heads,
      kvHeads,
      head,
      epsilon,
      base,
      apart: architecture === 'llama' ? 1 : head / 2,
    };
  }

  logprobs(tokens, at, places = tokens.map((_, i) => i)) {
    return this.#logits(tokens, at, places, undefined).map(logSoftmax);
  }

  rounded(tokens, at, roundings, seed) {
    const places = tokens.map((_, i) => i);
    return this.#logits(tokens, at, places, { ...roundings, random: mulberry32(seed) }).map(logSoftmax);
  }

  #values(name) {
    const tensor = this.#tensors[name];
    if (!tensor) throw new Error(`the model has no ${name}`);
    return tensor.values;
  }

  /** @param noise roundings, each as large as in truth but in a random direction; undefined: none */
  #logits(tokens, at, places, noise) {
    const { width, layers, heads, kvHeads, head, epsilon, base, apart } = this.#shape;
    const embeddings = this.#values('token_embd.weight');
    const turns = places.map((place) => angles(place, head, base, noise));
    let stream = tokens.map((token) => Float64Array.from(embeddings.subarray(token * width, (token + 1) * width)));
    for (let layer = 0; layer < layers; layer++) {
      const name = (part) => `blk.${layer}.${part}.weight`;
      const times = (part, rows) => product(this.#values(name(part)), rows, noise);
      const cached = (rows) => rows.map((row) => kept(row, noise?.cache, noise));
      const turned = (part, rows) =>
        cached(rows.map((row, i) => rotate(this.#headNorm(row, name(part)), turns[i], apart)));
      const before = stream.map((row) => norm(row, this.#values(name('attn_norm')), epsilon));
      const [queries, keys] = [
        turned('attn_q_norm', times('attn_q', before)),
        turned('attn_k_norm', times('attn_k', before)),
      ];
      const mixed = attend(queries, keys, cached(times('attn_v', before)), { heads, kvHeads, head }, noise);
      stream = sums(stream, times('attn_output', mixed));
      const input = stream.map((row) => norm(row, this.#values(name('ffn_norm')), epsilon));
      const up = times('ffn_up', input);
      const gated = times('ffn_gate', input).map((gates, i) =>
        gates.map((gate, j) => (gate / (1 + Math.exp(-gate))) * up[i][j]),
      );
      stream = sums(stream, times('ffn_down', gated));
    }
    const last = at.map((i) => norm(stream[i], this.#values('output_norm.weight'), epsilon));
    const output = this.#tensors['cls.output.weight'] ?? this.#tensors['output.weight'];
    return product(output?.values ?? embeddings, last, noise);
  }

  /** Each head of a query or key by itself, where the model has a gain for it. */
  #headNorm(row, gain) {
    const values = this.#tensors[gain]?.values;
    if (!values) return row;
    const { head, epsilon } = this.#shape;
    const out = new Float64Array(row.length);
    for (let at = 0; at < row.length; at += head) out.set(norm(row.subarray(at, at + head), values, epsilon), at);
    return out;
  }
}

/** Evenly over [-1, 1). */
function mulberry32(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2147483648 - 1;
  };
}

export function logSoftmax(logits) {
  const most = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const all = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0)) + most;
  return logits.map((logit) => logit - all);
}

const sums = (a, b) => a.map((row, i) => row.map((value, j) => value + b[i][j]));

/** value + or - what its rounding errs by */
const moved = (value, type, noise) => value + (noise.random() < 0 ? -1 : 1) * (value - nearest[type](value));

const kept = (row, type, noise) => (noise ? row.map((value) => moved(value, type, noise)) : row);

const squares = (row) => row.reduce((sum, value) => sum + value * value, 0);

function norm(row, gain, epsilon) {
  const scale = 1 / Math.sqrt(squares(row) / row.length + epsilon);
  return row.map((value, i) => value * scale * gain[i]);
}

/** matrix × each vector. matrix: [rows][columns], vectors: [count][columns] → [count][rows] */
function product(matrix, vectors, noise) {
  const columns = vectors[0].length;
  const rows = matrix.length / columns;
  const sizes = noise && rowSizes(matrix, columns);
  return vectors.map((vector) => {
    const input = kept(vector, noise?.input, noise);
    const out = new Float64Array(rows);
    for (let row = 0; row < rows; row++) out[row] = dot(matrix, row * columns, input);
    if (noise) {
      // As if the input's numbers were all of one size: the sizes of all products would take as long as the products.
      const unit = sumError(Math.sqrt(squares(input) / columns), columns, noise.sum);
      for (let row = 0; row < rows; row++) out[row] += unit * sizes[row] * noise.random();
    }
    return out;
  });
}

const sizesOf = new WeakMap();
/** ‖row‖ of each row. */
function rowSizes(matrix, columns) {
  let sizes = sizesOf.get(matrix);
  if (!sizes) {
    sizes = Float64Array.from({ length: matrix.length / columns }, (_, row) =>
      Math.sqrt(squares(matrix.subarray(row * columns, (row + 1) * columns))),
    );
    sizesOf.set(matrix, sizes);
  }
  return sizes;
}

/** a[at, at + b.length) · b, of lengths that 4 divides: four sums at a time take half as long as one. */
function dot(a, at, b) {
  let [first, second, third, fourth] = [0, 0, 0, 0];
  for (let i = 0; i < b.length; i += 4) {
    first += a[at + i] * b[i];
    second += a[at + i + 1] * b[i + 1];
    third += a[at + i + 2] * b[i + 2];
    fourth += a[at + i + 3] * b[i + 3];
  }
  return first + second + third + fourth;
}

/**
 * √3 deviations of the error that a running sum has when it is rounded after each of `n` additions, in the lanes of a
 * register: unit × √(n / 2·lanes) × size, for terms of random signs (Higham and Mary, doi 10.1137/18M1226312).
 *
 * @param size root of the sum of the terms' squares
 */
const sumError = (size, n, type) => UNIT[type] * Math.sqrt(n / (2 * LANES)) * size;

/** Cosine and sine for each pair of a head. llama.cpp multiplies the angle by one factor from pair to pair, in F32. */
function angles(place, head, base, noise) {
  const round = (value) => (noise ? moved(value, 'f32', noise) : value);
  const factor = round(base ** (-2 / head));
  let angle = place;
  return Array.from({ length: head / 2 }, () => {
    const turn = [Math.cos(angle), Math.sin(angle)];
    angle = round(angle * factor);
    return turn;
  });
}

/** Turns the pairs of each head. row: [heads × head], turns: [head / 2] */
function rotate(row, turns, apart) {
  const out = new Float64Array(row.length);
  for (let start = 0; start < row.length; start += 2 * turns.length) {
    turns.forEach(([cosine, sine], pair) => {
      const i = start + (apart === 1 ? 2 * pair : pair);
      out[i] = row[i] * cosine - row[i + apart] * sine;
      out[i + apart] = row[i] * sine + row[i + apart] * cosine;
    });
  }
  return out;
}

/**
 * softmax(query · keys / √head) · values for each head, over the tokens before and at the query's. queries:
 * [tokens][heads × head]
 */
function attend(queries, keys, values, { heads, kvHeads, head }, noise) {
  return queries.map((row, last) => {
    const out = new Float64Array(row.length);
    for (let h = 0; h < heads; h++) {
      const query = row.subarray(h * head, (h + 1) * head);
      const from = Math.floor((h * kvHeads) / heads) * head;
      const scores = new Float64Array(last + 1);
      for (let k = 0; k <= last; k++) {
        scores[k] = dot(keys[k], from, query);
        if (noise) {
          let size = 0;
          for (let i = 0; i < head; i++) size += (keys[k][from + i] * query[i]) ** 2;
          scores[k] += sumError(Math.sqrt(size), head, noise.sum) * noise.random();
        }
        scores[k] /= Math.sqrt(head);
      }
      const most = scores.reduce((a, b) => Math.max(a, b), -Infinity);
      const shares = scores.map((score) => Math.exp(score - most));
      const all = shares.reduce((a, b) => a + b, 0);
      for (let i = 0; i < head; i++) {
        let total = 0;
        let running = 0; // squares of the sum so far, which is rounded after every token
        for (let k = 0; k <= last; k++) {
          total += shares[k] * values[k][from + i];
          running += total * total;
        }
        if (noise) total += UNIT[noise.cache] * Math.sqrt(running) * noise.random();
        out[h * head + i] = total / all;
      }
    }
    return out;
  });
}
