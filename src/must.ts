/** For what cannot be absent: a broken invariant ends the work, where a default would go on with a wrong value. */
import { T1Error } from './errors.js';

/**
 * @param what it is, for the message
 * @throws T1Error INTERNAL
 */
export function must<T>(value: T | null | undefined, what: string): T {
  if (value === undefined || value === null)
    throw new T1Error('INTERNAL', `${what} is missing: a fault of T1, please report it`);
  return value;
}
