/**
 * A run that nobody ran: seeded records of the size of a real one (a solution of some 570 tokens and four programs of
 * some 150 for each candidate, as in the paper's table 1). For tests and the bench of the report.
 */
import { randomOf } from '../../bench/lib/statistics.mjs';

export const syntheticManifest = (problems, samples) => ({
  command: ['eval', 'synthetic', '-n', String(samples)],
  configuration: { select: 'weighted', fallback: 'reward', samples },
  task: {
    name: 'synthetic',
    version: 1,
    title: 'Made-up problems',
    source: 'seeded, no model',
    sha256: '0'.repeat(64),
    problems,
  },
  model: { name: 'no model', path: '/of/this/machine/none.gguf', sha256: '0'.repeat(64) },
  engine: 'none',
  hardware: { cpu: 'none' },
  packageVersion: '0.0.0',
  node: process.version,
  startedAt: '2026-01-01T00:00:00.000Z',
});

export const syntheticEffort = { starts: 1, seconds: 1800, joules: 54_000, generatedTokens: 1_000_000 };

/** @yields {object} records */
export function* syntheticRecords({ problems = 500, samples = 64, seed = 1, failed = 0 } = {}) {
  const random = randomOf(seed);
  for (let i = 0; i < problems; i++) {
    if (i < failed)
      yield {
        outcome: 'failed',
        id: `made-${i}`,
        seed: 0,
        problem: problemText(random),
        gold: '1',
        code: 'PROMPT_TOO_LONG',
        message: 'the prompt does not fit',
      };
    else yield solved(random, i, samples);
  }
}

function solved(random, ordinal, samples) {
  const gold = Math.floor(random() * 1000);
  const skill = random();
  const candidates = Array.from({ length: samples }, (_, index) => candidate(random, index, gold, skill));
  for (const each of candidates) each.group = candidates.find(({ answer }) => answer === each.answer).index;
  const { answer, chosen } = heaviest(candidates);
  return {
    outcome: 'solved',
    id: `made-${ordinal}`,
    seed: 0,
    problem: problemText(random),
    gold: String(gold),
    category: ['Algebra', 'Geometry', 'Counting', 'Number Theory', 'Precalculus'][ordinal % 5],
    level: String(1 + (ordinal % 4)),
    answer,
    correct: candidates[chosen]?.correct ?? false,
    verified: candidates[chosen]?.tool.verdict === 'pass',
    chosen,
    candidates,
    greedy: { answer: String(gold), correct: true },
    milliseconds: 1000,
  };
}

/** The largest sum of weights of an answer; the heaviest candidate stands for it. */
function heaviest(candidates) {
  const sums = new Map();
  for (const { answer, weight } of candidates) sums.set(answer, (sums.get(answer) ?? 0) + weight);
  const [answer] = [...sums].reduce((best, sum) => (sum[1] > best[1] ? sum : best));
  const own = candidates.filter((candidate) => candidate.answer === answer);
  return { answer, chosen: own.reduce((best, candidate) => (candidate.weight > best.weight ? candidate : best)).index };
}

function candidate(random, index, gold, skill) {
  const right = random() < skill;
  const value = right ? gold : gold + 1 + Math.floor(random() * 4);
  const passes = random() < (right ? 0.8 : 0.2);
  const reward = Math.min(1, Math.max(0, (right ? 0.6 : 0.4) + (random() - 0.5) * 0.8));
  const steps = Array.from({ length: 9 }, (_, i) => `## Step ${i + 1}: ${sentence(random, 14)}\n${equation(random)}`);
  return {
    index,
    text: `${steps.join('\n\n')}\n\nTherefore, the final answer is: $\\boxed{${value}}$.`,
    finish: 'eog',
    answer: String(value),
    correct: right,
    reward,
    weight: passes ? reward : 0,
    tokens: 574,
    toolTokens: 611,
    rewardTokens: 0,
    tool: {
      verdict: passes ? 'pass' : 'fail',
      programs: Array.from({ length: 4 }, () => ({
        code: program(random, value),
        status: 'ok',
        stdout: passes ? 'True\n' : 'False\n',
      })),
    },
    stepScores: steps.map((text) => ({ text, score: random() })),
  };
}

const WORDS =
  'we first find the number of value sum each side area angle ratio total then let be equal to and therefore since which gives multiply divide both sides by simplify expression equation factor terms using theorem apply formula known distance remaining probability outcomes choose ways integer prime modulo remainder sequence term common difference base height triangle circle radius square root positive'.split(
    ' ',
  );

const sentence = (random, words) =>
  `${Array.from({ length: words }, () => WORDS[Math.floor(random() * WORDS.length)]).join(' ')}.`;
const number = (random) => Math.floor(random() * 900) + 10;
const equation = (random) =>
  `\\[ ${number(random)} \\cdot ${number(random)} + ${number(random)} = ${number(random)} \\]`;
const problemText = (random) => `${sentence(random, 30)} What is ${equation(random)}?`;
const program = (random, value) =>
  `import math\n\n# ${sentence(random, 10)}\n${Array.from({ length: 8 }, (_, i) => `x${i} = ${number(random)} * ${number(random)} - ${number(random)}`).join('\n')}\nresult = math.gcd(x0, x1) + x2 % ${number(random)}\nprint(math.isclose(result, ${value}))\n`;
