/** The whole way over a scripted engine and a scripted tool. */
import Database from 'better-sqlite3';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeEngine, type FakeEngineOptions } from '../../src/testing/fake-engine.js';
import { T1Error } from '../../src/errors.js';
import { sampleSeed } from '../../src/generate/seeds.js';
import type { ProgramRunner } from '../../src/stage-context.js';
import { solveTable } from '../../src/cli/solve-table.js';
import { failed, timedOut } from '../../src/sandbox/program.js';
import { Sandbox, type SandboxIdentity } from '../../src/sandbox/sandbox.js';
import { solve, type SolveContext } from '../support/solve.js';
import { Store } from '../../src/store/store.js';
import type { SolveEvent } from '../../src/types.js';

const PROBLEM = 'What is 20 + 22?';
let folder: string;
let model: string;
let store: Store;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 't1-solve-'));
  model = join(folder, 'fake.gguf');
  writeFileSync(model, 'weights');
  store = Store.open(join(folder, 'results.sqlite'));
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Sample i answers ANSWERS[i]: a wrong majority, and a right answer that only the tool tells apart. */
const ANSWERS = ['41', '41', '41', '42', '42', 'none', '40', '41'];

const answerOf = (seed: number): string => {
  const index = Array.from({ length: 64 }, (_, i) => sampleSeed(0, i)).indexOf(seed);
  const answer = ANSWERS[index % ANSWERS.length] ?? '';
  return answer === 'none' ? 'I give up.' : `Step 1: 20 + 22 = ${answer}\nThe answer is \\boxed{${answer}}.`;
};

const engineOf = (more: Partial<FakeEngineOptions> = {}): FakeEngine =>
  new FakeEngine({
    answer: (prompt, seed) => {
      const claimed = /boxed\{(\d+)\}/.exec(prompt)?.[1];
      return prompt.includes('Write Python') ? `\`\`\`python\nprint(20 + 22 == ${claimed})\n\`\`\`` : answerOf(seed);
    },
    // The reward likes 41 best.
    logprob: (text, target) => Math.log(target === 'Yes' ? (text.includes('boxed{41}') ? 0.4 : 0.2) : 0.1),
    model: { path: model, metadata: { 't1.profile': 'tiny' } },
    ...more,
  });

/** Evaluates the one comparison that the scripted programs make. */
class ScriptedTool implements ProgramRunner {
  readonly identity: SandboxIdentity = { version: 'scripted/1' };
  readonly codes: string[] = [];

  async run({ code }: { readonly code: string }) {
    this.codes.push(code);
    const claimed = /== (\d+)/.exec(code)?.[1];
    return {
      status: 'ok' as const,
      stdout: claimed === '42' ? 'True\n' : 'False\n',
      value: null,
      error: null,
      truncated: false,
      ms: 1,
    };
  }
}

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'nothing thrown',
    (error: unknown) => (error instanceof T1Error ? error.code : String(error)),
  );

