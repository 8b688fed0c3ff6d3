/** Training data: what is kept, what is dropped and why, and what a second run asks again. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync, existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { distill } from '../../src/distill/distill.js';
import type { DistillSettings } from '../../src/settings/distill-settings.js';
import { programFilter, rationaleFilter } from '../../src/distill/filters.js';
import { readProblems } from '../../src/distill/training-problems.js';
import { endpointTeacher, engineTeacher, type Teacher } from '../../src/distill/teacher.js';
import { FakeEngine } from '../../src/testing/fake-engine.js';
import { sampleSeed } from '../../src/generate/seeds.js';
import { profileFor } from '../../src/prompt/profile.js';
import { UsageCounter, type ProgramRunner } from '../../src/stage-context.js';
import { Memory } from '../../src/store/memory.js';
import { Store } from '../../src/store/store.js';
import { codeOf } from '../support/code-of.js';

let folder: string;
let store: Store;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 't1-distill-'));
  store = Store.open(join(folder, 'results.db'));
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

const SOLUTIONS = ['So \\boxed{4}.', 'So \\boxed{5}.', 'No idea.', 'So \\boxed{4}.'];
const ASK = 'Is the answer correct (Yes/No)?';
const SETTINGS: DistillSettings = {
  role: 'reward',
  samples: 4,
  temperature: 0.8,
  completions: 3,
  teacherTemperature: 0.6,
  teacherTokens: 100,
  showAnswer: false,
  seed: 0,
  baseModel: 'user/student',
};
const numberOf = (seed: number): number => [0, 1, 2, 3].findIndex((i) => sampleSeed(0, i) === seed);

const sourceOf = (engine: FakeEngine) => ({
  engine,
  modelHash: engine.model.name,
  memory: new Memory(store),
  usage: new UsageCounter(),
  signal: new AbortController().signal,
  emit: () => {},
});
const studentOf = (name = 'student') => {
  const engine = new FakeEngine({ answer: (_, seed) => SOLUTIONS[numberOf(seed)] ?? '', model: { name } });
  return { ...sourceOf(engine), profile: profileFor(engine.model) };
};
const PROBLEMS = [{ id: '0', problem: 'What is 2 + 2?', answer: '4' }];
const line = z.object({ messages: z.array(z.object({ role: z.string(), content: z.string(), train: z.boolean() })) });
const data = (out: string) =>
  readFileSync(join(out, 'data.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((row) => line.parse(JSON.parse(row)));

const rationaleRole = () => {
  const { rationale } = profileFor(studentOf().engine.model).roles;
  if (!rationale) throw new Error('the default profile has rationales');
  return rationale;
};

describe('judgements', () => {
  /** The third reply to each solution is wrong, the second has no verdict. */
  const judge = (prompt: string, seed: number): string => {
    const right = prompt.includes('boxed{4}');
    return ['', 'Hm.', ''][numberOf(seed)] || `Step by step. ${ASK} ${(numberOf(seed) === 2) !== right ? 'Yes' : 'No'}`;
  };
  const run = (teacher: Teacher, settings = SETTINGS, out = join(folder, 'out')) => {
    const role = rationaleRole();
    return distill(PROBLEMS, studentOf(), role, teacher, rationaleFilter(role), settings, out);
  };

  test('those that come to the right verdict are kept, the others are counted', async () => {
    const out = join(folder, 'out');
    const summary = await run(engineTeacher(sourceOf(new FakeEngine({ answer: judge, model: { name: 'teacher' } }))));
    expect(summary).toMatchObject({
      problems: 1,
      solutions: 2,
      unanswered: 1,
      replies: 6,
      kept: 2,
      drops: { 'no verdict': 2, 'disagrees with the answer': 2 },
    });
    const lines = data(out);
    expect(lines.map(({ messages }) => messages.map(({ role, train }) => [role, train]))).toEqual([
      [
        ['user', false],
        ['assistant', true],
      ],
      [
        ['user', false],
        ['assistant', true],
      ],
    ]);
    expect(lines.map(({ messages }) => messages.at(-1)?.content)).toEqual([
      `Step by step. ${ASK} Yes`,
      `Step by step. ${ASK} No`,
    ]);
    expect(lines[0]?.messages[0]?.content).toContain('What is 2 + 2?');
    const axolotl = readFileSync(join(out, 'axolotl.yaml'), 'utf8');
    for (const setting of [
      'lora_r: 64',
      'lora_alpha: 128',
      'learning_rate: 0.0001',
      'num_epochs: 1',
      'sequence_len: 2048',
      'base_model: "user/student"',
    ])
      expect(axolotl).toContain(setting);
    expect(readFileSync(join(out, 'README.md'), 'utf8')).toContain('convert_lora_to_gguf.py');
  });

  test('the teacher may see the answer, the student never', async () => {
    const seen: string[] = [];
    const teacher = engineTeacher(
      sourceOf(
        new FakeEngine({
          answer: (prompt, seed) => (seen.push(prompt), judge(prompt, seed)),
          model: { name: 'teacher' },
        }),
      ),
    );
    await run(teacher, { ...SETTINGS, showAnswer: true });
    expect(seen.every((prompt) => prompt.includes('the right answer is 4'))).toBe(true);
    expect(readFileSync(join(folder, 'out', 'data.jsonl'), 'utf8')).not.toContain('the right answer is');
  });

  test('a second run writes the same and asks nobody', async () => {
    const teacher = new FakeEngine({ answer: judge, model: { name: 'teacher' } });
    await run(engineTeacher(sourceOf(teacher)));
    const before = readFileSync(join(folder, 'out', 'data.jsonl'), 'utf8');
    await run(engineTeacher(sourceOf(teacher)), SETTINGS, join(folder, 'again'));
    expect(teacher.jobs.sample).toBe(1);
    expect(readFileSync(join(folder, 'again', 'data.jsonl'), 'utf8')).toBe(before);
  });

  interface Answer {
    readonly status?: number;
    readonly body: unknown;
    readonly delayMs?: number;
  }

  describe('behind an API', () => {
    let server: Server;
    const requests: { readonly path: string | undefined; readonly key: string | undefined; readonly body: unknown }[] =
      [];
    const schema = z.object({ messages: z.array(z.object({ content: z.string() })), seed: z.number() });
    let answer: (prompt: string, seed: number) => Answer;
    beforeEach(async () => {
      requests.splice(0);
      server = createServer((request, response) => {
        void buffer(request).then((bytes) => {
          const body: unknown = JSON.parse(bytes.toString());
          requests.push({ path: request.url, key: request.headers.authorization, body });
          const { messages, seed } = schema.parse(body);
          const {
            status = 200,
            body: reply,
            delayMs = 0,
          } = answer(messages.map(({ content }) => content).join(), seed);
          const send = () =>
            response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
          const timer = setTimeout(send, delayMs);
          response.on('close', () => clearTimeout(timer));
        });
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      answer = (prompt, seed) => ({
        body: { choices: [{ message: { content: judge(prompt, seed) }, finish_reason: 'stop' }] },
      });
    });
    afterEach(() => new Promise((resolve) => server.close(resolve)));

    const teacher = (signal = new AbortController().signal): Teacher => {
      const { port } = server.address() as AddressInfo;
      return endpointTeacher({
        url: `http://127.0.0.1:${port}/v1`,
        model: 'big',
        key: 'secret-key',
        store,
        signal,
        concurrency: 3,
        onProgress: () => {},
      });
    };

    test('gives the same data; the key is sent and written nowhere', async () => {
      const summary = await run(teacher());
      expect(summary).toMatchObject({ kept: 2, replies: 6 });
      expect(requests).toHaveLength(6);
      expect(requests[0]).toMatchObject({
        path: '/v1/chat/completions',
        key: 'Bearer secret-key',
        body: { model: 'big', temperature: 0.6, max_tokens: 100 },
      });
      for (const file of ['data.jsonl', 'summary.json', 'README.md', 'axolotl.yaml'])
        expect(readFileSync(join(folder, 'out', file), 'utf8')).not.toContain('secret');
      store.close();
      expect(readFileSync(join(folder, 'results.db')).includes('secret-key')).toBe(false);
      store = Store.open(join(folder, 'results.db'));
    });

    test('what was written before a failure is not asked again', async () => {
      const reply = answer;
      answer = (prompt, seed) =>
        requests.length > 4 ? { status: 401, body: { error: { message: 'no credit left' } } } : reply(prompt, seed);
      const failing = run(teacher());
      await expect(failing).rejects.toMatchObject({
        code: 'TEACHER_FAILED',
        message: expect.stringContaining('no credit left') as unknown,
      });
      expect(existsSync(join(folder, 'out', 'data.jsonl'))).toBe(false);
      const asked = requests.length;
      answer = reply;
      await run(teacher());
      expect(requests.length - asked).toBeLessThanOrEqual(3);
      expect(data(join(folder, 'out'))).toHaveLength(2);
    });

    test('a failure ends the others, those too that would be tried again', async () => {
      let refused = false;
      answer = () => ({ status: refused ? 503 : ((refused = true), 401), body: {} });
      await expect(run(teacher())).rejects.toMatchObject({ code: 'TEACHER_FAILED' });
      await new Promise((resolve) => setTimeout(resolve, 3000)); // a second try comes after 1 s
      expect(requests.length).toBeLessThanOrEqual(3); // those that were under way
    });

    test('what is no chat completion is said to be none', async () => {
      answer = () => ({ body: { hello: 'world' } });
      await expect(run(teacher())).rejects.toMatchObject({
        code: 'TEACHER_FAILED',
        message: expect.stringContaining('no chat completion') as unknown,
      });
    });

    test('an abort ends it', async () => {
      const controller = new AbortController();
      answer = () => (controller.abort(), { body: {} });
      await expect(run(teacher(controller.signal))).rejects.toMatchObject({ code: 'ABORTED' });
    });
  });
});

