/** Benches are not run by tests: at least what they take from the build must be there. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { packageRoot } from '../../src/paths.js';

const bench = join(packageRoot, 'bench');
const IMPORT = /^import \{([^}]+)\} from '(\.[^']*\/dist\/[^']+)'/gm;

const imports = readdirSync(bench, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.mjs'))
  .flatMap((name) => {
    const path = join(bench, name);
    return [...readFileSync(path, 'utf8').matchAll(IMPORT)].flatMap(([, names = '', from = '']) =>
      names.split(',').map((each) => [name, each.trim(), resolve(dirname(path), from)] as const),
    );
  });

test('there are some', () => expect(imports.length).toBeGreaterThan(10));

test.each(imports)('%s: %s is in %s', async (_, name, path) => {
  expect(Object.keys((await import(/* @vite-ignore */ pathToFileURL(path).href)) as object)).toContain(name);
});
