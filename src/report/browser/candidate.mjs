/** One candidate: what it says, what the tool and the reward say of it, and what it weighs. */
import { element, figure, fold, rightMark, verdictMark } from './elements.mjs';
import { evidenceOf, written } from './evidence.mjs';

/** @typedef {import('./evidence.mjs').Candidate} Candidate */

/**
 * @param {Candidate} candidate
 * @param {number} weight under the strategy that is looked at
 * @param {boolean} chosen
 */
export function candidateCard(candidate, weight, chosen) {
  const {
    index,
    answer,
    correct,
    tool,
    reward,
    tokens,
    toolTokens,
    rewardTokens,
    finish,
    text,
    stepScores = [],
  } = candidate;
  const head = element(
    'header',
    {},
    element(
      'h3',
      { id: `candidate-${index}`, tabindex: -1 },
      `#${index} `,
      chosen ? element('span', { class: 'chosen' }, 'chosen') : null,
    ),
    element('p', { class: 'answer' }, answer ?? 'no answer', ' ', rightMark(correct)),
    element(
      'dl',
      { class: 'facts' },
      ...fact('tool', verdictMark(tool.verdict)),
      ...fact('reward', reward === 'skipped' ? verdictMark(reward) : figure(reward)),
      ...fact('weight', figure(weight)),
    ),
  );
  const cost = `${tokens} + ${toolTokens} tool + ${rewardTokens} reward tokens${finish === 'length' ? '; cut at its length' : ''}`;
  const body =
    stepScores.length > 0 ? [steps(stepScores), fold('as it was written', written(text))] : [written(text, 'solution')];
  return element(
    'article',
    { class: chosen ? 'card is-chosen' : 'card', 'aria-labelledby': `candidate-${index}` },
    head,
    ...body,
    ...evidenceOf(candidate),
    element('p', { class: 'label' }, cost),
  );
}

/** @param {string} name @param {Node | string} value */
const fact = (name, value) => [element('div', {}, element('dt', {}, name), element('dd', {}, value))];

/**
 * The score is said in figures too: colour alone tells not everybody.
 * @param {NonNullable<Candidate['stepScores']>} scores
 */
function steps(scores) {
  const list = element('ol', { class: 'steps', 'aria-label': 'steps with the score of the process reward model' });
  for (const { text, score } of scores) {
    const step = element(
      'li',
      {},
      element('span', { class: 'score' }, score.toFixed(2)),
      element('span', { class: 'step' }, text),
    );
    step.style.setProperty('--score', `${Math.round(100 * Math.min(1, Math.max(0, score)))}%`);
    list.append(step);
  }
  return list;
}
