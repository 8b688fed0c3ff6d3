/** Work on one problem that goes on at the same time: what fails first ends the rest, and nothing is left running. */

import { setMaxListeners } from 'node:events';

/**
 * @param signal of the caller; its abort ends all
 * @param body starts work with the signal it is given and hands the promises to `add`
 * @returns when all that was added has ended
 * @throws what failed first, or the reason of the caller's abort
 */
export async function together(
  signal: AbortSignal,
  body: (group: { readonly signal: AbortSignal; readonly add: (work: Promise<unknown>) => void }) => Promise<void>,
): Promise<void> {
  const ending = new AbortController();
  const both = AbortSignal.any([signal, ending.signal]);
  setMaxListeners(0, both);
  const running: Promise<unknown>[] = [];
  let first: { readonly error: unknown } | undefined;
  const fail = (error: unknown): void => {
    first ??= { error };
    ending.abort(error);
  };
  const add = (work: Promise<unknown>): void => void running.push(work.catch(fail));
  await body({ signal: both, add }).catch(fail);
  for (let ended = 0; ended < running.length; ended++) await running[ended]; // work may add more
  if (first) throw first.error;
}
