/** Writes `docs/settings.md` from the tables of settings. Needs the build. */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { settingsPage } from '../dist/settings/settings-docs.js';
import { settingSections } from '../dist/settings/settings-table.js';

writeFileSync(
  join(dirname(fileURLToPath(import.meta.url)), '..', 'docs', 'settings.md'),
  settingsPage(settingSections),
);
