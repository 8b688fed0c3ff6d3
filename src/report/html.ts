/** Markup in which everything that is put in is escaped, unless it was made here. */

export class Html {
  constructor(readonly text: string) {}
}

type Part = string | number | Html | readonly Html[];

/** html`<td>${anything}</td>`: what models and data say is text, never markup. */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(texts.reduce((all, text, i) => all + markup(parts[i - 1] ?? '') + text));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');

function markup(part: Part): string {
  if (part instanceof Html) return part.text;
  return typeof part === 'object' ? part.map(({ text }) => text).join('') : escaped(String(part));
}

/** JSON inside a script element that is only read: nothing in it can end the element or open a comment. */
export const inertJson = (value: unknown): Html => new Html(JSON.stringify(value).replaceAll('<', '\\u003c'));
