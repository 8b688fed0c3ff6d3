/** Where the page's data comes from: this very file, or the server on this machine. */
import { byId } from './elements.mjs';

/** @typedef {Pick<import('../page.js').PageData, 'rows' | 'strategies'>} Table */
/** @typedef {import('../data.js').ProblemData} ProblemData */

/** Between two questions whether the run went on. */
const POLL_MS = 1500;

export const isLive = document.documentElement.dataset['mode'] === 'live';

/** @returns {Table} */
export const inFile = () => JSON.parse(byId('data').textContent ?? '');

/** @param {number} ordinal @returns {Promise<ProblemData>} */
export async function problemAt(ordinal) {
  if (isLive) return (await asked(`problem/${ordinal}`)).json();
  const packed = await packedAt(ordinal);
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'))).json();
}

/** A large file may still be on its way in when its first problems are looked at. @param {number} ordinal */
async function packedAt(ordinal) {
  const id = `problem-${ordinal}`;
  while (!document.getElementById(id)?.nextSibling && document.readyState === 'loading')
    await new Promise((resume) => setTimeout(resume, 50));
  const packed = document.getElementById(id)?.textContent;
  if (!packed) throw new Error('this problem is not in the file: was it cut?');
  return packed;
}

/** @param {string} path @returns {Promise<Response>} */
async function asked(path) {
  const response = await fetch(path, { cache: 'no-store' });
  if (response.ok) return response;
  throw new Error(await response.text());
}

/**
 * Asks for the figures whenever the run went on, for as long as the page is open.
 *
 * @param {(data: import('../page.js').PageData) => void} show
 * @param {(status: string) => void} say what is wrong, or nothing
 */
export async function follow(show, say) {
  for (let version = ''; ; await new Promise((resume) => setTimeout(resume, POLL_MS))) {
    try {
      const response = await asked(`data?since=${version}`);
      say('');
      if (response.status === 204) continue;
      version = response.headers.get('x-version') ?? '';
      show(await response.json());
    } catch (error) {
      say(
        error instanceof TypeError
          ? 't1 view does not answer any more'
          : String(error instanceof Error ? error.message : error),
      );
    }
  }
}
