/**
 * What the stages read. Which verifier, reward and selection there are stands in `solve-settings.ts`, above the stages.
 */
import { z } from 'zod';
import { message, named } from '../message.js';
import { aggregation } from '../reward/entry.js';
import { rules } from '../verify/opinion-rules.js';
import { MAX_SAMPLES, MAX_SEED } from './limits.js';
import { keysOf, type SettingTable, type Settled } from './setting.js';

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

export const toolSettings = {
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
  toolTimeoutMs: {
    type: z.int().min(1).max(3_600_000).default(30_000),
    group: 'Tool',
    help: 'time limit of a call of your own tool; it says nothing of the solution then',
    unit: 'ms',
    flag: 'tool-timeout',
  },
  toolCalls: {
    type: z.int().min(1).max(4096).default(16),
    group: 'Tool',
    help: 'calls of your own tool at the same time, those included that did not end in time and still run',
    unit: 'calls',
  },
} satisfies SettingTable;

export const knowledgeSettings = {
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
} satisfies SettingTable;

export const rewardSettings = {
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
} satisfies SettingTable;

/** As a stage gets them. A new setting of a stage is one entry above. */
export type StageSettings = Readonly<
  Settled<typeof samplingSettings> &
    Settled<typeof toolSettings> &
    Settled<typeof knowledgeSettings> &
    Settled<typeof rewardSettings>
>;
