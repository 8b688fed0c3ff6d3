import { T1Error } from '../../src/errors.js';

/** The code that a piece of work fails with. */
export const codeOf = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    if (error instanceof T1Error) return error.code;
    throw error;
  }
  return 'nothing thrown';
};
