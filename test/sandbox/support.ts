/** What the sandbox tests share. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Sandbox } from '../../src/sandbox/sandbox.js';

export const repositoryRoot = join(fileURLToPath(import.meta.url), '../../..');

/** One start image for all test files, and the user's own cache left alone. */
export const cacheDir = join(repositoryRoot, 'node_modules', '.cache', 't1-test');

const CANARY = 'import math\nprint(sum([1,2,3]), len("ab"), sorted([2,1]), math.sqrt(16))';

/** Whether Python still computes as it should. */
export async function canaryIsRight(sandbox: Sandbox): Promise<boolean> {
  const result = await sandbox.run({ code: CANARY, timeoutMs: 20_000 });
  return result.status === 'ok' && result.stdout === '6 2 [1, 2] 4.0\n' && result.value === null;
}
