/** Seeds of samples, mixed so that two base seeds share no stream. */

/**
 * 32-bit finaliser of MurmurHash3 over base and index.
 *
 * @param base the user's seed
 * @param index sample index
 * @returns an unsigned 32-bit seed
 */
export function sampleSeed(base: number, index: number): number {
  let h = (Math.imul(base ^ 0x9e3779b9, 0x85ebca6b) + Math.imul(index + 1, 0xc2b2ae35)) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
