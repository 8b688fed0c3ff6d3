import type { ToolVerdict } from '../types.js';

/** Programs that ended because a module is not there, by its name: what they would have said is not known. */
export type MissingModules = Readonly<Record<string, number>>;

export function countMissingModules(verdicts: readonly ToolVerdict[]): MissingModules {
  const counts = new Map<string, number>();
  for (const { missingModule } of verdicts.flatMap(({ programs }) => programs)) {
    if (missingModule !== undefined) counts.set(missingModule, (counts.get(missingModule) ?? 0) + 1);
  }
  return Object.fromEntries(counts);
}
