/** What training data was asked for, and what came of it: printed, and written beside the data. */

export type DistillRole = 'tool' | 'reward';

export interface DistillSettings {
  readonly role: DistillRole;
  /** Solutions of each problem, and the student's sampling temperature. */
  readonly samples: number;
  readonly temperature: number;
  /** Replies of the teacher to each distinct solution, and its temperature (paper: 0.6). */
  readonly completions: number;
  readonly teacherTemperature: number;
  readonly teacherTokens: number;
  /** Tell the teacher, not the student, the right answer. */
  readonly showAnswer: boolean;
  readonly seed: number;
  /** Name of the student's weights for the trainer, as `user/repo`. */
  readonly baseModel: string;
}

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
