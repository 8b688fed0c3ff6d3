/** Widest ranges that several settings share. */

/** The engine takes any number, 256 at a time; more than this is a slip of the keyboard. */
export const MAX_SAMPLES = 65_536;
export const MAX_SEED = 0xffff_ffff;