describe('the way of a problem', () => {
  test('the tool overrules majority and reward', async () => {
    const result = await solve(PROBLEM, { engine: engineOf(), store, sandbox: new ScriptedTool(), samples: 8 }).result;
    expect(result).toMatchObject({
      problem: PROBLEM,
      answer: '42',
      verified: true,
      select: 'weighted',
      fallback: null,
    });
    expect(result.candidates.map(({ tool }) => tool.verdict)).toEqual([
      'fail',
      'fail',
      'fail',
      'pass',
      'pass',
      'unknown',
      'fail',
      'fail',
    ]);
    expect(result.candidates[0]?.reward).toBeCloseTo(0.8, 5);
    expect(result.candidates[3]?.reward).toBeCloseTo(2 / 3, 5);
    expect(result.candidates[5]).toMatchObject({ answer: null, reward: null, weight: 0, tool: { programs: [] } });
  });

  test('identical candidates are verified and scored once', async () => {
    const engine = engineOf();
    const tool = new ScriptedTool();
    await solve(PROBLEM, { engine, store, sandbox: tool, samples: 8 }).result;
    expect(tool.codes.sort()).toEqual(['print(20 + 22 == 40)', 'print(20 + 22 == 41)', 'print(20 + 22 == 42)']);
    expect(engine.jobs).toEqual({ sample: 1 + 3, score: 3 });
  });

  test('a problem of 200 kB goes the whole way, judgements in words too', async () => {
    const problem = `${PROBLEM} ${'Not that it matters. '.repeat(10_000)}`;
    for (const reward of ['yes-no', 'genrm'] as const) {
      const engine = engineOf({
        model: { path: model },
        answer: (prompt, seed) => (prompt.includes('Grade') ? 'Is the answer correct (Yes/No)? Yes' : answerOf(seed)),
      });
      const settings = { samples: 4, rationales: 1, verifier: 'steps', reward } as const;
      const { answer, candidates } = await solve(problem, { engine, store, ...settings }).result;
      expect(answer).toBe('42');
      expect(candidates[3]?.reward).toBeCloseTo(2 / 3, 5);
    }
  });

  test("a verifier's prompt begins with the tokens that were sampled", async () => {
    const prompts: string[] = [];
    const engine = engineOf();
    const sample = engine.sample.bind(engine);
    engine.sample = (request) => {
      for (const { tokens } of request.prompts) prompts.push(Buffer.from(tokens.filter((id) => id < 256)).toString());
      return sample(request);
    };
    await solve(PROBLEM, { engine, store, sandbox: new ScriptedTool(), samples: 1 }).result;
    const [solving = '', checking = ''] = prompts;
    expect(checking.startsWith(`${solving}Step 1: 20 + 22 = 41`)).toBe(true);
  });

  test('events tell everything as it happens, the answer last', async () => {
    const events: SolveEvent[] = [];
    const solving = solve(PROBLEM, { engine: engineOf(), store, sandbox: new ScriptedTool(), samples: 8 });
    for await (const event of solving) events.push(event);
    const count = (type: SolveEvent['type']) => events.filter((event) => event.type === type).length;
    expect([count('candidate'), count('verdict'), count('score'), count('answer')]).toEqual([8, 7, 7, 1]);
    expect(events.at(-1)).toEqual({ type: 'answer', result: await solving.result });
  });

  test('a listener that stops listening does not stop the work', async () => {
    const solving = solve(PROBLEM, { engine: engineOf(), store, sandbox: new ScriptedTool(), samples: 8 });
    for await (const _ of solving) break;
    expect((await solving.result).answer).toBe('42');
  });

  test('a crashed tool is unknown, is not remembered, and leads to the fallback', async () => {
    const crashing: ProgramRunner = {
      identity: new ScriptedTool().identity,
      run: async () => ({
        status: 'died',
        stdout: '',
        value: null,
        error: { type: 'Died', message: 'gone', line: null, missingModule: null },
        truncated: false,
        ms: 1,
      }),
    };
    const first = await solve(PROBLEM, { engine: engineOf(), store, sandbox: crashing, samples: 4 }).result;
    expect(first).toMatchObject({ verified: false, fallback: 'reward', answer: '41' });
    expect(first.candidates.map(({ tool }) => tool.verdict)).toEqual(['unknown', 'unknown', 'unknown', 'unknown']);
    const second = await solve(PROBLEM, { engine: engineOf(), store, sandbox: new ScriptedTool(), samples: 4 }).result;
    expect(second).toMatchObject({ verified: true, answer: '42', usage: { decodedTokens: 0 } });
  });
});

test('options of the sandbox that cannot be used are told before anything is sampled', async () => {
  const engine = engineOf();
  for (const [sandboxOptions, code] of [
    [{ backend: 'docker' as 'auto' }, 'USAGE'],
    [{ sympy: [join(folder, 'absent')] }, 'FILE_NOT_FOUND'],
  ] as const) {
    expect(await codeOf(solve(PROBLEM, { engine, store, sandboxOptions, samples: 2 }).result)).toBe(code);
  }
  expect(engine.jobs).toEqual({ sample: 0, score: 0 });
});

