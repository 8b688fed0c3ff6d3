/** How training data is made (arXiv 2504.04718 §4). */
import { z } from 'zod';
import { limitSetting } from './benchmark-settings.js';
import { MAX_SAMPLES, MAX_SEED } from './limits.js';
import type { SettingTable, Settled } from './setting.js';

const temperature = z.number().min(0).max(100);

export const distillSettings = {
  role: {
    type: z.enum(['tool', 'reward']),
    group: 'Training data',
    help: 'who is to learn: programs, or judgements',
  },
  samples: {
    type: z.int().min(1).max(MAX_SAMPLES).optional(),
    group: 'Training data',
    help: 'solutions of each problem by the student',
    unit: 'solutions',
    absent: '4 for tool, 8 for reward',
    flag: 'n-samples',
    alias: 'n',
  },
  temperature: { type: temperature.default(0.8), group: 'Training data', help: "the student's", flag: 'temp' },
  completions: {
    type: z.int().min(1).max(1024).default(1),
    group: 'Training data',
    help: 'replies of the teacher to each distinct solution',
    unit: 'replies',
  },
  teacherTemperature: {
    type: temperature.default(0.6),
    group: 'Training data',
    help: "the teacher's; the paper's is 0.6",
    flag: 'teacher-temp',
  },
  teacherTokens: {
    type: z.int().min(1).max(1_000_000).optional(),
    group: 'Training data',
    help: 'most new tokens of a reply',
    unit: 'tokens',
    absent: "the student's profile's",
  },
  showAnswer: {
    type: z.boolean().default(false),
    group: 'Training data',
    help: 'tell the teacher, not the student, the right answer',
  },
  seed: {
    type: z.int().min(0).max(MAX_SEED).default(0),
    group: 'Training data',
    help: 'of student and teacher',
    alias: 's',
  },
  baseModel: {
    type: z.string().min(1).optional(),
    group: 'Training data',
    help: "the student's weights for the trainer, as user/repo",
    absent: 'what its GGUF says',
  },
} satisfies SettingTable;

type Filled = Settled<typeof distillSettings>;
/** With nothing left to be found out. */
export type DistillSettings = { readonly [Name in keyof Filled]-?: NonNullable<Filled[Name]> };
export type DistillRole = DistillSettings['role'];

/** Whom it is made with, and where it goes. */
export const distillSources = {
  task: { type: z.string().min(1), group: 'Training data', help: 'JSONL of {problem or question, answer}' },
  teacher: {
    type: z.string().min(1),
    group: 'Training data',
    help: 'GGUF file, hf:user/repo:quant, or the address of an OpenAI-compatible API (https://…/v1)',
  },
  teacherModel: {
    type: z.string().min(1).optional(),
    group: 'Training data',
    help: 'model behind that address; its key is read from T1_TEACHER_KEY or OPENAI_API_KEY',
    absent: 'none',
  },
  out: {
    type: z.string().min(1),
    group: 'Training data',
    help: 'folder for the data and the configurations',
  },
  limit: { ...limitSetting, group: 'Training data' },
  concurrency: {
    type: z.int().min(1).max(256).default(8),
    group: 'Training data',
    help: 'requests to an API at the same time',
    unit: 'requests',
  },
} satisfies SettingTable;
