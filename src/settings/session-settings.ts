/** What a session works with: models, adapters, and where it keeps what it finds. */
import { z } from 'zod';
import type { SettingTable } from './setting.js';

export const modelSettings = {
  model: {
    type: z.string().min(1).optional(),
    group: 'Model',
    help: 'GGUF file, or hf:user/repo:quant to download one',
    absent: 'the model that ships',
    alias: 'm',
  },
} satisfies SettingTable;

export const adapterSettings = {
  toolAdapters: {
    type: z.array(z.string().min(1)).optional(),
    group: 'Model',
    help: 'LoRA as GGUF for the checking programs; FILE:SCALE scales it; several add up',
    absent: 'the base model',
    flag: 'adapter-tool',
  },
  rewardAdapters: {
    type: z.array(z.string().min(1)).optional(),
    group: 'Model',
    help: 'the same for the reward, of the model that gives it',
    absent: 'the base model',
    flag: 'adapter-reward',
  },
  rewardModel: {
    type: z.string().min(1).optional(),
    group: 'Model',
    help: 'another model for the reward: GGUF file or hf:user/repo:quant',
    absent: 'the model itself',
  },
} satisfies SettingTable;

export const databaseSettings = {
  database: {
    type: z.string().min(1).optional(),
    group: 'Storage',
    help: 'file of the database of results',
    absent: "in the user's cache folder",
    flag: 'db',
  },
} satisfies SettingTable;

export const cacheSettings = {
  cache: {
    type: z.boolean().default(true),
    group: 'Storage',
    help: 'use and fill the database',
  },
} satisfies SettingTable;

export const indexFolderSettings = {
  indexFolder: {
    type: z.string().min(1).optional(),
    group: 'Storage',
    help: 'folder of the indexes of passages',
    absent: "in the user's cache folder",
    flag: 'index-dir',
  },
} satisfies SettingTable;

export const sessionSettings = { ...modelSettings, ...adapterSettings, ...databaseSettings, ...cacheSettings };