describe('programs', () => {
  const sandbox: ProgramRunner = {
    run: async ({ code }) =>
      code.includes('crash')
        ? {
            status: 'error',
            stdout: '',
            value: null,
            truncated: false,
            ms: 1,
            error: { type: 'ValueError', message: '', line: 1, missingModule: null },
          }
        : {
            status: 'ok',
            stdout: /print\((.*)\)/.exec(code)?.[1] ?? '',
            value: null,
            error: null,
            truncated: false,
            ms: 1,
          },
  };
  const reply = (text: string, more: { answer?: string; gold?: string | undefined; complete?: boolean } = {}) => ({
    text,
    answer: '4',
    gold: '4' as string | undefined,
    complete: true,
    ...more,
  });
  const program = (code: string): string => `\`\`\`python\n${code}\n\`\`\``;

  test.each([
    [reply(program('print(True)')), null],
    [reply(program('print(False)')), 'disagrees with the answer'],
    [reply(program('print(False)'), { answer: '5' }), null],
    [reply(program('print(False)'), { gold: undefined }), null],
    [reply(program('print(True)'), { answer: '4.0' }), null],
    [reply(program('print(True)'), { answer: '2^2' }), null],
    [reply(program('print(False)'), { answer: '\\sqrt{16}' }), 'disagrees with the answer'],
    [reply(program('crash')), 'program did not run'],
    [reply(program('print(42)')), 'program printed no verdict'],
    [reply('I would not know.'), 'no program'],
    [reply(program('print(True)'), { complete: false }), 'cut off'],
  ])('%j: %s', async (what, drop) =>
    expect(await programFilter(sandbox, 2000)(what, new AbortController().signal)).toBe(drop),
  );
});

