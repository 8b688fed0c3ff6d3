import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from './paths.js';

/** Version in package.json. Read without zod, which takes longer to load than `t1 --version` may take. */
export const packageVersion = versionIn(JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')));

function versionIn(manifest: unknown): string {
  if (
    typeof manifest === 'object' &&
    manifest !== null &&
    'version' in manifest &&
    typeof manifest.version === 'string'
  )
    return manifest.version;
  throw new Error('package.json names no version');
}