describe('a sandbox that lacks a module', () => {
  const lacking: ProgramRunner = {
    identity: { version: 'lacking/1' },
    run: async ({ code }) =>
      failed('error', 'ModuleNotFoundError', 'gone', { missingModule: code.includes('42') ? 'sympy' : 'numpy' }),
  };

  test('leaves its verdicts unknown, and the result counts the programs that were lost', async () => {
    const first = await solve(PROBLEM, { engine: engineOf(), store, sandbox: lacking, samples: 8, programs: 1 }).result;
    expect(first.candidates.map(({ tool }) => tool.verdict)).toEqual(Array(8).fill('unknown'));
    expect(first.candidates[3]?.tool.programs).toMatchObject([{ status: 'error', missingModule: 'sympy' }]);
    expect(first.missingModules).toEqual({ sympy: 2, numpy: 5 });
    expect(solveTable(first)).toContain(
      '7 checking programs could not run for want of a module: numpy (5), sympy (2).',
    );
    const again = await solve(PROBLEM, { engine: engineOf(), store, sandbox: lacking, samples: 8, programs: 1 }).result;
    expect(again).toMatchObject({ missingModules: { sympy: 2, numpy: 5 }, usage: { decodedTokens: 0 } });
  });

  test('is asked again once another sandbox runs the programs', async () => {
    await solve(PROBLEM, { engine: engineOf(), store, sandbox: lacking, samples: 8 }).result;
    const tool = Object.assign(new ScriptedTool(), { identity: { version: 'complete/1' } });
    const result = await solve(PROBLEM, { engine: engineOf(), store, sandbox: tool, samples: 8 }).result;
    expect(result).toMatchObject({ answer: '42', verified: true, missingModules: {} });
    expect(tool.codes.length).toBeGreaterThan(0);
    expect(solveTable(result)).not.toContain('could not run');
  });
});

describe('the store', () => {
  test('answers the same question without engine or tool', async () => {
    await solve(PROBLEM, { engine: engineOf(), store, sandbox: new ScriptedTool(), samples: 8 }).result;
    const engine = engineOf();
    const tool = new ScriptedTool();
    const again = await solve(PROBLEM, { engine, store, sandbox: tool, samples: 8 }).result;
    expect(again.answer).toBe('42');
    expect(engine.jobs).toEqual({ sample: 0, score: 0 });
    expect(tool.codes).toEqual([]);
  });

  test.each([
    ['another file', () => writeFileSync(model, 'other weights')],
    ['another problem', () => {}],
  ])('%s shares nothing', async (what, change) => {
    await solve(PROBLEM, { engine: engineOf(), store, sandbox: new ScriptedTool(), samples: 2 }).result;
    change();
    const engine = engineOf();
    await solve(what === 'another problem' ? 'What is 40 + 2?' : PROBLEM, {
      engine,
      store,
      sandbox: new ScriptedTool(),
      samples: 2,
    }).result;
    expect(engine.jobs.sample).toBe(2);
  });

  test.each([
    [{ seed: 1 }],
    [{ temperature: 0.7 }],
    [{ topK: 40 }],
    [{ topP: 0.9 }],
    [{ minP: 0.1 }],
    [{ maxTokens: 100 }],
  ])('%j shares no samples', async (change) => {
    await solve(PROBLEM, { engine: engineOf(), store, sandbox: new ScriptedTool(), samples: 2 }).result;
    const engine = engineOf({ answer: () => 'Another answer: \\boxed{7}' });
    const result = await solve(PROBLEM, { engine, store, sandbox: new ScriptedTool(), samples: 2, ...change }).result;
    expect(result.candidates.map(({ answer }) => answer)).toEqual(['7', '7']);
  });

  test('another build of the engine shares nothing', async () => {
    await solve(PROBLEM, { engine: engineOf(), store, sandbox: new ScriptedTool(), samples: 2 }).result;
    const engine = engineOf({ build: 'fake engine 2' });
    await solve(PROBLEM, { engine, store, sandbox: new ScriptedTool(), samples: 2 }).result;
    expect(engine.jobs).toEqual({ sample: 1 + 1, score: 1 }); // both candidates say the same
  });

  test('an aborted run keeps what was finished, and the next one adds the rest', async () => {
    const stop = new AbortController();
    const solving = solve(PROBLEM, {
      engine: engineOf({ delayMs: 5 }),
      store,
      sandbox: new ScriptedTool(),
      samples: 8,
      signal: stop.signal,
    });
    let seen = 0;
    const listening = (async () => {
      for await (const event of solving) if (event.type === 'candidate' && ++seen === 3) stop.abort();
    })();
    expect(await codeOf(listening)).toBe('ABORTED');
    expect(await codeOf(solving.result)).toBe('ABORTED');
    expect(store.stats().values['sample']).toBeGreaterThanOrEqual(3);
    const result = await solve(PROBLEM, { engine: engineOf(), store, sandbox: new ScriptedTool(), samples: 8 }).result;
    expect(result.cache.hits).toBeGreaterThanOrEqual(3);
    expect(result.answer).toBe('42');
  });
});

