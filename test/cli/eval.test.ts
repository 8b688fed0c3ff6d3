/** `t1 eval` as a user runs it, killed at any point too. */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { start, t1, temporaryFolder } from '../support/t1.js';

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => (folder = temporaryFolder()));
afterEach(() => folder.remove());
const at = (name: string): string => join(folder.path, name);

const summary = z.looseObject({
  problems: z.number(),
  curve: z.unknown(),
  verdicts: z.unknown(),
  manifest: z.looseObject({ command: z.array(z.string()) }),
});
const evaluate = (name: string, more: readonly string[] = []): string[] => [
  'eval',
  'tiny',
  '--limit',
  '12',
  '-n',
  '4',
  '--reproducible',
  '--threads',
  '1',
  '--db',
  at(`${name}.db`),
  '--out',
  at(name),
  '--json',
  ...more,
];

test('killed twenty times, the figures are those of an undisturbed run', async () => {
  const undisturbed = await t1(evaluate('whole'));
  expect(undisturbed.code, undisturbed.stderr).toBe(0);
  let [kills, code] = [0, null as number | null];
  let [last, problem] = ['', ''];
  for (let attempt = 0; code !== 0 && attempt < 100; attempt++) {
    const { child, finished } = start(evaluate('killed'));
    // Somewhere between the first instruction and the last; if it was too fast, it is done.
    const early = kills < 20 ? sleep(150 + 97 * (attempt % 13)).then(() => child.kill('SIGKILL')) : undefined;
    const ended = await finished;
    await early;
    code = ended.code;
    [last, problem] = [ended.stdout, ended.stderr];
    // Whenever it was killed, the next start goes on; nothing is ever damaged.
    expect(ended.signal ?? code, problem).toBe(code === 0 ? 0 : 'SIGKILL');
    if (ended.signal === 'SIGKILL') kills++;
    if (code === 0 && kills < 20) {
      // Done before its time: start over with nothing, and kill on.
      for (const file of ['killed', 'killed.db', 'killed.db-wal', 'killed.db-shm'])
        rmSync(at(file), { recursive: true, force: true });
      code = null;
    }
  }
  expect(kills).toBeGreaterThanOrEqual(20);
  expect(code, problem).toBe(0);
  const [a, b] = [undisturbed.stdout, last].map((text) => summary.parse(JSON.parse(text)));
  expect({ curve: b?.curve, verdicts: b?.verdicts, problems: b?.problems }).toEqual({
    curve: a?.curve,
    verdicts: a?.verdicts,
    problems: 12,
  });
}, 300_000);

test('a second start decodes nothing; show, ls, compare, export and retry know the run', async () => {
  await t1(evaluate('run'));
  const again = await t1(evaluate('run', ['--progress', 'json']));
  expect(again.stderr).toBe('');
  expect(summary.parse(JSON.parse(again.stdout)).problems).toBe(12);
  const shown = await t1(['runs', 'show', at('run')]);
  expect(shown.stdout).toContain('Command: t1 eval tiny --limit 12');
  expect((await t1(['runs', 'ls', '--folder', folder.path])).stdout).toContain('12/12');
  expect((await t1(['runs', 'compare', at('run'), at('run')])).stdout).toContain('0.0 [0.0, 0.0]');
  expect((await t1(['runs', 'export', at('run')])).stdout.trim().split('\n')).toHaveLength(12);
  expect((await t1(['retry', at('run')])).code).toBe(0);
  // Flags that were given twice are read as they were.
  const retried = await t1([
    ...evaluate('twice').slice(0, 2),
    '--limit',
    '1',
    ...evaluate('twice', ['-n', '2']).slice(2),
  ]);
  expect(retried.code, retried.stderr).toBe(0);
  expect(await t1(['retry', at('twice')])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/"problems":12,.*"samples":2,/) as unknown,
  });
});

test('every task is listed', async () => {
  const { stdout } = await t1(['ls', 'tasks', '--json']);
  expect(
    z
      .object({ tasks: z.array(z.looseObject({ name: z.string() })) })
      .parse(JSON.parse(stdout))
      .tasks.map(({ name }) => name),
  ).toEqual(['arithmetic', 'gsm8k', 'math500', 'mmlu-pro', 'mmlu-pro-versaprm', 'svamp', 'tiny']);
});

test('progress for machines', async () => {
  const { stderr } = await t1(evaluate('run', ['--progress', 'json']));
  const lines = stderr
    .trim()
    .split('\n')
    .flatMap((line) =>
      line.startsWith('{')
        ? [z.looseObject({ finished: z.number(), total: z.number(), secondsLeft: z.number() }).parse(JSON.parse(line))]
        : [],
    );
  expect(lines.at(-1)).toMatchObject({ finished: 12, total: 12, secondsLeft: 0 });
});

