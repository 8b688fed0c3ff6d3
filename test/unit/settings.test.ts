/** One table of settings: what is derived from it, and that nothing is written beside it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { describe, expect, test } from 'vitest';
import yargs from 'yargs';
import { z } from 'zod';
import { declare, namesOf, parsedFlags, type Command } from '../../src/cli/command.js';
import { inCommands } from '../../src/cli/remedies.js';
import { commands } from '../../src/cli/commands.js';
import { understood } from '../../src/cli/habits.js';
import { reading } from '../../src/cli/reading.js';
import { T1Error } from '../../src/errors.js';
import { message, named, remedy } from '../../src/message.js';
import { parseOptions } from '../../src/options.js';
import { packageRoot } from '../../src/paths.js';
import { closest } from '../../src/settings/closest.js';
import { engineSettings, parseEngineSettings } from '../../src/settings/engine-settings.js';
import { parseSettings, recordedSettings } from '../../src/settings/parse-settings.js';
import { settingsOf, type SettingTable } from '../../src/settings/setting.js';
import { jsonSchemaOf, settingsPage } from '../../src/settings/settings-docs.js';
import { settingSections } from '../../src/settings/settings-table.js';
import { benchmarkSettings } from '../../src/settings/benchmark-settings.js';
import { sessionSettings } from '../../src/settings/session-settings.js';
import { solveSettings } from '../../src/settings/solve-settings.js';

const errorOf = (action: () => unknown): T1Error => {
  try {
    action();
  } catch (error) {
    if (error instanceof T1Error) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

async function allCommands(): Promise<readonly (readonly [string, Command])[]> {
  const found = await Promise.all(
    commands.map(async ({ usage, load }) => {
      const loaded = await load();
      if (!('actions' in loaded)) return [[usage, loaded] as const];
      return Promise.all(
        loaded.actions.map(async (action) => {
          const command = await action.load();
          if ('actions' in command) throw new Error('an action has no actions');
          return [`${usage} ${action.usage}`, command] as const;
        }),
      );
    }),
  );
  return found.flat();
}

describe('a value that cannot be is told with what may be and what was given', () => {
  test.each([
    [{ samples: 0 }, 'samples: must be a whole number from 1 to 65536, not 0'],
    [{ samples: 1.5 }, 'samples: must be a whole number from 1 to 65536, not 1.5'],
    [{ samples: 'many' }, "samples: must be a whole number from 1 to 65536, not 'many'"],
    [{ confidence: 2 }, 'confidence: must lie in [0.5, 1], not 2'],
    [{ topP: 0 }, 'topP: must lie in (0, 1], not 0'],
    [{ temperature: Number.NaN }, 'temperature: must lie in [0, 100], not NaN'],
    [
      { select: 'wieghted' },
      "select: must be one of weighted, best-of-n, majority, reward, tool, not 'wieghted' (did you mean weighted?)",
    ],
    [{ verifier: 7 }, 'verifier: must be one of math, steps, steps-then-math, knowledge, or a tool of your own, not 7'],
    [{ bm25: { b: 2 } }, 'bm25.b: must lie in [0, 1], not 2'],
    [{ bm25: 3 }, 'bm25: must be an object of settings, not 3'],
    [{ bm25: { k2: 1 } }, 'there is no setting bm25.k2 (did you mean bm25.k1?)'],
    [{ index: '' }, "index: must be text, and not empty, not ''"],
    [{ sampels: 3 }, 'there is no setting sampels (did you mean samples?)'],
    [{ entirely: 3 }, 'there is no setting entirely'],
  ])('%j', (settings, text) => {
    const error = errorOf(() => parseOptions(settings as object));
    expect(error.message).toBe(text);
    expect(error.code).toBe('USAGE');
    expect(error.setting).toBe(/^there is/.test(text) ? undefined : text.split(':')[0]);
  });

  test('a list says which of its values', () => {
    const table = { names: { type: z.array(z.enum(['a', 'b'])), group: 'Options', help: '' } } satisfies SettingTable;
    expect(errorOf(() => parseSettings(table, { names: ['a', 'c'] })).message).toBe(
      "names: must be one of a, b, not 'c'",
    );
    expect(errorOf(() => parseSettings(table, {})).message).toBe('names: must be given, and be one of a, b');
  });

  test('a text that is read as a list is told as it was given', async () => {
    const numbers = z
      .string()
      .transform((text) => text.split(',').map(Number))
      .pipe(z.array(z.int()));
    const table = {
      sizes: { type: numbers, group: 'Options', help: '', expects: 'be numbers' },
    } satisfies SettingTable;
    expect(errorOf(() => parseSettings(table, { sizes: '4,many' })).message).toBe(
      "sizes: must be numbers, not '4,many'",
    );
  });

  test('two that exclude each other: both are named', () => {
    const error = errorOf(() => parseEngineSettings({ kvType: 'q8_0', flashAttention: 'off' }));
    expect(error.message).toBe('kvType: q8_0 needs flash attention: do not switch flashAttention off');
    expect(error.told(namesOf(engineSettings))).toBe(
      '--kv-type: q8_0 needs flash attention: do not switch --flash-attention off',
    );
  });
});

describe('a message', () => {
  test('calls a setting as the reader does, and never takes what a user wrote for a name', () => {
    const error = new T1Error('USAGE', message`${'{select}'} is wrong, see ${named('bm25.k1')}`, { setting: 'select' });
    expect(error.message).toBe('select: {select} is wrong, see bm25.k1');
    expect(error.told(namesOf(solveSettings))).toBe('--select: {select} is wrong, see --bm25-k1');
    const quoting = new T1Error('USAGE', message`it failed (${error.text})`);
    expect(quoting.told(namesOf(solveSettings))).toBe('it failed (--select: {select} is wrong, see --bm25-k1)');
  });

  test('says what can be done in words, to the command line as a command, also where it is quoted', () => {
    const error = new T1Error('INPUT', message`nothing at runs/a: ${remedy('goOnOrWatch', 'go on with it', 'runs/a')}`);
    expect(error.message).toBe('nothing at runs/a: go on with it');
    const quoting = new T1Error('INPUT', message`it failed (${error.text})`);
    expect(quoting.message).toBe('it failed (nothing at runs/a: go on with it)');
    expect(quoting.told(namesOf(solveSettings), inCommands)).toBe(
      'it failed (nothing at runs/a: t1 retry runs/a goes on with it, t1 view runs/a shows it live)',
    );
  });
});

test.each([
  ['tempature', 'temp'],
  ['n-sample', 'n-samples'],
  ['samples', 'n-samples'],
  ['seed', 'seed'],
  ['zzz', undefined],
])('%s is near to %s', (word, name) => expect(closest(word, ['temp', 'seed', 'n-samples', 'top-p'])).toBe(name));

describe('a setting that is added to the table', () => {
  const table = {
    ...solveSettings,
    slackFactor: {
      type: z.number().min(0).max(3).default(1.5),
      group: 'Budget',
      help: 'how much more than needed',
      unit: 'times',
      alias: 'z',
    },
  } satisfies SettingTable;

  test('is checked, with its default, and has its type', () => {
    const settled: number = parseSettings(table, {}).slackFactor;
    expect(settled).toBe(1.5);
    expect(errorOf(() => parseSettings(table, { slackFactor: 4 })).message).toBe(
      'slackFactor: must lie in [0, 3], not 4',
    );
  });

  test('is a flag with help, and an error names it', async () => {
    const parser = declare(reading(['--slack-factor', '2']), { flags: table, words: {} });
    expect(parsedFlags(table, await parser.parseAsync()).slackFactor).toBe(2);
    expect(parsedFlags(table, await declare(reading(['-z', '0.5']), { flags: table, words: {} }).parseAsync())).toEqual(
      parseSettings(table, { slackFactor: 0.5 }),
    );
    const help = await declare(yargs([]), { flags: table, words: {} }).getHelp();
    expect(help.replaceAll(/\s+/g, ' ')).toContain(
      '-z, --slack-factor how much more than needed [0, 3] [default: 1.5]',
    );
    expect(errorOf(() => parseSettings(table, { slackFactor: 4 })).told(namesOf(table))).toMatch(/^--slack-factor: /);
  });

  test('is documented', () => {
    const page = settingsPage([{ title: 'A problem', about: '', table }]);
    expect(page).toContain(
      '| `slackFactor` | `-z`, `--slack-factor` | [0, 3] times | `1.5` | how much more than needed |',
    );
  });

  test('is in the schema of a request, and in what a run keeps', () => {
    expect(jsonSchemaOf(table)).toMatchObject({
      properties: { slackFactor: { type: 'number', minimum: 0, maximum: 3, default: 1.5 } },
    });
    expect(recordedSettings(table, parseSettings(table, {}))).toMatchObject({ slackFactor: 1.5, verifier: 'math' });
  });
});

test('a run keeps the name and version of a tool, not the tool', () => {
  const tool = { name: 'mine', version: '3', verify: () => Promise.resolve([]) };
  const options = { ...parseOptions({}), verifier: tool as never };
  expect(recordedSettings(solveSettings, options)['verifier']).toBe('mine 3');
});

test('a run keeps what its records depend on, by the names that older runs have', () => {
  const whole = parseSettings(benchmarkSettings, { data: 'file.jsonl', folder: 'runs/a', categories: ['sums'] });
  expect(recordedSettings(benchmarkSettings, whole)).toEqual({ limit: null, category: ['sums'], seeds: 1 });
  const limited = parseSettings(benchmarkSettings, { limit: '50-100' });
  expect(recordedSettings(benchmarkSettings, limited)).toEqual({ limit: '50-100', category: [], seeds: 1 });
  const engine = parseSettings(engineSettings, { threads: 3, kv: 'split' });
  expect(recordedSettings(engineSettings, engine)).toEqual({ reproducible: false });
  expect(recordedSettings(sessionSettings, { rewardModel: 'its hash' })).toEqual({ rewardModel: 'its hash' });
});

test('docs/settings.md is what the tables say (npm run docs:settings writes it)', () => {
  expect(readFileSync(join(packageRoot, 'docs', 'settings.md'), 'utf8')).toBe(settingsPage(settingSections));
});

test('the schema of a request takes what the table takes, and nothing else', () => {
  const schema = z.fromJSONSchema(jsonSchemaOf(solveSettings) as Parameters<typeof z.fromJSONSchema>[0]);
  expect(schema.safeParse({ samples: 4, bm25: { k1: 1 }, select: 'majority' }).success).toBe(true);
  for (const wrong of [{ samples: 0 }, { bm25: { k1: -1 } }, { select: 'best' }, { sampels: 1 }, { verifier: {} }])
    expect(schema.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false);
});

test('no command has a flag or a letter twice, and every setting says what it is', async () => {
  for (const [usage, { flags }] of await allCommands()) {
    const settings = settingsOf(flags);
    const names = settings
      .flatMap(({ flag, setting: { alias } }) => [flag, alias])
      .filter((name) => name !== undefined);
    expect(names.length, usage).toBe(new Set(names).size);
    for (const { setting, path } of settings) expect(String(setting.help), path).not.toBe('');
  }
});

describe("llama.cpp's habits", () => {
  test.each([
    ['solve x -ngl 99', 'solve x --gpu-layers 99'],
    ['solve x -ngl=99', 'solve x --gpu-layers=99'],
    ['solve x -fa -c 512', 'solve x --flash-attention on -c 512'],
    ['solve x -fa off', 'solve x --flash-attention off'],
    ['solve x -ctk q8_0 -ctv q8_0', 'solve x --kv-type q8_0 --kv-type q8_0'],
    ['solve x --ctx-size 512 -ub 64', 'solve x --context 512 --ubatch-size 64'],
    ['solve -- -ngl', 'solve -- -ngl'],
  ])('%s', (line, ours) => expect(understood(line.split(' '))).toEqual(ours.split(' ')));

  test.each([
    ['solve x --n-predict 512', /--n-predict: .*--max-tokens.*-n counts candidates/],
    ['solve -p x', /in quotes/],
    ['solve x --lora a.gguf', /--adapter-tool or --adapter-reward/],
    ['solve x -ctk f16 -ctv q8_0', /alike/],
  ])('%s is answered', (line, text) => {
    const error = errorOf(() => understood(line.split(' ')));
    expect(error.code).toBe('USAGE');
    expect(error.message).toMatch(text);
  });
});

describe('the library', () => {
  const files = readdirSync(join(packageRoot, 'src'), { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !name.startsWith(`cli${sep}`) && name !== 'cli.ts',
  );
  /** Lines that are no comment. */
  const linesOf = (name: string): string[] =>
    readFileSync(join(packageRoot, 'src', name), 'utf8')
      .split('\n')
      .filter((line) => !/^\s*(\/\/|\/?\*)/.test(line));

  test('names no flag of ours in what it says', async () => {
    const ours = new Set((await allCommands()).flatMap(([, { flags }]) => settingsOf(flags).map(({ flag }) => flag)));
    expect(ours.has('n-samples') && ours.has('sandbox')).toBe(true);
    const found = files.flatMap((name) =>
      linesOf(name)
        // Whole command lines, for a shell, are what they are.
        .filter((line) => !/^\s*t1 \w+ /.test(line))
        .flatMap((line) => [...line.matchAll(/(?<![\w-])--(?:no-)?([a-z][a-z0-9-]*)/g)])
        .filter(([, flag]) => ours.has(flag))
        .map(([text]) => `${name}: ${text}`),
    );
    expect(found).toEqual([]);
  });

  test('names only settings that there are', async () => {
    const paths = new Set([
      ...settingSections.flatMap(({ table }) => settingsOf(table).map(({ path }) => path)),
      ...(await allCommands()).flatMap(([, { flags }]) => settingsOf(flags).map(({ path }) => path)),
    ]);
    const found = files.flatMap((name) =>
      [
        ...linesOf(name)
          .join('\n')
          .matchAll(/(?:named\(|\bsetting: )'([^']+)'/g),
      ].map(([, path = '']) => path),
    );
    expect(found.length).toBeGreaterThan(20);
    expect(found.filter((path) => !paths.has(path))).toEqual([]);
  });
});