describe('adapters', () => {
  const adapterFile = (name: string, content: string): string => {
    const path = join(folder, `${name}.gguf`);
    writeFileSync(path, content);
    return path;
  };
  /** Remembers which adapter each job named. */
  const engineWith = (scale = 1, more: Partial<FakeEngineOptions> = {}) => {
    const jobs: (string | undefined)[] = [];
    const path = (name: string) => join(folder, `${name}.gguf`);
    const engine = engineOf({
      adapters: [
        { name: 'a', path: path('a'), scale },
        { name: 'b', path: path('b'), scale },
      ],
      ...more,
    });
    const [sample, score] = [engine.sample.bind(engine), engine.score.bind(engine)];
    engine.sample = (request) => (jobs.push(request.adapter), sample(request));
    engine.score = (request) => (jobs.push(request.adapter), score(request));
    return { engine, jobs };
  };
  const solveWith = async (
    { engine, jobs }: ReturnType<typeof engineWith>,
    settings: { adapterTool?: string; adapterReward?: string },
  ) => {
    await solve(PROBLEM, { engine, store, sandbox: new ScriptedTool(), samples: 4, ...settings }).result;
    return jobs.sort((a = '', b = '') => a.localeCompare(b)); // candidates, and programs and scores of two solutions
  };
  beforeEach(() => {
    adapterFile('a', 'adapter a');
    adapterFile('b', 'adapter b');
  });

  test('each role uses its own, candidates come from the base model', async () => {
    expect(await solveWith(engineWith(), { adapterTool: 'a', adapterReward: 'b' })).toEqual([
      'a',
      'a',
      'b',
      'b',
      undefined,
    ]);
    expect(await solveWith(engineWith(), {})).toEqual(Array(4).fill(undefined)); // programs and scores; candidates are shared
    expect(await solveWith(engineWith(), { adapterTool: 'a', adapterReward: 'b' })).toEqual([]);
    expect(await solveWith(engineWith(), {})).toEqual([]);
  });

  test("the tool's concerns programs and verdicts only, the reward's scores only", async () => {
    await solveWith(engineWith(), {});
    expect(await solveWith(engineWith(), { adapterTool: 'a' })).toEqual(['a', 'a']);
    expect(store.stats().values['score']).toBe(2); // 41 and 42
    expect(await solveWith(engineWith(), { adapterReward: 'a' })).toEqual(['a', 'a']);
    expect(await solveWith(engineWith(), { adapterReward: 'a', adapterTool: 'a' })).toEqual([]);
  });

  test('are known by content and scale, not by name', async () => {
    await solveWith(engineWith(), { adapterTool: 'a', adapterReward: 'a' });
    expect(
      await solveWith(engineWith(1, { adapters: [{ name: 'z', path: adapterFile('copy', 'adapter a'), scale: 1 }] }), {
        adapterTool: 'z',
        adapterReward: 'z',
      }),
    ).toEqual([]);
    expect(await solveWith(engineWith(0.5), { adapterTool: 'a', adapterReward: 'a' })).toEqual(['a', 'a', 'a', 'a']);
    adapterFile('a', 'adapter a, trained longer');
    expect(await solveWith(engineWith(), { adapterTool: 'a', adapterReward: 'a' })).toEqual(['a', 'a', 'a', 'a']);
  });

  test('one that the engine does not have is wrong usage, before anything is decoded', async () => {
    const { engine, jobs } = engineWith();
    const solving = solve(PROBLEM, { engine, store, sandbox: new ScriptedTool(), adapterReward: 'c' });
    await expect(solving.result).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(/adapterReward.*'c'.*'a', 'b'/) as unknown,
    });
    expect(jobs).toEqual([]);
    expect(await codeOf(solve(PROBLEM, { engine, store, adapterTool: '' }).result)).toBe('USAGE');
  });

  test('one whose file is gone', async () => {
    const { engine } = engineWith(1, { adapters: [{ name: 'a', path: join(folder, 'gone.gguf'), scale: 1 }] });
    expect(await codeOf(solve(PROBLEM, { engine, store, adapterTool: 'a' }).result)).toBe('FILE_NOT_FOUND');
  });
});

