import { setMaxListeners } from 'node:events';
import { T1Error } from '../errors.js';

/** Fires at the first Ctrl-C (or SIGTERM); work stops, results so far stay stored. The second one ends the process. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal); // everything that runs or waits listens to it
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new T1Error('ABORTED', 'interrupted; what was finished is stored, the same command continues'));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return controller.signal;
}
