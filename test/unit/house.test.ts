/**
 * The house: arrows between files go one way, a name alone tells which file is meant, and what the library says is for
 * who calls it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../../src/paths.js';
import { settingsOf } from '../../src/settings/setting.js';
import { allCommands } from '../support/commands.js';

const source = join(packageRoot, 'src');

/**
 * From the ground up: a file may use what stands before it in this list, and its own folder. A file that is named
 * itself does not belong to its folder here.
 */
const ROOMS: readonly string[] = [
  ...[
    'message.ts',
    'errors.ts',
    'make-folder.ts',
    'must.ts',
    'abort.ts',
    'at-once.ts',
    'paths.ts',
    'version.ts',
    'same-shape.ts',
    'numbers',
    'problem',
  ],
  // What a setting is, and the settings of single parts, which these read; those of the whole stand further down.
  ...['settings/setting.ts', 'settings/closest.ts', 'settings/limits.ts', 'settings/parse-settings.ts'],
  ...['settings/engine-settings.ts', 'settings/sandbox-settings.ts', 'settings/passages-settings.ts'],
  ...['engine', 'sandbox', 'types.ts', 'result-schema.ts', 'stopwatch.ts', 'grade', 'testing'],
  ...['store', 'prompt', 'model', 'knowledge'],
  ...['verify/opinion-rules.ts', 'select', 'budget', 'statistics'],
  ...['reward/entry.ts', 'settings/stage-settings.ts', 'stage-context.ts', 'generate', 'verify', 'reward', 'task'],
  ...['settings', 'options.ts', 'problem-stages.ts', 'remembered-budget.ts', 'pipeline.ts', 'session.ts', 'solve.ts'],
  ...['runs', 'distill', 'report', 'evaluate.ts', 'solver.ts', 'output', 'index.ts', 'cli', 'cli.ts'],
];

/** Files may have such a name in common; others only where one of them is a command's own. */
const COMMON = ['index.ts', 'errors.ts'];

/** Path from src → what it imports there, statically, dynamically or for its types. */
const imports: ReadonlyMap<string, readonly string[]> = new Map(
  readdirSync(source, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.ts'))
    .sort()
    .map((path) => {
      const { importedFiles } = ts.preProcessFile(readFileSync(join(source, path), 'utf8'), true, true);
      const own = importedFiles.map(({ fileName }) => fileName).filter((name) => name.startsWith('.'));
      return [path, own.map((name) => posix.join(dirname(path), name).replace(/\.js$/, '.ts'))];
    }),
);
const arrows = [...imports].flatMap(([from, all]) => all.map((to) => [from, to] as const));

/** @returns the entry of the list that a file belongs to */
const roomOf = (path: string): string => (ROOMS.includes(path) ? path : (path.split('/')[0] ?? path));

/** @returns strongly connected components of more than one member (Tarjan) */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (node: string): number => {
    const own = order.size;
    order.set(node, own);
    stack.push(node);
    let low = own;
    for (const next of graph.get(node) ?? []) {
      if (!order.has(next)) low = Math.min(low, visit(next));
      else if (stack.includes(next)) low = Math.min(low, lowest.get(next) ?? order.get(next) ?? low);
    }
    lowest.set(node, low);
    if (low === own) {
      const circle = stack.splice(stack.indexOf(node));
      if (circle.length > 1) found.push(circle.sort());
    }
    return low;
  };
  for (const node of graph.keys()) if (!order.has(node)) visit(node);
  return found;
}

describe('what the tests below look at', () => {
  test('circles are found', () => {
    const graph = { a: ['b'], b: ['c'], c: ['a', 'd'], d: ['e'], e: ['f'], f: ['e'], g: ['a', 'f'] };
    expect(circles(new Map(Object.entries(graph)))).toEqual([
      ['e', 'f'],
      ['a', 'b', 'c'],
    ]);
    const straight = { a: ['b', 'c'], b: ['c'], c: [] };
    expect(circles(new Map(Object.entries(straight)))).toEqual([]);
  });

  test('imports of every kind are seen, and lead to files that are there', () => {
    expect(imports.get('index.ts')).toContain('solve.ts'); // export … from
    expect(imports.get('solve.ts')).toContain('types.ts'); // import type
    expect(arrows.length).toBeGreaterThan(300);
    expect(arrows.filter(([, to]) => to.endsWith('.ts') && !imports.has(to))).toEqual([]);
  });

  test('every file has a room, and every room a file', () => {
    expect([...imports.keys()].filter((path) => !ROOMS.includes(roomOf(path)))).toEqual([]);
    expect(ROOMS.filter((room) => ![...imports.keys()].some((path) => roomOf(path) === room))).toEqual([]);
  });
});