describe('another reward model', () => {
  const CHAT = '{% for message in messages %}[{{ message.role }}]{{ message.content }}{% endfor %}[reply]';
  /** Likes 40 best, speaks another template, and remembers what it was asked. */
  const rewardOf = (content = 'reward weights', more: Partial<FakeEngineOptions> = {}) => {
    const path = join(folder, 'reward.gguf');
    writeFileSync(path, content);
    const asked: { text: string; adapter: string | undefined }[] = [];
    const engine = engineOf({
      logprob: (text, target) => Math.log(target === 'Yes' ? (text.includes('boxed{40}') ? 0.9 : 0.3) : 0.1),
      ...more,
      model: { path, metadata: { 't1.profile': 'tiny' }, chatTemplate: CHAT, ...more.model },
    });
    const score = engine.score.bind(engine);
    engine.score = (request) => {
      for (const { tokens } of request.sequences)
        asked.push({ text: Buffer.from(tokens).toString('latin1'), adapter: request.adapter });
      return score(request);
    };
    return { engine, asked };
  };
  const solveWith = (engine: FakeEngine, rewardEngine: FakeEngine, settings: { adapterReward?: string } = {}) =>
    solve(PROBLEM, { engine, rewardEngine, store, sandbox: new ScriptedTool(), samples: 8, ...settings }).result;

  test('is asked in its own words, for rewards and nothing else', async () => {
    const [engine, { engine: rewardEngine, asked }] = [engineOf(), rewardOf()];
    const result = await solveWith(engine, rewardEngine);
    expect([engine.jobs, rewardEngine.jobs]).toEqual([
      { sample: 1 + 3, score: 0 },
      { sample: 0, score: 3 },
    ]);
    expect(
      result.candidates.map(({ reward }) => (typeof reward === 'number' ? Math.round(100 * reward) : reward)),
    ).toEqual([75, 75, 75, 75, 75, null, 90, 75]);
    expect(asked).toHaveLength(3);
    // From the text: the solver's ids, and its template, are not this model's.
    for (const { text } of asked)
      expect(text).toMatch(
        /^\[user\]What is 20 \+ 22\?\[assistant\]Step 1: .*\[user\]Is the solution correct\? .*\[reply\]$/s,
      );
    expect(result.usage.decodedTokens).toBe(engine.decodedTokens + rewardEngine.decodedTokens);
    expect(rewardEngine.decodedTokens).toBeGreaterThan(0);
  });

  test("reads its own tokens, also where its template is the solver's", async () => {
    const { chatTemplate } = engineOf().model;
    const { engine: rewardEngine, asked } = rewardOf(undefined, { model: { chatTemplate } });
    const tokenize = rewardEngine.tokenize.bind(rewardEngine);
    rewardEngine.tokenize = (text) => tokenize(['Yes', 'No'].includes(text) ? text : text.toUpperCase());
    await solveWith(engineOf(), rewardEngine);
    expect(asked).toHaveLength(3);
    for (const { text } of asked)
      expect(text).toMatch(/^<\|USER\|>WHAT IS 20 .*STEP 1: .*IS THE SOLUTION CORRECT.*<\|ASSISTANT\|>$/s);
  });

  test('changes scores only, and its scores are known by its content, build and adapter', async () => {
    await solve(PROBLEM, { engine: engineOf(), store, sandbox: new ScriptedTool(), samples: 8 }).result;
    const jobs = async (
      { engine: rewardEngine }: ReturnType<typeof rewardOf>,
      settings: { adapterReward?: string } = {},
    ) => {
      const engine = engineOf();
      await solveWith(engine, rewardEngine, settings);
      expect(engine.jobs).toEqual({ sample: 0, score: 0 });
      return rewardEngine.jobs.score;
    };
    writeFileSync(join(folder, 'lora.gguf'), 'adapter');
    const adapters = [{ name: 'r', path: join(folder, 'lora.gguf'), scale: 1 }];
    expect(await jobs(rewardOf())).toBe(3);
    expect(await jobs(rewardOf())).toBe(0);
    expect(await jobs(rewardOf('other weights'))).toBe(3);
    expect(await jobs(rewardOf(undefined, { build: 'another build' }))).toBe(3);
    const adapted = rewardOf(undefined, { adapters });
    expect(await jobs(adapted, { adapterReward: 'r' })).toBe(3);
    expect(adapted.asked.map(({ adapter }) => adapter)).toEqual(['r', 'r', 'r']);
    expect(await jobs(rewardOf(undefined, { adapters }), { adapterReward: 'r' })).toBe(0);
  });

  test('may be the same model: then it gives the scores that the model itself gives', async () => {
    const alone = await solve(PROBLEM, { engine: engineOf(), store, sandbox: new ScriptedTool(), samples: 8 }).result;
    const rewardEngine = engineOf();
    const result = await solveWith(engineOf(), rewardEngine);
    expect(result.candidates).toEqual(alone.candidates);
    expect(rewardEngine.jobs.score).toBe(0); // all in the store
  });

  const bytes = (text: string): Int32Array => Int32Array.from(Buffer.from(text));
  const unusable: [string, () => FakeEngine, string, RegExp][] = [
    [
      'no chat template',
      () => rewardOf(undefined, { model: { name: 'mute', chatTemplate: undefined } }).engine,
      'MODEL_INVALID',
      /mute.*chat template/,
    ],
    [
      'no single token for a word',
      () => Object.assign(rewardOf(undefined, { model: { name: 'spelling' } }).engine, { tokenize: bytes }),
      'MODEL_INVALID',
      /"Yes".*spelling/,
    ],
    [
      'no file any more',
      () => rewardOf(undefined, { model: { path: join(folder, 'gone.gguf') } }).engine,
      'FILE_NOT_FOUND',
      /gone\.gguf/,
    ],
    ['no adapter of that name', () => rewardOf(undefined, { adapters: [] }).engine, 'USAGE', /adapterReward.*'a'/],
  ];
  test.each(unusable)(
    'one that cannot be asked is refused before anything is sampled: %s',
    async (what, make, code, message) => {
      writeFileSync(join(folder, 'a.gguf'), 'adapter');
      const engine = engineOf({ adapters: [{ name: 'a', path: join(folder, 'a.gguf'), scale: 1 }] });
      const settings = what.startsWith('no adapter') ? { adapterReward: 'a' } : {};
      await expect(solveWith(engine, make(), settings)).rejects.toMatchObject({
        code,
        message: expect.stringMatching(message) as unknown,
      });
      expect(engine.jobs).toEqual({ sample: 0, score: 0 });
    },
  );
});

