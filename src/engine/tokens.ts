/** Token ids joined: never by spreading, whose arguments go on the stack, where a long prompt overflows it. */

/** @returns [Σ parts] ids, one part after the other */
export function concatTokens(parts: readonly Int32Array[]): Int32Array {
  const joined = new Int32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
