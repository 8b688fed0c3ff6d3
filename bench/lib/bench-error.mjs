/** What the user can mend: printed as one line, without a stack. */
export class BenchError extends Error {}