describe('the task', () => {
  const file = (content: string): string => {
    const path = join(folder, 'task.jsonl');
    writeFileSync(path, content);
    return path;
  };
  test('our own lines and those of GSM8K', () => {
    const path = file(
      '{"id": 7, "problem": "a", "answer": 4}\n\n{"question": "b", "answer": "2+2 = <<2+2=4>>4\\n#### 4"}\n{"problem": "c"}\n',
    );
    expect(readProblems(path, [0, Infinity])).toEqual([
      { id: '7', problem: 'a', answer: '4' },
      { id: '2', problem: 'b', answer: '4' },
      { id: '3', problem: 'c', answer: undefined },
    ]);
    expect(readProblems(path, [1, 2]).map(({ problem }) => problem)).toEqual(['b']);
  });
  test.each([
    ['{"problem": "a"}\nnot json', /line 2 is not JSON/],
    ['{"text": "a"}', /line 1 has no text in 'problem' or 'question'/],
    ['\n', /holds no problem/],
  ])('%j is refused', (content, message) => {
    expect(() => readProblems(file(content), [0, Infinity])).toThrow(message);
  });
  test('a file that is not there', () =>
    expect(codeOf(() => readProblems(join(folder, 'absent'), [0, 1]))).toBe('FILE_NOT_FOUND'));
});
