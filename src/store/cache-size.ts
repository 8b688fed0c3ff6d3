/** How large the result database may become. */
import { T1Error } from '../errors.js';

const UNITS = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 } as const;
const DEFAULT = 4 * UNITS.g;

/**
 * @returns bytes: `T1_CACHE_SIZE`, as `500MB` or `4GiB` (all units are powers of 1024), or 4 GiB
 * @throws T1Error USAGE
 */
export function cacheSize({ T1_CACHE_SIZE: text }: NodeJS.ProcessEnv = process.env): number {
  if (text === undefined || text === '') return DEFAULT;
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text.trim()) ?? [];
  const bytes = Math.floor(Number(number) * UNITS[unit.toLowerCase() as keyof typeof UNITS]);
  if (bytes >= UNITS.m) return bytes;
  throw new T1Error('USAGE', `T1_CACHE_SIZE: '${text}' is no size of at least 1 MiB: write 500MB or 4GiB`);
}
