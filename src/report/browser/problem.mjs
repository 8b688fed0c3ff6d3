/** One problem: how each strategy decided, and all candidates side by side. */
import { candidateCard } from './candidate.mjs';
import { byId, element, figure, rightMark } from './elements.mjs';
import { written } from './evidence.mjs';

/** @typedef {import('../data.js').ProblemData} ProblemData */
/** @typedef {import('../data.js').Decision} Decision */
/** @typedef {Extract<ProblemData['record'], { outcome: 'solved' }>} Solved */
/** @typedef {{ previous: number | undefined, next: number | undefined }} Neighbours */

/** Cards beyond these are made as the first ones have been shown. */
const CARDS_AT_ONCE = 8;

/** @param {ProblemData} data @param {Neighbours} neighbours */
export function showProblem({ record, decisions }, neighbours) {
  const { id, problem, gold, category, level } = record;
  const isClaim = record.outcome === 'claim';
  const about = [isClaim ? `${category} operands` : category, level].filter(Boolean).join(', ');
  byId('problem').replaceChildren(
    navigation(neighbours),
    element(
      'h2',
      { tabindex: -1 },
      `${isClaim ? 'Claim' : 'Problem'} ${id}`,
      about ? element('small', {}, ` ${about}`) : null,
    ),
    written(problem, 'question'),
    element('p', {}, isClaim ? 'The claim is: ' : 'Right answer: ', element('strong', {}, gold)),
    ...content(record, decisions),
  );
  byId('problem').querySelector('h2')?.focus();
}

/** @param {Neighbours} neighbours */
function navigation({ previous, next }) {
  const to = (/** @type {number | undefined} */ place, /** @type {string} */ name) =>
    place === undefined ? element('span', { class: 'off' }, name) : element('a', { href: `#problem=${place}` }, name);
  return element(
    'nav',
    { 'aria-label': 'Problems' },
    element('a', { href: '#' }, 'All problems (Esc)'),
    to(previous, '← Previous (k)'),
    to(next, 'Next (j) →'),
  );
}

/** @param {ProblemData['record']} record @param {readonly Decision[]} decisions @returns {HTMLElement[]} */
function content(record, decisions) {
  switch (record.outcome) {
    case 'failed':
      return [element('p', { class: 'warning' }, `${record.code}: ${record.message}`)];
    case 'claim':
      return claim(record);
    case 'solved':
      return solved(record, decisions);
  }
}

/** @param {Extract<ProblemData['record'], { outcome: 'claim' }>} record */
function claim({ gold, byThinking, byProgram, thought, program, printed, tokens, toolTokens }) {
  const said = (/** @type {boolean | null} */ verdict) =>
    element(
      'p',
      {},
      `says ${verdict === null ? 'nothing' : String(verdict)} `,
      rightMark(verdict === (gold === 'True')),
    );
  const card = (/** @type {string} */ name, /** @type {Node[]} */ ...parts) =>
    element('article', { class: 'card' }, element('h3', {}, name), ...parts);
  return [
    element(
      'div',
      { class: 'cards' },
      card(
        'By thinking',
        said(byThinking),
        written(thought, 'solution'),
        element('p', { class: 'label' }, `${tokens} tokens`),
      ),
      card(
        'By program',
        said(byProgram),
        written(program, 'code'),
        element('p', { class: 'label' }, 'output'),
        written(printed, 'code'),
        element('p', { class: 'label' }, `${toolTokens} tokens`),
      ),
    ),
  ];
}

