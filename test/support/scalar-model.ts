/**
 * The generated model once more, one number at a time in double precision: what the engine says can be held against it.
 * Rounds keys and values to F16, as the cache keeps them.
 */
const HEADS = 4;
const KV_HEADS = 2;
const LAYERS = 2;
const WIDTH = 64;
const HEAD = WIDTH / HEADS;
const EPSILON = 1e-5;
const ROPE_BASE = 10_000;

export type Weights = ReadonlyMap<string, Float32Array>;

export interface ScalarOptions {
  /** Which numbers of a head rotate together: `pairs` are neighbours (llama), `halves` are half a head apart (qwen3). */
  readonly rope: 'pairs' | 'halves';
}

type Vector = number[];

const dot = (a: Vector, b: Vector): number => a.reduce((sum, x, i) => sum + x * (b[i] ?? NaN), 0);
const chunks = (x: Vector, n: number): Vector[] =>
  Array.from({ length: n }, (_, i) => x.slice((i * x.length) / n, ((i + 1) * x.length) / n));

/** Natural log of the softmax over all of `logits`. */
export function logSoftmax(logits: Vector): Vector {
  const highest = Math.max(...logits);
  const total = highest + Math.log(logits.reduce((sum, x) => sum + Math.exp(x - highest), 0));
  return logits.map((x) => x - total);
}

/** @returns [tokens][vocabulary] raw logits after each token */
export function scalarLogits(weights: Weights, tokens: ArrayLike<number>, { rope }: ScalarOptions): Vector[] {
  const weight = (name: string): Vector => Array.from(weights.get(`${name}.weight`) ?? []);
  const times = (name: string, x: Vector): Vector => {
    const matrix = weight(name);
    return Array.from({ length: matrix.length / x.length }, (_, row) =>
      dot(matrix.slice(row * x.length, (row + 1) * x.length), x),
    );
  };
  const norm = (name: string, x: Vector): Vector => {
    const scale = 1 / Math.sqrt(dot(x, x) / x.length + EPSILON);
    return x.map((value, i) => value * scale * (weight(name)[i] ?? 1));
  };
  const rotate = (x: Vector, position: number): Vector => {
    const turned = [...x];
    for (let i = 0; i < HEAD / 2; i++) {
      const [a, b] = rope === 'pairs' ? [2 * i, 2 * i + 1] : [i, i + HEAD / 2];
      const angle = position * ROPE_BASE ** ((-2 * i) / HEAD);
      turned[a] = (x[a] ?? 0) * Math.cos(angle) - (x[b] ?? 0) * Math.sin(angle);
      turned[b] = (x[a] ?? 0) * Math.sin(angle) + (x[b] ?? 0) * Math.cos(angle);
    }
    return turned;
  };
  const heads = (name: string, x: Vector, count: number, position: number): Vector[] =>
    chunks(times(name, x), count).map((head) =>
      rotate(weights.has(`${name}_norm.weight`) ? norm(`${name}_norm`, head) : head, position),
    );

  let states = Array.from(tokens, (token) => weight('token_embd').slice(token * WIDTH, (token + 1) * WIDTH));
  for (let layer = 0; layer < LAYERS; layer++) {
    const at = (name: string): string => `blk.${layer}.${name}`;
    const inputs = states.map((x) => norm(at('attn_norm'), x));
    const keys = inputs.map((x, position) => heads(at('attn_k'), x, KV_HEADS, position).map((head) => head.map(half)));
    const values = inputs.map((x) => chunks(times(at('attn_v'), x).map(half), KV_HEADS));
    states = inputs.map((x, position) => {
      const attended = heads(at('attn_q'), x, HEADS, position).flatMap((query, h) => {
        const shared = Math.floor((h * KV_HEADS) / HEADS);
        const scores = keys.slice(0, position + 1).map((key) => dot(query, key[shared] ?? []) / Math.sqrt(HEAD));
        const shares = logSoftmax(scores).map(Math.exp);
        return Array.from({ length: HEAD }, (_, i) =>
          dot(
            shares,
            values.slice(0, position + 1).map((value) => value[shared]?.[i] ?? NaN),
          ),
        );
      });
      const state = times(at('attn_output'), attended).map((value, i) => value + (states[position]?.[i] ?? NaN));
      const input = norm(at('ffn_norm'), state);
      const up = times(at('ffn_up'), input);
      const inner = times(at('ffn_gate'), input).map((gate, i) => (gate / (1 + Math.exp(-gate))) * (up[i] ?? NaN));
      return times(at('ffn_down'), inner).map((value, i) => value + (state[i] ?? NaN));
    });
  }
  return states.map((x) => times('output', norm('output_norm', x)));
}

/** Nearest number of half precision; ties to even. */
function half(x: number): number {
  if (x === 0) return 0;
  const exponent = Math.max(-14, Math.floor(Math.log2(Math.abs(x))));
  const step = 2 ** (exponent - 10);
  const scaled = x / step;
  const below = Math.floor(scaled);
  const rest = scaled - below;
  return (rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below) * step;
}