test('no file reaches itself by its imports', () => expect(circles(imports)).toEqual([]));

test('arrows go down only', () => {
  const height = (path: string): number => ROOMS.indexOf(roomOf(path));
  expect(arrows.filter(([from, to]) => height(to) > height(from)).map((arrow) => arrow.join(' uses '))).toEqual([]);
});

test('no folder reaches itself by the others, whatever the list says', () => {
  const folders = new Map<string, string[]>();
  for (const [from, to] of arrows) {
    const [room, other] = [roomOf(from), roomOf(to)];
    if (room !== other) folders.set(room, [...(folders.get(room) ?? []), other]);
  }
  expect(circles(folders)).toEqual([]);
});

test('nobody uses the command line, nor what is made for the tests of others', () => {
  expect(arrows.filter(([from, to]) => to.startsWith('cli/') && !/^cli(\/|\.ts$)/.test(from))).toEqual([]);
  expect(arrows.filter(([from, to]) => to.startsWith('testing/') && !from.startsWith('testing/'))).toEqual([]);
});

test('a name alone tells which file is meant', () => {
  const named = new Map<string, string[]>();
  for (const path of imports.keys()) {
    // A command is named as the user names it, and may be of the name of what it calls.
    if (dirname(path) !== 'cli') named.set(basename(path), [...(named.get(basename(path)) ?? []), path]);
  }
  expect([...named].filter(([name, paths]) => paths.length > 1 && !COMMON.includes(name))).toEqual([]);
});

test('folders are made by make-folder alone', () => {
  const making = [...imports.keys()].filter((path) =>
    /\bmkdir(Sync)?\(/.test(readFileSync(join(source, path), 'utf8')),
  );
  expect(making).toEqual(['make-folder.ts']);
});

test('nothing in the source depends on what was built from it', () => {
  const naming = [...imports.keys()].filter((path) => /['"/]dist['"/]/.test(readFileSync(join(source, path), 'utf8')));
  expect(naming).toEqual([]);
});

describe('the library names no command and no flag of the command line', async () => {
  const commands = await allCommands();
  const names = new Set(commands.map(({ name }) => name.split(' ')[0] ?? ''));
  const settings = commands.flatMap(({ command }) => settingsOf(command.flags));
  const flags = new Set(settings.flatMap(({ flag }) => (flag === undefined ? [] : [flag, `no-${flag}`])));
  const letters = new Set(settings.flatMap(({ setting: { alias } }) => alias ?? []));
  const commandLine = new RegExp(
    [
      `\\bt1 (${[...names].join('|')})\\b`,
      '\\b(same|this|the) command\\b(?! line)',
      `(?<![\\w-])--(${[...flags].join('|')})(?![\\w-])`,
      // In a sentence; alone it is an argument for another program.
      `(?<=\\s)(?<!llama\\.cpp's )-(${[...letters].join('|')})(?![\\w-])`,
    ].join('|'),
  );

  /** What is between quotes, comments and imports left aside: it may end in a message. */
  function texts(path: string, code: string): string[] {
    const found: string[] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
      if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node))
        found.push(node.text);
      ts.forEachChild(node, visit);
    };
    visit(ts.createSourceFile(path, code, ts.ScriptTarget.Latest));
    return found;
  }

  test.each([
    ["'make one with t1 index add NAME'", true],
    [`\`\${folder}: t1 retry \${folder} goes on\``, true],
    [`\`give another \${what} with --reward-model\``, true],
    ["'leave --no-cache out'", true],
    ["'the same command continues'", true],
    ["'the command line calls it by its flag'", false],
    ["'cannot write it: name another with -o'", true],
    ["`N (llama.cpp's -n counts tokens)`", false],
    ["['-s', '-n']", false],
    ["'a newer t1 wrote it'", false],
    [`['--dev', '/dev', '--permission', \`--allow-fs-read=\${folder}\`]`, false],
    ['0; // t1 retry --seed 4', false],
  ])('%s: %s', (code, found) => expect(texts('x.ts', code).some((text) => commandLine.test(text))).toBe(found));

  test('but where it writes for people at a shell', () => {
    const naming = [...imports.keys()]
      .filter((path) => !/^cli(\/|\.ts$)/.test(path))
      .filter((path) => texts(path, readFileSync(join(source, path), 'utf8')).some((text) => commandLine.test(text)));
    expect(naming).toEqual([
      'distill/recipe.ts', // the page beside training data says what to run
      'settings/settings-table.ts', // docs/settings.md
    ]);
  });
});