/** @param {Solved} record @param {readonly Decision[]} decisions */
function solved(record, decisions) {
  const sums = element('div', { class: 'scroll' });
  const cards = element('div', { class: 'cards' });
  const show = (/** @type {number} */ i) => {
    const decision = decisions[i];
    if (!decision) return;
    sums.replaceChildren(...sumsOf(decision));
    showCards(cards, record, decision);
  };
  const choose = element(
    'select',
    { change: ({ target }) => show(Number(/** @type {HTMLSelectElement} */ (target).value)) },
    ...decisions.map(({ name, right }, i) =>
      element('option', { value: i }, `${name}${right === null ? '' : right ? ' ✓' : ' ✗'}`),
    ),
  );
  show(0);
  return [
    element(
      'section',
      {},
      element('h3', {}, 'The sum that decided'),
      element('label', { class: 'strategy' }, element('span', {}, 'Strategy'), choose),
      sums,
    ),
    element('h3', {}, `${record.candidates.length} candidates, the heaviest first`),
    cards,
  ];
}

/** @param {Decision} decision @returns {HTMLElement[]} */
function sumsOf({ answer, right, fallback, partial, combine, tallies, weights }) {
  const most = Math.max(...tallies.map(({ total }) => total), 1e-9);
  const rows = tallies.map((tally) => {
    const track = element('div', { class: 'track' }, element('div', { class: 'fill' }));
    track.style.setProperty('--share', `${(100 * tally.total) / most}%`);
    return element(
      'tr',
      { class: tally.decided ? 'decided' : null },
      element('th', { scope: 'row' }, tally.answer, ' ', rightMark(tally.right)),
      element('td', { class: 'number' }, figure(tally.total)),
      element('td', {}, track),
      element('td', { class: 'parts' }, ...parts(tally, weights, combine)),
    );
  });
  const how = combine === 'sum' ? 'sum of weights' : 'heaviest';
  return [
    element(
      'p',
      {},
      answer === null
        ? 'Nothing was chosen.'
        : element('span', {}, 'Chosen: ', element('strong', {}, answer), ' ', rightMark(right)),
      fallback === null || answer === null
        ? ''
        : ` No candidate passed the tool: ${fallback === 'majority' ? 'the majority' : 'the reward alone'} decided.`,
      partial ? ' Some of what the strategy looks at was skipped: it chose with what there is.' : '',
    ),
    element(
      'table',
      { class: 'sums' },
      element(
        'thead',
        {},
        element('tr', {}, ...['answer', how, '', 'candidates'].map((name) => element('th', { scope: 'col' }, name))),
      ),
      element('tbody', {}, ...rows),
    ),
  ];
}

/** @param {import('../data.js').AnswerTally} tally @param {readonly number[]} weights @param {'sum' | 'max'} combine */
function parts({ candidates }, weights, combine) {
  if (candidates.length === 0) return ['none counts'];
  return candidates.flatMap((index, i) => [
    ...(i === 0 ? [] : [combine === 'sum' ? ' + ' : ', ']),
    element(
      'button',
      { type: 'button', class: 'link', title: `candidate ${index}`, click: () => toCandidate(index) },
      `#${index}: ${figure(weights[index] ?? 0)}`,
    ),
  ]);
}

/** @param {number} index */
function toCandidate(index) {
  const heading = document.getElementById(`candidate-${index}`);
  heading?.scrollIntoView({ block: 'start' });
  heading?.focus({ preventScroll: true });
}

/** @param {HTMLElement} home @param {Solved} record @param {Decision} decision */
function showCards(home, { candidates }, { weights, chosen }) {
  const order = candidates
    .map((candidate, i) => ({ candidate, weight: weights[i] ?? 0 }))
    .sort(
      (a, b) =>
        Number(b.candidate.index === chosen) - Number(a.candidate.index === chosen) ||
        b.weight - a.weight ||
        a.candidate.index - b.candidate.index,
    );
  const cards = (/** @type {typeof order} */ part) =>
    part.map(({ candidate, weight }) => candidateCard(candidate, weight, candidate.index === chosen));
  const first = cards(order.slice(0, CARDS_AT_ONCE));
  home.replaceChildren(...first);
  // Another strategy, or another problem, may be there by then.
  requestAnimationFrame(() =>
    setTimeout(() => {
      if (home.firstChild === first[0]) home.append(...cards(order.slice(CARDS_AT_ONCE)));
    }),
  );
}
