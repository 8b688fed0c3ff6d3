/** The index that ships: The World Factbook, as passages in the package, indexed on first use. */
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { indexFolder, packageRoot } from '../paths.js';
import { makeFolder } from '../make-folder.js';
import { guarded } from './errors.js';
import { indexPath, shippedIndex } from './folder.js';
import { KnowledgeIndex } from './knowledge-index.js';

const shippedPassages = join(packageRoot, 'models', 'knowledge', 'factbook.jsonl.gz');

export interface OpenOptions {
  readonly folder?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Gets one line when something takes a while. */
  readonly onNote?: ((line: string) => void) | undefined;
}

/**
 * As `KnowledgeIndex.open`, but makes the index that ships when it is asked for and not there yet.
 *
 * @throws T1Error as `KnowledgeIndex.open`; DISK_FULL or ABORTED while it is made
 */
export async function openKnowledge(nameOrPath: string, options: OpenOptions = {}): Promise<KnowledgeIndex> {
  await ensureShipped(nameOrPath, options);
  return KnowledgeIndex.open(nameOrPath, { folder: options.folder });
}

/** Nothing to do for other names. Made aside and moved into place, so that no other process sees half of it. */
export async function ensureShipped(
  name: string,
  { folder = indexFolder(), signal, onNote }: OpenOptions,
): Promise<void> {
  if (name !== shippedIndex) return;
  const path = indexPath(name, folder);
  if (existsSync(path)) return;
  const { addToIndex } = await import('./add.js'); // readers of all kinds, which a search does not need
  onNote?.(`indexing The World Factbook, which ships with t1, once: ${path}`);
  const aside = guarded(path, () => {
    makeFolder(dirname(path));
    return mkdtempSync(join(folder, '.making-'));
  });
  try {
    await addToIndex(name, [shippedPassages], { folder: aside, signal });
    guarded(path, () => renameSync(indexPath(name, aside), path));
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}