test('arithmetic, by thinking and by program', async () => {
  const { code, stdout } = await t1([
    'eval',
    'arithmetic',
    '--limit',
    '3',
    '--db',
    at('r.db'),
    '--out',
    at('run'),
    '--json',
  ]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    kind: 'claims',
    problems: 48,
    operands: [{ operands: 3, claims: 6 }, {}, {}, {}, {}, {}, {}, { operands: 10 }],
  });
});

test('several tasks, each in a folder of its own', async () => {
  const { code, stdout, stderr } = await t1([
    'eval',
    'tiny',
    'arithmetic',
    '--limit',
    '2',
    '-n',
    '2',
    '--db',
    at('r.db'),
    '--out',
    at('both'),
    '--json',
  ]);
  expect(code, stderr).toBe(0);
  const [tiny, arithmetic] = stdout
    .trim()
    .split('\n')
    .map((line) => z.looseObject({ folder: z.string(), kind: z.string() }).parse(JSON.parse(line)));
  expect([tiny?.folder, tiny?.kind, arithmetic?.folder, arithmetic?.kind]).toEqual([
    at('both/tiny'),
    'problems',
    at('both/arithmetic'),
    'claims',
  ]);
  expect((await t1(['runs', 'show', at('both/tiny')])).stdout).toContain('Command: t1 eval tiny --limit 2');
});

test.each([
  ['nonsense', 'USAGE'],
  ['./absent.jsonl', 'FILE_NOT_FOUND'],
])('with %s among several tasks nothing is begun', async (wrong, error) => {
  const { code, stderr } = await t1([
    'eval',
    'tiny',
    wrong,
    '--limit',
    '2',
    '-n',
    '2',
    '--db',
    at('r.db'),
    '--out',
    at('both'),
  ]);
  expect([code, stderr.trim().split('\n')]).toEqual([2, [expect.stringContaining(error)]]);
  expect(existsSync(at('both'))).toBe(false);
});

test('a file of the user', async () => {
  writeFileSync(at('own.csv'), 'q,a\nMia has 4 stamps. Leo gives Mia 3 more. How many stamps does Mia have now?,7\n');
  const { code, stdout, stderr } = await t1([
    'eval',
    at('own.csv'),
    '--map',
    'problem=q',
    '--map',
    'answer=a',
    '-n',
    '2',
    '--db',
    at('r.db'),
    '--out',
    at('run'),
    '--json',
  ]);
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ problems: 1, failed: 0 });
});

test('what can be done about an error is told as a command', async () => {
  const { stderr } = await t1(['runs', 'show', at('absent')]);
  expect(stderr).toBe(`t1: FILE_NOT_FOUND: no run at ${at('absent')}: t1 runs ls lists those there are\n`);
  const help = (await t1(['solve', '--help'])).stdout.replaceAll(/\s+/g, ' ');
  expect(help).toContain('decodes; t1 inspect gpu lists them');
});

test.each([
  [['eval'], 'USAGE'],
  [['eval', 'gsm8'], 'USAGE'],
  [['eval', './absent.jsonl'], 'FILE_NOT_FOUND'],
  [['eval', 'tiny', '--limit', '5-2'], 'USAGE'],
  [['eval', 'tiny', '--limit', '500-600'], 'USAGE'],
  [['eval', 'tiny', '--map', 'problem=q'], 'USAGE'],
  [['eval', 'mmlu-pro'], 'DATA_UNAVAILABLE'],
  [['eval', 'arithmetic', '--limit', '3-5'], 'USAGE'],
  [['eval', 'arithmetic', '--seeds', '2'], 'USAGE'],
  [['eval', 'arithmetic', '--category', '3'], 'USAGE'],
  [['eval', 'tiny', '--category', 'absent'], 'USAGE'],
  [['eval', 'tiny', '-m', 'absent.gguf'], 'FILE_NOT_FOUND'],
  [['runs', 'show', 'absent'], 'FILE_NOT_FOUND'],
  [['runs', 'compare', 'one'], 'USAGE'],
  [['retry', 'absent'], 'FILE_NOT_FOUND'],
])('%j ends in %s', async (args, code) => {
  const { code: exit, stderr } = await t1(args, { environment: { T1_CACHE_DIR: folder.path } });
  expect(stderr).toMatch(new RegExp(`^t1: ${code}: .*\\n$`));
  expect(exit).not.toBe(0);
});
