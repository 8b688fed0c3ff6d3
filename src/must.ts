import { T1Error } from './errors.js';

/**
 * For what cannot be absent: says so instead of going on with a made-up value.
 *
 * @param what is missing, for the message
 * @throws T1Error INTERNAL
 */
export function must<Value>(value: Value | undefined, what: string): Value {
  if (value !== undefined) return value;
  throw new T1Error('INTERNAL', `${what} is missing`);
}
