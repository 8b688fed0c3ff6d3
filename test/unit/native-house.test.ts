/** Rules of native/ that no compiler holds. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../src/paths.js';

const native = join(packageRoot, 'native');
const isSource = (name: string): boolean => /\.(cpp|h)$/.test(name);
const sources = readdirSync(native).filter(isSource);
const read = (name: string): string => readFileSync(join(native, name), 'utf8');
/** Without comments and strings. */
const code = (name: string): string => read(name).replace(/\/\/.*$|"(?:\\.|[^"\\\n])*"/gm, '');

test('llama.cpp is included in one place', () => {
  // Ours lie beside; theirs are found by the compiler.
  const ours = new Set(sources);
  const all = [...sources, ...readdirSync(join(native, 'test')).map((name) => join('test', name))].filter(isSource);
  const including = all.filter((name) =>
    [...read(name).matchAll(/^\s*#\s*include\s*[<"]((?:llama|ggml|gguf)[^>"]*)[>"]/gm)].some(
      ([, header = '']) => !ours.has(header) && !all.includes(join('test', header)),
    ),
  );
  expect(including).toEqual(['llama_api.h']);
});

test('llama_api.h names the functions that are called, and no others', () => {
  const named = [...read('llama_api.h').matchAll(/X\((\w+)\)/g)].map(([, name]) => name);
  const called = sources
    .filter((name) => name !== 'llama_api.h')
    .flatMap((name) => [...code(name).matchAll(/\b((?:llama|ggml|gguf)_[a-z0-9_]+) ?\(/g)].map(([, name]) => name));
  expect(called.length).toBeGreaterThan(50);
  expect(named).toEqual([...new Set(called)].sort());
});
