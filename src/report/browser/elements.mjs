/** Elements out of data. Text goes in as text nodes only: nothing that a model wrote is ever read as markup. */

/**
 * @param {string} tag
 * @param {Record<string, string | number | boolean | null | undefined | ((event: Event) => void)>} [attributes] a
 *   function listens to the event of that name; false, null and undefined are left out
 * @param {...(Node | string | number | null)} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(name, value);
    else if (value !== false && value !== null && value !== undefined)
      made.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children) if (child !== null) made.append(typeof child === 'number' ? String(child) : child);
  return made;
}

/** @param {string} id @returns {HTMLElement} */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

/** @param {boolean | null | 0 | 1 | undefined} right @returns {HTMLElement} a sign that says it in words too */
export function rightMark(right) {
  if (right === undefined) return element('span', {}, '');
  const [sign, word] = right === null ? ['?', 'undecided'] : right ? ['✓', 'right'] : ['✗', 'wrong'];
  return element('span', { class: `mark-${word}`, title: word, role: 'img', 'aria-label': word }, sign);
}

/** @param {string} summary @param {...(Node | string)} children @returns {HTMLElement} */
export const fold = (summary, ...children) => element('details', {}, element('summary', {}, summary), ...children);

/** @param {number | null} value */
export const figure = (value) => (value === null ? '–' : String(Math.round(value * 1000) / 1000));

/** In its own colour; `skipped` is no `unknown`. @param {string} verdict */
export const verdictMark = (verdict) =>
  element('span', { class: `verdict ${verdict}`, title: VERDICTS[verdict] ?? null }, verdict);

/** @type {Readonly<Record<string, string>>} */
const VERDICTS = {
  unknown: 'it was asked and could not say',
  skipped: 'it was not asked: the answer was settled without it',
};
