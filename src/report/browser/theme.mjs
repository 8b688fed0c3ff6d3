/** Light, dark, or as the system has it; remembered where the browser lets a page remember. */
import { byId } from './elements.mjs';

const THEMES = ['auto', 'light', 'dark'];

export function startTheme() {
  const button = byId('theme');
  const show = (/** @type {string} */ theme) => {
    document.documentElement.dataset['theme'] = theme;
    button.textContent = `Theme: ${theme}`;
  };
  show(remembered());
  button.addEventListener('click', () => {
    const next =
      THEMES[(THEMES.indexOf(document.documentElement.dataset['theme'] ?? 'auto') + 1) % THEMES.length] ?? 'auto';
    show(next);
    try {
      localStorage.setItem('t1-theme', next);
    } catch {
      // a page without storage forgets it
    }
  });
}

function remembered() {
  try {
    const theme = localStorage.getItem('t1-theme') ?? 'auto';
    return THEMES.includes(theme) ? theme : 'auto';
  } catch {
    return 'auto';
  }
}
