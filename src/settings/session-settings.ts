/** What a session works with: models, and where it keeps what it finds. */
import { z } from 'zod';
import type { SettingTable } from './setting.js';

export const modelSettings = {
  model: {
    type: z.string().min(1).optional(),
    group: 'Model',
    help: 'GGUF file, or hf:user/repo:quant to download one',
    absent: 'the model that ships',
    alias: 'm',
    recorded: false,
  },
} satisfies SettingTable;

export const databaseSettings = {
  database: {
    type: z.string().min(1).optional(),
    group: 'Storage',
    help: 'file of the database of results',
    absent: "in the user's cache folder",
    flag: 'db',
    recorded: false,
  },
} satisfies SettingTable;

/** A run keeps its model, with the file's hash, beside its settings. */
export const sessionSettings = {
  ...modelSettings,
  rewardModel: {
    type: z.string().min(1).optional(),
    group: 'Model',
    help: 'another model for the reward: GGUF file or hf:user/repo:quant',
    absent: 'the model itself',
  },
  ...databaseSettings,
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
