/** How a problem is solved. Paper: arXiv 2504.04718. */
import { z } from 'zod';
import { message, remedy } from '../message.js';
import { rewardModels } from '../reward/reward.js';
import { selectors } from '../select/select.js';
import type { Tool } from '../verify/tool.js';
import { verifiers } from '../verify/verify.js';
import { keysOf, type SettingTable } from './setting.js';
import { knowledgeSettings, rewardSettings, samplingSettings, toolSettings } from './stage-settings.js';

const isTool = (value: unknown): value is Tool => typeof value === 'object' && value !== null && 'verify' in value;

/** The order is that of the help. */
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
  ...toolSettings,
  unknown: {
    type: z.enum(['fail', 'pass']).default('fail'),
    group: 'Tool',
    help: "what a candidate counts as of which the tool says nothing; the paper's is fail",
  },
  index: {
    type: z.string().min(1).default('factbook'),
    group: 'Knowledge',
    help: message`knowledge index that solutions are checked against: its name${remedy('listIndexes', '')}, or a path`,
  },
  ...knowledgeSettings,
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
  ...rewardSettings,
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
