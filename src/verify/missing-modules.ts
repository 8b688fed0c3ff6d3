import type { MissingModules, ToolVerdict } from '../types.js';

export function countMissingModules(verdicts: readonly ToolVerdict[]): MissingModules {
  const counts = new Map<string, number>();
  for (const { missingModule } of verdicts.flatMap(({ programs }) => programs)) {
    if (missingModule !== undefined) counts.set(missingModule, (counts.get(missingModule) ?? 0) + 1);
  }
  return Object.fromEntries(counts);
}