describe('what can go wrong', () => {
  const cases: [string, () => Promise<unknown>, string][] = [
    ['an empty problem', () => solve('', { engine: engineOf(), store }).result, 'INPUT'],
    ['a setting out of range', () => solve(PROBLEM, { engine: engineOf(), store, samples: 0 }).result, 'USAGE'],
    [
      'a disposed engine',
      async () => {
        const engine = engineOf();
        await engine.dispose();
        await solve(PROBLEM, { engine, store }).result;
      },
      'DISPOSED',
    ],
    [
      'a signal that fired before',
      () => solve(PROBLEM, { engine: engineOf(), store, signal: AbortSignal.abort() }).result,
      'ABORTED',
    ],
    [
      'a model without a chat template',
      () => solve(PROBLEM, { engine: engineOf({ model: { path: model, chatTemplate: undefined } }), store }).result,
      'MODEL_INVALID',
    ],
    [
      'a model file that is gone',
      () => solve(PROBLEM, { engine: engineOf({ model: { path: join(folder, 'gone.gguf') } }), store }).result,
      'FILE_NOT_FOUND',
    ],
  ];
  test.each(cases)('%s', async (_name, work, code) => expect(await codeOf(work())).toBe(code));

  test('a sample that cannot be stored ends the run with the reason', async () => {
    const keep = store.keep.bind(store);
    store.keep = (key, stage, ...rest) => {
      if (stage === 'sample') throw new T1Error('DISK_FULL', 'no room');
      keep(key, stage, ...rest);
    };
    const engine = engineOf({ delayMs: 1 });
    expect(await codeOf(solve(PROBLEM, { engine, store, sandbox: new ScriptedTool() }).result)).toBe('DISK_FULL');
    expect(engine.decodedTokens).toBe(0); // the job ended with its first sample
  });
});

describe('what an engine has measured', () => {
  const COSTS = { decode: 1, rowSplit: 2, rowUnified: 3, cellSplit: 4, cellUnified: 5, copy: 6 };
  const run = async (engine: FakeEngine) =>
    solve(PROBLEM, { engine, store, sandbox: new ScriptedTool(), samples: 2 }).result;

  test('is kept and given to the next one of the same model and build', async () => {
    const first = engineOf();
    first.measured = COSTS;
    await run(first);
    const second = engineOf();
    await run(second);
    expect(second.statistics().costs).toEqual(COSTS);
    const other = engineOf({ build: 'another build' });
    await run(other);
    expect(other.statistics().costs).toBeUndefined();
  });

  test('is kept of the reward model too, and each gets its own', async () => {
    const rewardPath = join(folder, 'reward.gguf');
    writeFileSync(rewardPath, 'weights of the reward model');
    const rewardOf = (): FakeEngine => engineOf({ model: { path: rewardPath } });
    const OTHERS = { ...COSTS, decode: 7 };
    const [engine, reward] = [engineOf(), rewardOf()];
    engine.measured = COSTS;
    reward.measured = OTHERS;
    await solve(PROBLEM, { engine, rewardEngine: reward, store, sandbox: new ScriptedTool(), samples: 2 });
    const [next, nextReward] = [engineOf(), rewardOf()];
    await solve(PROBLEM, { engine: next, rewardEngine: nextReward, store, sandbox: new ScriptedTool(), samples: 2 });
    expect([next.statistics().costs, nextReward.statistics().costs]).toEqual([COSTS, OTHERS]);
  });
});

