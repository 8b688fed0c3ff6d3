/** What training data was asked for, and what came of it: printed, and written beside the data. */
import type { DistillRole, DistillSettings } from '../settings/distill-settings.js';

export interface DistillSummary {
  readonly role: DistillRole;
  readonly student: string;
  readonly teacher: string;
  readonly baseModel: string;
  readonly problems: number;
  readonly solutions: number;
  /** Solutions without an answer, which nobody was asked about. */
  readonly unanswered: number;
  readonly replies: number;
  readonly kept: number;
  /** Why replies were not kept, and how many. */
  readonly drops: Readonly<Record<string, number>>;
  readonly settings: Omit<DistillSettings, 'role' | 'baseModel'>;
}
