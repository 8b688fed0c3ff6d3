/** All tables of settings, by what they are for. */
import { benchmarkSettings } from './benchmark-settings.js';
import { distillSettings, distillSources } from './distill-settings.js';
import { engineSettings } from './engine-settings.js';
import { indexingSettings, searchSettings } from './passages-settings.js';
import { sandboxSettings } from './sandbox-settings.js';
import { indexFolderSettings, sessionSettings } from './session-settings.js';
import type { SettingTable } from './setting.js';
import { solveSettings } from './solve-settings.js';

export interface SettingSection {
  readonly title: string;
  /** Where these settings are given. */
  readonly about: string;
  readonly table: SettingTable;
}

export const settingSections = [
  {
    title: 'A problem',
    about: '`createSolver`, and for one problem `solver.solve`; `t1 solve`, `t1 eval`, some of them `t1 sample`.',
    table: solveSettings,
  },
  {
    title: 'A solver',
    about: '`createSolver`; `t1 solve`, `t1 eval`.',
    table: { ...sessionSettings, sandbox: { parts: sandboxSettings } },
  },
  {
    title: 'An engine',
    about: '`createSolver` and `loadEngine`; all commands that decode.',
    table: engineSettings,
  },
  { title: 'A benchmark', about: '`solver.evaluate`; `t1 eval`.', table: benchmarkSettings },
  { title: 'Training data', about: '`t1 distill`.', table: { ...distillSettings, ...distillSources } },
  {
    title: 'Passages',
    about: '`addToIndex` and `KnowledgeIndex.search`; `t1 index`.',
    table: { ...indexingSettings, ...searchSettings, ...indexFolderSettings },
  },
] as const satisfies readonly SettingSection[];