/** What a row says depends, by a little, on the rows beside it: as rounding does. */
const roundingEngine = (more: Partial<FakeEngineOptions> = {}): FakeEngine => {
  const engine = engineOf(more);
  const [sample, score] = [engine.sample.bind(engine), engine.score.bind(engine)];
  engine.sample = (request) => {
    const rows = request.prompts.reduce((sum, { seeds }) => sum + seeds.length, 0);
    const { onSample } = request;
    return sample({
      ...request,
      onSample: (each) => onSample?.({ ...each, logprobs: each.logprobs.map((logprob) => logprob - rows / 1000) }),
    });
  };
  engine.score = async (request) => {
    const result = await score(request);
    const rows = request.sequences.length;
    return { ...result, logprobs: result.logprobs.map((row) => row.map((logprob, i) => logprob - (i * rows) / 1000)) };
  };
  return engine;
};

describe('a reproducible engine', () => {
  const run = (engine: FakeEngine, into: Store, more: Partial<SolveContext> = {}) =>
    solve(PROBLEM, { engine, store: into, sandbox: new ScriptedTool(), samples: 8, ...more });
  const fresh = async (more: Partial<SolveContext> = {}) => {
    const empty = Store.open(':memory:');
    const { candidates } = await run(roundingEngine({ reproducible: true }), empty, more).result;
    empty.close();
    return candidates;
  };

  test('takes nothing from a run of one that is not', async () => {
    await run(roundingEngine(), store).result;
    const engine = roundingEngine({ reproducible: true });
    const { candidates } = await run(engine, store).result;
    expect(engine.decodedTokens).toBeGreaterThan(0);
    expect(candidates).toEqual(await fresh());
    const again = roundingEngine({ reproducible: true });
    expect((await run(again, store).result).candidates).toEqual(candidates);
    expect(again.decodedTokens).toBe(0);
  });

  test('gives for so many samples what it gives for them alone, whatever was asked before', async () => {
    await run(roundingEngine({ reproducible: true }), store, { samples: 4 }).result;
    expect((await run(roundingEngine({ reproducible: true }), store).result).candidates).toEqual(await fresh());
  });

  test('repeats the whole job where it was interrupted', async () => {
    const stop = new AbortController();
    const solving = run(roundingEngine({ reproducible: true, delayMs: 2 }), store, { signal: stop.signal });
    let seen = 0;
    for await (const event of solving)
      if (event.type === 'candidate' && ++seen === 3) {
        stop.abort();
        break;
      }
    expect(await codeOf(solving.result)).toBe('ABORTED');
    expect(store.stats().values['sample']).toBeGreaterThanOrEqual(3);
    const engine = roundingEngine({ reproducible: true });
    const asked: number[] = [];
    const sample = engine.sample.bind(engine);
    engine.sample = (request) => (asked.push(request.prompts[0]?.seeds.length ?? 0), sample(request));
    const { candidates, cache } = await run(engine, store).result;
    expect(asked[0]).toBe(8);
    expect(cache.hits).toBeGreaterThanOrEqual(3);
    expect(candidates).toEqual(await fresh());
  });
});

describe('what a result depends on is part of its key', () => {
  const codesRun = async (more: Partial<SolveContext>, identity: SandboxIdentity = { version: 'scripted/1' }) => {
    const tool = Object.assign(new ScriptedTool(), { identity });
    await solve(PROBLEM, { engine: engineOf(), store, sandbox: tool, samples: 8, ...more }).result;
    return tool.codes.length;
  };

  test('of a program: its time limit, and all that the sandbox is', async () => {
    expect(await codesRun({})).toBe(3);
    expect(await codesRun({})).toBe(0);
    expect(await codesRun({ programTimeoutMs: 5000 })).toBe(3);
    expect(await codesRun({}, { version: 'scripted/1', memoryBytes: 2 ** 30 })).toBe(3);
    expect(await codesRun({ programRule: 'all' })).toBe(0); // a rule over what they printed
  });

  test('the sandbox says what it is: its memory too', async () => {
    const of = (memoryBytes: number) => Sandbox.identityOf({ memoryBytes });
    expect(await of(128 * 2 ** 20)).toEqual(await of(128 * 2 ** 20));
    expect(await of(128 * 2 ** 20)).not.toEqual(await of(2 ** 30));
  });

  test('programs of a sandbox that does not say what it is are run each time', async () => {
    const anonymous = () => {
      const { run, codes } = new ScriptedTool();
      return { codes, run: run.bind({ codes }) };
    };
    for (const tool of [anonymous(), anonymous()]) {
      await solve(PROBLEM, { engine: engineOf(), store, sandbox: tool, samples: 8 }).result;
      expect(tool.codes).toHaveLength(3);
    }
  });
});

