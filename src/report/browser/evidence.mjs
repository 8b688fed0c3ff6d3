/**
 * Why a candidate is believed or not: programs with their output, calculations, passages with the judgements,
 * rationales.
 */
import { element, figure, fold, verdictMark } from './elements.mjs';

/**
 * @typedef {Extract<import('../data.js').ProblemData['record'], { outcome: 'solved' }>['candidates'][number]} Candidate
 */

/** @param {string} text @param {string} [kind] */
export const written = (text, kind = '') => element('pre', { class: kind, tabindex: 0 }, text);

/** @param {Candidate} candidate @returns {HTMLElement[]} */
export function evidenceOf({ tool, rationales = [] }) {
  const { programs, steps = [], passages = [], checks = [], note } = tool;
  return [
    ...(note ? [element('p', { class: 'note' }, note)] : []),
    ...(steps.length > 0 ? [calculations(steps)] : []),
    ...programs.map(program),
    ...(passages.length > 0 ? [fold(`${passages.length} passages`, ...passages.map(passage))] : []),
    ...checks.map(({ text, verdict }, i) => folded(`fact check ${i + 1}`, verdictMark(verdict), written(text))),
    ...rationales.map(({ text, score }, i) =>
      folded(`rationale ${i + 1}`, element('span', { class: 'score' }, figure(score)), written(text)),
    ),
  ];
}

/** @param {string} name @param {Node} sign @param {...Node} content */
function folded(name, sign, ...content) {
  return element('details', {}, element('summary', {}, `${name} `, sign), ...content);
}

/** @param {Candidate['tool']['programs'][number]} run @param {number} i */
function program({ code, status, stdout }, i) {
  const printed = stdout.trim();
  const sign = element(
    'span',
    { class: 'score' },
    status !== 'ok' ? status : printed.length > 24 ? `${printed.slice(0, 24)}…` : printed || 'printed nothing',
  );
  return folded(
    `program ${i + 1}`,
    sign,
    code === null ? element('p', { class: 'note' }, 'no program was written') : written(code, 'code'),
    element('p', { class: 'label' }, `output (${status})`),
    written(stdout, 'code'),
  );
}

/** @param {NonNullable<Candidate['tool']['steps']>} steps */
function calculations(steps) {
  return element(
    'ul',
    { class: 'calculations', 'aria-label': 'calculations stated' },
    ...steps.map(({ step, holds, value }) =>
      element('li', { class: holds ? 'holds' : 'broken' }, holds ? '✓ ' : '✗ ', step, holds ? '' : ` (it is ${value})`),
    ),
  );
}

/** @param {NonNullable<Candidate['tool']['passages']>[number]} found */
function passage({ id, title, text, score }) {
  return element(
    'blockquote',
    {},
    element('p', {}, text),
    element('footer', {}, `${title ?? id}, BM25 ${figure(score)}`),
  );
}
