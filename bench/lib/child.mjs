/** Runs one function of a module in a process of its own. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('./child-main.mjs', import.meta.url));

/**
 * @param {URL} module
 * @param {string} name of the exported function; it takes `input` and returns something that can be cloned
 * @param {object} input
 * @param {{ timeoutMs?: number }} options
 */
export function inChild(module, name, input, { timeoutMs = 30 * 60_000 } = {}) {
  const what = `${name} of ${module.pathname.split('/').at(-1)}`;
  return new Promise((resolve, reject) => {
    const child = fork(main, [module.href, name], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    const end = () => child.kill();
    process.once('exit', end);
    let written = '';
    let answer;
    child.stderr.on('data', (data) => (written = (written + data).slice(-4000)));
    const timer = setTimeout(() => {
      answer ??= { error: `took more than ${timeoutMs / 60_000} minutes` };
      child.kill();
    }, timeoutMs);
    child.on('message', (message) => (answer ??= message));
    child.on('error', (error) => (answer ??= { error: error.message }));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      process.off('exit', end);
      if (answer && 'result' in answer) return resolve(answer.result);
      reject(new Error(`${what} failed: ${answer?.error ?? `ended with ${signal ?? code}`}\n${written}`.trim()));
    });
    child.send(input);
  });
}
