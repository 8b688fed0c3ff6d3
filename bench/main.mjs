/** `npm run bench -- NAME [flags]` */
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = dirname(fileURLToPath(import.meta.url));
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.mjs') && file !== 'main.mjs')
  .map((file) => file.slice(0, -'.mjs'.length));
const [name] = process.argv.splice(2, 1);
if (!names.includes(name)) {
  console.error(`usage: npm run bench -- ${names.join('|')} [flags]`);
  process.exit(2);
}
await import(join(folder, `${name}.mjs`));
