/** How a problem is solved. Paper: arXiv 2504.04718. */
import { z } from 'zod';
import { message, named } from '../message.js';
import { aggregation } from '../reward/entry.js';
import { rewardModels } from '../reward/reward.js';
import { selectors } from '../select/select.js';
import { rules } from '../verify/opinion-rules.js';
import type { Tool } from '../verify/tool.js';
import { verifiers } from '../verify/verify.js';
import { MAX_SAMPLES, MAX_SEED } from './limits.js';
import type { SettingTable } from './setting.js';

const keysOf = <T extends object>(map: T) => z.enum(Object.keys(map) as [keyof T & string, ...(keyof T & string)[]]);

const isTool = (value: unknown): value is Tool => typeof value === 'object' && value !== null && 'verify' in value;

/** As they are shown and asked for: the order is that of the help. */
export const samplingSettings = {
  samples: {
    type: z.int().min(1).max(MAX_SAMPLES).default(16),
    group: 'Sampling',
    help: message`N, the candidates to sample (llama.cpp's -n counts tokens: that is ${named('maxTokens')})`,
    unit: 'candidates',
    flag: 'n-samples',
    alias: 'n',
  },
  seed: {
    type: z.int().min(0).max(MAX_SEED).default(0),
    group: 'Sampling',
    help: 'sample i uses a seed mixed from this and i',
    alias: 's',
  },
  temperature: {
    type: z.number().min(0).max(100).default(0.8),
    group: 'Sampling',
    help: "of the candidates; 0 is greedy, the paper's is 0.8",
    flag: 'temp',
  },
  topK: {
    type: z.int().min(0).max(1_000_000).default(0),
    group: 'Sampling',
    help: 'sample from the k likeliest tokens; 0 keeps the whole vocabulary',
    unit: 'tokens',
  },
  topP: {
    type: z.number().gt(0).max(1).default(1),
    group: 'Sampling',
    help: 'sample from the likeliest tokens that reach this probability together; 1 is off',
  },
  minP: {
    type: z.number().min(0).max(1).default(0),
    group: 'Sampling',
    help: 'leave out tokens below this share of the likeliest; 0 is off',
  },
  maxTokens: {
    type: z.int().min(1).max(1_000_000).optional(),
    group: 'Sampling',
    help: 'most new tokens of a candidate',
    unit: 'tokens',
    absent: "the model profile's",
  },
} satisfies SettingTable;

export const solveSettings = {
  ...samplingSettings,
  budget: {
    type: z.enum(['fixed', 'adaptive']).default('fixed'),
    group: 'Budget',
    help: 'adaptive: stops when the answer that leads is settled',
  },
  confidence: {
    type: z.number().min(0.5).max(1).default(0.95),
    group: 'Budget',
    help: 'with which an adaptive budget takes the leader for the winner; 1: only when it cannot be overtaken',
  },
  verifier: {
    type: z.union([keysOf(verifiers), z.custom<Tool>(isTool)]).default('math'),
    json: keysOf(verifiers).default('math'),
    group: 'Tool',
    help: 'what refutes candidates: a built-in one, or a tool of your own',
    expects: `be one of ${Object.keys(verifiers).join(', ')}, or a tool of your own`,
    recorded: (verifier) => (isTool(verifier) ? `${verifier.name} ${verifier.version}` : verifier),
  },
  programs: {
    type: z.int().min(1).max(64).optional(),
    group: 'Tool',
    help: 'k, the checking programs for each candidate (paper: 4)',
    unit: 'programs',
    absent: "the model profile's",
  },
  programTimeoutMs: {
    type: z.int().min(1).max(600_000).default(2000),
    group: 'Tool',
    help: 'time limit of a program',
    unit: 'ms',
    flag: 'program-timeout',
  },
  programRule: {
    type: keysOf(rules).default('any'),
    group: 'Tool',
    help: "how many of a candidate's programs must print True; the paper's is any",
  },
  unknown: {
    type: z.enum(['fail', 'pass']).default('fail'),
    group: 'Tool',
    help: "what a candidate counts as of which the tool says nothing; the paper's is fail",
  },
  index: {
    type: z.string().min(1).default('factbook'),
    group: 'Knowledge',
    help: 'knowledge index that solutions are checked against: its name (t1 index list), or a path',
  },
  passages: {
    type: z.int().min(1).max(100).default(3),
    group: 'Knowledge',
    help: "passages for each solution; the paper's 3",
    unit: 'passages',
  },
  bm25: {
    flagPrefix: 'bm25-',
    parts: {
      k1: {
        type: z.number().min(0).max(1000).optional(),
        group: 'Knowledge',
        help: 'BM25: how long more of the same word counts',
        absent: "the index's",
      },
      b: {
        type: z.number().min(0).max(1).optional(),
        group: 'Knowledge',
        help: 'BM25: how much long passages are held back',
        absent: "the index's",
      },
    },
  },
  checks: {
    type: z.int().min(1).max(64).optional(),
    group: 'Knowledge',
    help: 'm, the fact checks for each candidate (paper: 4)',
    unit: 'checks',
    absent: "the model profile's",
  },
  checkRule: {
    type: keysOf(rules).default('all'),
    group: 'Knowledge',
    help: "how many of them must say Yes; the paper's is all",
  },
  reward: {
    type: z.enum(['auto', ...keysOf(rewardModels).options]).default('auto'),
    group: 'Reward',
    help: 'yes-no: read at once; genrm: after rationales; prm: of each step; classifier: its own head; auto: what the model was made for, else yes-no',
  },
  rewardEntry: {
    type: z.string().min(1).optional(),
    group: 'Reward',
    help: 'JSON file that says what the reward model is asked, and where its answer is read',
    absent: "models/rewards, by the model's name",
  },
  aggregation: {
    type: aggregation.optional(),
    group: 'Reward',
    help: 'how step scores become one (paper: last)',
    absent: "the reward model's",
  },
  rationales: {
    type: z.int().min(1).max(256).optional(),
    group: 'Reward',
    help: 'rationales for each candidate, where the reward is read from some (paper: 8)',
    unit: 'rationales',
    absent: "the model profile's",
  },
  rationaleScore: {
    type: z.enum(['probability', 'vote']).default('probability'),
    group: 'Reward',
    help: 'what a rationale counts: P(Yes) at its verdict (paper, eq. 2), or 1 or 0',
  },
  adapterReward: {
    type: z.string().min(1).optional(),
    group: 'Reward',
    help: 'name of the adapter that the reward is read with, of the engine that the reward asks',
    absent: 'the base model',
    flag: false,
  },
  adapterTool: {
    type: z.string().min(1).optional(),
    group: 'Tool',
    help: "name of the engine's adapter that writes the checking programs",
    absent: 'the base model',
    flag: false,
  },
  select: {
    type: keysOf(selectors).default('weighted'),
    group: 'Answer',
    help: 'how the answer is chosen',
  },
  fallback: {
    type: z.enum(['reward', 'majority', 'abstain']).default('reward'),
    group: 'Answer',
    help: 'what decides when no candidate passes the tool (unstated in the paper)',
  },
} satisfies SettingTable;
