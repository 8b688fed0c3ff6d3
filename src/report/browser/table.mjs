/** The table of problems, with its filters above it. */
import { element, rightMark } from './elements.mjs';
import { EVERYTHING, shownRows } from './filter.mjs';

/** @typedef {import('./filter.mjs').Filter} Filter */
/** @typedef {import('./source.mjs').Table} Table */

/** More rows than these are shown when asked for: so that a filter answers at once. */
const ROWS_AT_ONCE = 100;

export class ProblemTable {
  /** @type {Table} */
  #data = { rows: [], strategies: {} };
  /** @type {Filter} */
  #filter = { ...EVERYTHING };
  /** @type {import('./filter.mjs').Order | null} */
  #order = null;
  #most = ROWS_AT_ONCE;
  /** Places of the rows that pass the filter, in the order of the table. @type {number[]} */
  places = [];
  #count = element('p', { role: 'status', class: 'count' });
  #table = element('div', { class: 'scroll' });
  #controls = element('form', { class: 'filters', submit: (event) => event.preventDefault(), 'aria-label': 'Filters' });

  /** @param {HTMLElement} home */
  constructor(home) {
    home.append(element('h2', {}, 'Problems'), this.#controls, this.#count, this.#table);
  }

  /** @param {Table} data */
  show(data) {
    const before = JSON.stringify(this.#choices());
    this.#data = data;
    // Controls that are in use are not made anew whenever the run goes on.
    if (this.#controls.childElementCount === 0 || before !== JSON.stringify(this.#choices()))
      this.#controls.replaceChildren(...this.#filters());
    this.#refresh();
  }

  search() {
    this.#controls.querySelector('input')?.focus();
  }

  #choices() {
    const { rows, strategies } = this.#data;
    const of = (/** @type {'category' | 'level'} */ field) =>
      [...new Set(rows.map((row) => row[field]))].filter(Boolean).sort();
    return { categories: of('category'), levels: of('level'), strategies };
  }

  #filters() {
    const { categories, levels, strategies } = this.#choices();
    const named = Object.entries(strategies);
    const [first, second] = Object.keys(strategies);
    return [
      this.#labelled(
        'Text',
        element('input', {
          type: 'search',
          name: 'text',
          value: this.#filter.text,
          placeholder: 'in problem, answer, id ( / )',
          input: (event) => this.#set('text', valueIn(event)),
        }),
      ),
      this.#select('rightBy', 'Right by', named),
      this.#select('wrongBy', 'but not by', named),
      ...(categories.length > 1
        ? [
            this.#select(
              'category',
              this.#isClaims() ? 'Operands' : 'Category',
              categories.map((name) => [name, name]),
            ),
          ]
        : []),
      ...(levels.length > 1
        ? [
            this.#select(
              'level',
              'Level',
              levels.map((name) => [name, name]),
            ),
          ]
        : []),
      this.#select('outcome', 'Outcome', [
        ['done', 'done'],
        ['failed', 'failed'],
      ]),
      element(
        'div',
        { class: 'presets' },
        this.#preset(first, second),
        this.#preset(second, first),
        element('button', { type: 'button', click: () => this.#setAll({ ...EVERYTHING }) }, 'All'),
      ),
    ];
  }

  /** @param {string | undefined} rightBy @param {string | undefined} wrongBy */
  #preset(rightBy = '', wrongBy = '') {
    const { strategies } = this.#data;
    return element(
      'button',
      { type: 'button', click: () => this.#setAll({ ...EVERYTHING, rightBy, wrongBy }) },
      `${strategies[rightBy]} right, ${strategies[wrongBy]} wrong`,
    );
  }

  /** @param {string} name @param {HTMLElement} control */
  #labelled(name, control) {
    return element('label', {}, element('span', {}, name), control);
  }

  /** @param {keyof Filter} field @param {string} label @param {readonly (readonly string[])[]} choices */
  #select(field, label, choices) {
    const options = [['', 'any'], ...choices].map(([value = '', name = '']) =>
      element('option', { value, selected: this.#filter[field] === value }, name),
    );
    return this.#labelled(
      label,
      element('select', { name: field, change: (event) => this.#set(field, valueIn(event)) }, ...options),
    );
  }

  /** @param {keyof Filter} field @param {string} value */
  #set(field, value) {
    this.#filter = { ...this.#filter, [field]: value };
    this.#most = ROWS_AT_ONCE;
    this.#refresh();
  }

  /** @param {Filter} filter */
  #setAll(filter) {
    this.#filter = filter;
    this.#most = ROWS_AT_ONCE;
    this.#controls.replaceChildren(...this.#filters());
    this.#refresh();
  }

  /** @param {string} column */
  #sort(column) {
    const again = this.#order?.column === column;
    this.#order = again && this.#order?.descending ? null : { column, descending: again };
    this.#refresh();
    this.#table.querySelector('[aria-sort] button')?.scrollIntoView({ block: 'nearest' });
    /** @type {HTMLElement | null} */ (this.#table.querySelector(`button[data-column="${column}"]`))?.focus();
  }

  #refresh() {
    const { rows } = this.#data;
    this.places = shownRows(rows, this.#filter, this.#order);
    this.#count.textContent = `${this.places.length} of ${rows.length} problems`;
    const columns = this.#columns();
    const more = this.places.length - this.#most;
    this.#table.replaceChildren(
      element(
        'table',
        { class: 'problems' },
        element('thead', {}, element('tr', {}, ...columns.map(({ key, name, kind }) => this.#head(key, name, kind)))),
        element('tbody', {}, ...this.places.slice(0, this.#most).map((place) => this.#row(place, columns))),
      ),
      ...(more > 0
        ? [
            element(
              'button',
              { type: 'button', class: 'more', click: () => this.#more() },
              `Show ${Math.min(more, 5 * ROWS_AT_ONCE)} more of ${more}`,
            ),
          ]
        : []),
    );
  }

  #more() {
    const from = this.#most;
    this.#most += 5 * ROWS_AT_ONCE;
    this.#refresh();
    /** @type {HTMLElement | undefined} */ (this.#table.querySelectorAll('tbody a')[from])?.focus();
  }

  #isClaims() {
    return this.#data.rows.some(({ outcome }) => outcome === 'claim');
  }

  /** `kind` says to the style sheet what a narrow screen leaves out. */
  #columns() {
    const { categories, levels, strategies } = this.#choices();
    const solved = !this.#isClaims();
    return [
      { key: 'id', name: 'id', kind: 'id' },
      { key: 'text', name: 'problem', kind: 'text' },
      ...(categories.length > 0
        ? [{ key: 'category', name: this.#isClaims() ? 'operands' : 'category', kind: 'spare' }]
        : []),
      ...(levels.length > 0 ? [{ key: 'level', name: 'level', kind: 'spare' }] : []),
      { key: 'gold', name: 'right answer', kind: 'spare' },
      ...(solved ? [{ key: 'answer', name: 'answer', kind: 'value' }] : []),
      ...Object.entries(strategies).map(([key, name], i) => ({
        key,
        name,
        kind: i < 2 || !solved ? 'mark' : 'mark spare',
      })),
      ...(solved ? [{ key: 'share', name: 'right candidates', kind: 'spare number' }] : []),
    ];
  }

  /** @param {string} key @param {string} name @param {string} kind */
  #head(key, name, kind) {
    const sorted = this.#order?.column === key ? (this.#order.descending ? 'descending' : 'ascending') : null;
    return element(
      'th',
      { scope: 'col', class: kind, 'aria-sort': sorted },
      element(
        'button',
        { type: 'button', 'data-column': key, click: () => this.#sort(key) },
        name,
        sorted === null ? '' : sorted === 'ascending' ? ' ▲' : ' ▼',
      ),
    );
  }

  /** @param {number} place @param {readonly { key: string, kind: string }[]} columns */
  #row(place, columns) {
    const row = /** @type {import('../data.js').Row} */ (this.#data.rows[place]);
    const cells = columns.map(({ key, kind }) => {
      const content = this.#content(row, place, key);
      return element('td', { class: kind }, content);
    });
    return element('tr', { class: row.outcome === 'failed' ? 'failed' : null }, ...cells);
  }

  /** @param {import('../data.js').Row} row @param {number} place @param {string} key @returns {Node | string} */
  #content(row, place, key) {
    switch (key) {
      case 'id':
        return element('a', { href: `#problem=${place}` }, row.id);
      case 'text':
        return element('div', { class: 'clamp', title: row.note || null }, row.note || row.text);
      case 'category':
        return row.category;
      case 'level':
        return row.level;
      case 'gold':
        return row.gold;
      case 'answer':
        return row.outcome === 'failed' ? element('span', { class: 'mark-wrong' }, 'failed') : (row.answer ?? '–');
      case 'share':
        return row.share === null ? '' : `${Math.round(100 * row.share)} %`;
      default:
        return rightMark(row.right[key]);
    }
  }
}

/** @param {Event} event */
const valueIn = ({ target }) =>
  target instanceof HTMLInputElement || target instanceof HTMLSelectElement ? target.value : '';
