/**
 * When to stop sampling a problem. Two rules over what the answers weigh so far:
 *
 * - settled: the leader stays ahead whatever the candidates that are left say. Exact; changes no answer.
 * - confident: Adaptive-Consistency (Aggarwal et al. 2023, arXiv 2305.11860): of the candidates that fall to the
 *   leader or the runner-up, the leader's share is Beta(leader + 1, runnerUp + 1) after a uniform prior; stop when it
 *   lies above ½ with the stated confidence. Votes are counts; with weights tool × reward in 0…1, a candidate is as
 *   much evidence as it weighs, which is our extension and right in so far as rewards are calibrated. The confidence is
 *   a posterior at one look; who looks after every candidate stops too early more often than it says.
 *
 * With tool or tool × reward as weights, refuted candidates weigh 0, so a leader is a verified one, and nothing stops
 * before.
 */
import { betaCdf } from './beta.js';

export interface StoppingOptions {
  /** ½…1; 1 leaves only the exact rule. */
  readonly confidence: number;
  /** Candidates that may still be sampled. */
  readonly left: number;
  /** Most that a candidate can weigh; 1 when absent. */
  readonly most?: number | undefined;
}

export interface Stopping {
  readonly stop: boolean;
  /** `settled`: cannot be overtaken; `confident`: unlikely to be; null to go on. */
  readonly because: 'settled' | 'confident' | null;
  /** P(the leader's share is larger than the runner-up's). */
  readonly confidence: number;
}

/** Sums of rewards differ by rounding from the bound on them; sums of counts do not. */
const ROUNDING = 1e-9;

/**
 * @param weights [distinct answers] what each weighs so far, in the order first seen, which decides ties; ≥ 0
 */
export function stopping(weights: ArrayLike<number>, { confidence, left, most = 1 }: StoppingOptions): Stopping {
  const leader = leaderOf(weights);
  const confident = leadConfidence(weights, leader);
  if (isSettled(weights, leader, left * most)) return { stop: true, because: 'settled', confidence: confident };
  if (leader !== -1 && confidence < 1 && confident >= confidence)
    return { stop: true, because: 'confident', confidence: confident };
  return { stop: false, because: null, confidence: confident };
}

/** @returns the first of the heaviest; −1 when nothing weighs anything */
function leaderOf(weights: ArrayLike<number>): number {
  let [leader, most] = [-1, 0];
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i] ?? 0;
    if (weight > most) [leader, most] = [i, weight];
  }
  return leader;
}

/** @param gain most that one answer can still gain */
function isSettled(weights: ArrayLike<number>, leader: number, gain: number): boolean {
  if (leader === -1) return gain === 0;
  const lead = weights[leader] ?? 0;
  if (lead - gain < slackOf(lead, 0)) return false; // an answer that nobody has seen yet
  for (let i = 0; i < weights.length; i++) {
    if (i === leader) continue;
    const ahead = lead - (weights[i] ?? 0) - gain;
    const slack = slackOf(lead, weights[i] ?? 0);
    if (i < leader ? ahead <= slack : ahead < slack) return false;
  }
  return true;
}

const slackOf = (a: number, b: number): number => (Number.isInteger(a) && Number.isInteger(b) ? 0 : ROUNDING);

function leadConfidence(weights: ArrayLike<number>, leader: number): number {
  if (leader === -1) return 0.5;
  let runnerUp = 0;
  for (let i = 0; i < weights.length; i++) if (i !== leader) runnerUp = Math.max(runnerUp, weights[i] ?? 0);
  return 1 - betaCdf(0.5, (weights[leader] ?? 0) + 1, runnerUp + 1);
}
