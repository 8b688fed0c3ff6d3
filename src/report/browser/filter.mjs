/** Which problems the table shows, and in which order. */

/** @typedef {import('../data.js').Row} Row */
/**
 * @typedef {{ text: string, category: string, level: string, outcome: string, rightBy: string, wrongBy: string }}
 *   Filter
 */
/** @typedef {{ column: string, descending: boolean }} Order */

/** @type {Filter} */
export const EVERYTHING = { text: '', category: '', level: '', outcome: '', rightBy: '', wrongBy: '' };

/** @param {Row} row @param {Filter} filter @returns {boolean} */
export function matches(row, { text, category, level, outcome, rightBy, wrongBy }) {
  if (category && row.category !== category) return false;
  if (level && row.level !== level) return false;
  if (outcome === 'failed' && row.outcome !== 'failed') return false;
  if (outcome === 'done' && row.outcome === 'failed') return false;
  if (rightBy && row.right[rightBy] !== 1) return false;
  if (wrongBy && (row.outcome === 'failed' || row.right[wrongBy] === 1)) return false;
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const all = [row.id, row.text, row.gold, row.answer ?? '', row.category, row.level, row.note]
    .join('\n')
    .toLowerCase();
  return words.every((word) => all.includes(word));
}

const names = new Intl.Collator('en', { numeric: true });

/** @param {Row} row @param {string} column @returns {string | number} */
function sortValue(row, column) {
  switch (column) {
    case 'id':
      return row.id;
    case 'text':
      return row.text;
    case 'category':
      return row.category;
    case 'level':
      return row.level;
    case 'gold':
      return row.gold;
    case 'answer':
      return row.answer ?? '';
    case 'share':
      return row.share ?? -1;
    default:
      return row.right[column] ?? -1;
  }
}

/**
 * @param {readonly Row[]} rows
 * @param {Filter} filter
 * @param {Order | null} order null: as in the task
 * @returns {number[]} places in rows
 */
export function shownRows(rows, filter, order) {
  const places = rows.flatMap((row, place) => (matches(row, filter) ? [place] : []));
  if (!order) return places;
  const sign = order.descending ? -1 : 1;
  return places
    .map((place) => ({ place, value: sortValue(/** @type {Row} */ (rows[place]), order.column) }))
    .sort(
      (a, b) =>
        sign *
          (typeof a.value === 'number' && typeof b.value === 'number'
            ? a.value - b.value
            : names.compare(String(a.value), String(b.value))) || a.place - b.place,
    )
    .map(({ place }) => place);
}
