/** What the user can mend: printed as one line, without a stack. */
export class BenchError extends Error {}

/**
 * Runs a benchmark, and says what went wrong with it: one line and 2 for what the user can mend, else the error and 1.
 *
 * @param {string} name
 * @param {() => Promise<void>} main
 */
export async function benchmark(name, main) {
  try {
    await main();
  } catch (error) {
    const usage =
      error instanceof BenchError || error.code === 'FILE_NOT_FOUND' || error.code?.startsWith('ERR_PARSE_ARGS');
    console.error(usage ? `bench ${name}: ${error.message.split('\n')[0]}` : error);
    process.exit(usage ? 2 : 1);
  }
}
