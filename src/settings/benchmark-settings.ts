/** Which problems a benchmark has, and where its run is kept. */
import { z } from 'zod';
import type { SettingTable } from './setting.js';

export const benchmarkSettings = {
  data: {
    type: z.string().min(1).optional(),
    group: 'Benchmark',
    help: "the task's file",
    absent: 'fetched once, where the task says from where',
  },
  map: {
    type: z.array(z.string()).optional(),
    group: 'Benchmark',
    help: 'field=COLUMN for a file of your own: id, problem, answer, category, level',
    absent: 'columns of these names',
  },
  limit: {
    type: z.string().optional(),
    group: 'Benchmark',
    help: 'how many problems, or which: 0-100',
    absent: 'all',
  },
  category: {
    type: z.array(z.string()).default([]),
    group: 'Benchmark',
    help: 'only problems of this one; several add up',
  },
  seeds: {
    type: z.int().min(1).max(1000).default(1),
    group: 'Benchmark',
    help: 'how many seeds, from the first one on; intervals then include them',
    unit: 'seeds',
  },
  runFolder: {
    type: z.string().min(1).optional(),
    group: 'Benchmark',
    help: 'folder of the run; one that is there goes on',
    absent: 't1-runs/TASK-DATE',
    flag: 'out',
  },
} satisfies SettingTable;