describe('a program that was stopped at its time limit', () => {
  const DAY = 24 * 3600 * 1000;
  let clock: number;
  const slow: ProgramRunner & { runs: number } = {
    identity: { version: 'scripted/1' },
    runs: 0,
    run: async () => (slow.runs++, timedOut(2000, 2000)),
  };
  const verdict = async (sandbox: ProgramRunner) => {
    const { candidates } = await solve(PROBLEM, { engine: engineOf(), store, sandbox, samples: 4 }).result;
    return candidates[3]?.tool.verdict;
  };
  beforeEach(() => {
    slow.runs = 0;
    clock = Date.UTC(2026, 0, 1);
    store.close();
    store = Store.open(join(folder, 'slow.sqlite'), { now: () => clock });
  });

  test('is asked again by the next run: one slow moment is not remembered', async () => {
    expect(await verdict(slow)).toBe('unknown');
    expect(await verdict(new ScriptedTool())).toBe('pass');
    expect(await verdict(slow)).toBe('pass'); // known now
  });

  test('is believed the second time, for a day, then for two', async () => {
    const runs = async () => (await verdict(slow), slow.runs);
    expect(await runs()).toBe(2); // two distinct programs
    expect(await runs()).toBe(4);
    expect(await runs()).toBe(4);
    clock += 1.1 * DAY;
    expect(await runs()).toBe(6);
    clock += 1.9 * DAY;
    expect(await runs()).toBe(6);
    clock += 0.2 * DAY;
    expect(await verdict(new ScriptedTool())).toBe('pass');
  });
});

test('cache counts are those of the call', async () => {
  const counts = async () => {
    const { cache } = await solve(PROBLEM, { engine: engineOf(), store, sandbox: new ScriptedTool(), samples: 8 })
      .result;
    return cache;
  };
  const first = await counts();
  expect(first.misses).toBeGreaterThan(0);
  const second = await counts();
  expect(second).toEqual({ hits: first.hits + first.misses, misses: 0 });
  expect(await counts()).toEqual(second);
});

test('equal problems at the same time are one piece of work', async () => {
  const engine = engineOf({ delayMs: 1 });
  const tool = new ScriptedTool();
  const one = () => solve(PROBLEM, { engine, store, sandbox: tool, samples: 8 }).result;
  const [a, b] = await Promise.all([one(), one()]);
  expect(b.candidates).toEqual(a.candidates);
  expect(engine.jobs).toEqual({ sample: 1 + 3, score: 3 });
  expect(tool.codes).toHaveLength(3);
  expect(a.usage.decodedTokens + b.usage.decodedTokens).toBe(engine.decodedTokens);
});

test('a damaged row is computed again, with a note, once', async () => {
  await solve(PROBLEM, { engine: engineOf(), store, sandbox: new ScriptedTool(), samples: 8 }).result;
  const raw = new Database(store.path);
  raw.exec("UPDATE remembered SET value = zeroblob(length(value)) WHERE stage IN ('score', 'program')");
  raw.close();
  const run = async () => {
    const notes: string[] = [];
    const engine = engineOf();
    const solving = solve(PROBLEM, { engine, store, sandbox: new ScriptedTool(), samples: 8 });
    for await (const event of solving) if (event.type === 'note') notes.push(event.note);
    return { notes, jobs: engine.jobs, answer: (await solving.result).answer };
  };
  const mended = await run();
  expect(mended).toMatchObject({ answer: '42', jobs: { sample: 0, score: 3 } });
  expect(mended.notes).toEqual([expect.stringContaining('damaged')]);
  expect(await run()).toEqual({ answer: '42', jobs: { sample: 0, score: 0 }, notes: [] });
});
