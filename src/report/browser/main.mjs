/** Starts the page, and shows the summary or the problem that the address names. */
import { byId, element } from './elements.mjs';
import { showProblem } from './problem.mjs';
import { follow, inFile, isLive, problemAt } from './source.mjs';
import { ProblemTable } from './table.mjs';
import { startTheme } from './theme.mjs';

const table = new ProblemTable(byId('problems'));
/** Where the summary was left. */
let scrolled = 0;
/** @type {number | undefined} */
let current;

function start() {
  startTheme();
  addEventListener('hashchange', () => void route());
  addEventListener('keydown', onKey);
  if (isLive) void follow(showLive, (status) => (byId('status').textContent = status));
  else table.show(inFile());
  performance.mark('t1-table');
  void route();
}

/** @param {import('../page.js').PageData} data */
function showLive(data) {
  const home = byId('overview');
  const open = [...home.querySelectorAll('details[open]')].map(({ id }) => id);
  home.innerHTML = data.overview; // made and escaped by the server; the policy of the page runs no script in it
  for (const id of open) document.getElementById(id)?.setAttribute('open', '');
  table.show(data);
}

async function route() {
  const [, place] = location.hash.match(/^#problem=(\d+)$/) ?? [];
  const was = current;
  current = place === undefined ? undefined : Number(place);
  if (current === undefined) return leave(was);
  if (was === undefined) scrolled = scrollY;
  await open(current);
}

/** @param {number | undefined} was */
function leave(was) {
  byId('problem').hidden = true;
  byId('summary').hidden = false;
  if (was === undefined) return;
  scrollTo(0, scrolled);
  /** @type {HTMLElement | null} */ (document.querySelector(`a[href="#problem=${was}"]`))?.focus({
    preventScroll: true,
  });
}

/** @param {number} place */
async function open(place) {
  try {
    const data = await problemAt(place);
    if (place !== current) return; // went on meanwhile
    byId('summary').hidden = true;
    byId('problem').hidden = false;
    showProblem(data, { previous: neighbour(-1), next: neighbour(1) });
    scrollTo(0, 0);
    performance.mark('t1-problem');
  } catch (error) {
    byId('summary').hidden = true;
    byId('problem').hidden = false;
    byId('problem').replaceChildren(
      element('a', { href: '#' }, 'All problems'),
      element('p', { class: 'warning' }, error instanceof Error ? error.message : String(error)),
    );
  }
}

/** In the order of the table. @param {1 | -1} step @returns {number | undefined} */
function neighbour(step) {
  const at = table.places.indexOf(current ?? -1);
  return at === -1 ? undefined : table.places[at + step];
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  const { target, key } = event;
  if (
    event.ctrlKey ||
    event.metaKey ||
    event.altKey ||
    target instanceof HTMLInputElement ||
    target instanceof HTMLSelectElement
  )
    return;
  const steps = { j: 1, k: -1 };
  if (key === '/' && current === undefined) {
    event.preventDefault();
    table.search();
  } else if (key === 'Escape' && current !== undefined) location.hash = '';
  else if (current !== undefined && (key === 'j' || key === 'k')) {
    const next = neighbour(/** @type {1 | -1} */ (steps[key]));
    if (next !== undefined) location.hash = `problem=${next}`;
  }
}

start();
