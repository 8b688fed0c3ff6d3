/** `t1 distill`: training data for the tool or the reward role, and how to train on it. */
import { mkdirSync } from 'node:fs';
import type { Argv, CommandModule } from 'yargs';
import { z } from 'zod';
import { distill } from '../distill/distill.js';
import type { DistillSettings, DistillSummary } from '../distill/distill-summary.js';
import { programFilter, rationaleFilter } from '../distill/filters.js';
import { readProblems } from '../distill/training-problems.js';
import { endpointTeacher, engineTeacher, type Teacher } from '../distill/teacher.js';
import { loadEngine } from '../engine/engine.js';
import type { Engine } from '../engine/engine-types.js';
import { T1Error } from '../errors.js';
import type { SampleSource } from '../generate/cached.js';
import { fingerprint } from '../model/fingerprint.js';
import { resolveModel } from '../model/resolve.js';
import { profileFor, type Profile } from '../prompt/profile.js';
import { UsageCounter } from '../stage-context.js';
import { Sandbox } from '../sandbox/sandbox.js';
import { Store } from '../store/store.js';
import { engineOptions, halved, withEngine } from './engine-flags.js';
import { sandboxOptions, withDatabase, withJson, withModel, withSandbox } from './flags.js';
import { rangeOf } from './input.js';
import { loadForCommand } from './load.js';
import { Progress } from './progress.js';

const KEY_VARIABLES = ['T1_TEACHER_KEY', 'OPENAI_API_KEY'] as const;

const builder = (yargs: Argv) =>
  withSandbox(withEngine(withJson(withDatabase(withModel(yargs)))))
    .option('role', {
      choices: ['tool', 'reward'] as const,
      demandOption: true,
      requiresArg: true,
      describe: 'who is to learn: programs, or judgements',
    })
    .option('task', {
      type: 'string',
      demandOption: true,
      requiresArg: true,
      describe: 'JSONL of {problem or question, answer}',
    })
    .option('teacher', {
      type: 'string',
      demandOption: true,
      requiresArg: true,
      describe: 'GGUF file, hf:user/repo:quant, or the address of an OpenAI-compatible API (https://…/v1)',
    })
    .option('teacher-model', {
      type: 'string',
      requiresArg: true,
      describe: `model behind that address; its key is read from ${KEY_VARIABLES.join(' or ')}`,
    })
    .option('out', {
      type: 'string',
      demandOption: true,
      requiresArg: true,
      describe: 'folder for the data and the configurations',
    })
    .option('n-samples', {
      alias: 'n',
      type: 'number',
      requiresArg: true,
      describe: 'solutions of each problem by the student (default: 4 for tool, 8 for reward)',
    })
    .option('temp', { type: 'number', default: 0.8, requiresArg: true, describe: "the student's temperature" })
    .option('completions', {
      type: 'number',
      default: 1,
      requiresArg: true,
      describe: 'replies of the teacher to each solution',
    })
    .option('teacher-temp', { type: 'number', default: 0.6, requiresArg: true, describe: "the teacher's temperature" })
    .option('teacher-tokens', {
      type: 'number',
      requiresArg: true,
      describe: "most new tokens of a reply (default: the student's profile's)",
    })
    .option('show-answer', { type: 'boolean', default: false, describe: 'tell the teacher the right answer' })
    .option('limit', { type: 'string', requiresArg: true, describe: 'how many problems, or which: 0-100' })
    .option('concurrency', {
      type: 'number',
      default: 8,
      requiresArg: true,
      describe: 'requests to an API at the same time',
    })
    .option('base-model', {
      type: 'string',
      requiresArg: true,
      describe: "the student's weights for the trainer, as user/repo (default: what its GGUF says)",
    })
    .option('seed', { type: 'number', default: 0, requiresArg: true, describe: 'of student and teacher' });

type Arguments = Awaited<ReturnType<typeof builder>['argv']>;

const numbers = z.object({
  nSamples: z.int().min(1).max(65_536).optional(),
  temp: z.number().min(0).max(100),
  completions: z.int().min(1).max(1024),
  teacherTemp: z.number().min(0).max(100),
  teacherTokens: z.int().min(1).max(1_000_000).optional(),
  concurrency: z.int().min(1).max(256),
  seed: z.int().min(0).max(0xffff_ffff),
});

export const distillCommand = (signal: AbortSignal): CommandModule<object, Arguments> => ({
  command: 'distill',
  describe: 'make training data for the tool or the reward role',
  builder: (yargs) => builder(yargs as Argv) as never,
  handler: async (args) => {
    checkNumbers(args);
    const problems = readProblems(args.task, rangeOf(args.limit));
    makeFolder(args.out); // before hours of work, not after
    const progress = new Progress();
    const store = Store.open(args.db);
    try {
      const summary = await run(args, problems, store, progress, signal);
      process.stdout.write(args.json ? `${JSON.stringify(summary)}\n` : told(summary, args.out));
      if (summary.kept === 0)
        throw new T1Error(
          'INPUT',
          'nothing was worth keeping: see the counts above; --show-answer helps the teacher, another --task the student',
        );
    } finally {
      progress.stop();
      store.close();
    }
  },
});

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (cause) {
    throw new T1Error(
      'INPUT',
      `--out: cannot make the folder ${path} (${cause instanceof Error ? cause.message : String(cause)}): name another`,
      { cause },
    );
  }
}

function checkNumbers(args: Arguments): void {
  const parsed = numbers.safeParse(args);
  if (parsed.success) return;
  const [issue] = parsed.error.issues;
  const flag = String(issue?.path[0] ?? 'flags').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new T1Error('USAGE', `--${flag}: ${issue?.message ?? 'not usable'}`);
}

async function run(
  args: Arguments,
  problems: ReturnType<typeof readProblems>,
  store: Store,
  progress: Progress,
  signal: AbortSignal,
): Promise<DistillSummary> {
  const remote = /^https?:\/\//.test(args.teacher);
  const flags = remote ? engineOptions(args) : halved(engineOptions(args));
  if (remote && args.teacherModel === undefined)
    throw new T1Error('USAGE', '--teacher is an address: say which of its models with --teacher-model');
  if (!remote && args.teacherModel !== undefined)
    throw new T1Error('USAGE', '--teacher-model is for a teacher behind an address, and --teacher is a file');
  const resolve = (model: string) => resolveModel(model, { signal, onProgress: (p) => progress.download(p) });
  await using engine = await loadForCommand({ ...flags, path: await resolve(args.model) }, progress);
  await using teacherEngine = remote ? undefined : await loadEngine({ ...flags, path: await resolve(args.teacher) });
  const sourceOf = async (each: Engine): Promise<SampleSource> => ({
    engine: each,
    modelHash: await fingerprint(each.model.path, store),
    store,
    usage: new UsageCounter(),
    signal,
    emit: (event) => progress.show(event),
  });
  const profile = profileFor(engine.model);
  const student = { ...(await sourceOf(engine)), profile };
  const teacher = teacherEngine
    ? engineTeacher(await sourceOf(teacherEngine))
    : endpoint(args, store, progress, signal);
  const settings = settingsOf(args, profile, engine);
  if (args.role === 'reward') {
    const role = rationaleRole(profile);
    return distill(problems, student, role, teacher, rationaleFilter(role), settings, args.out);
  }
  await using sandbox = await Sandbox.start(sandboxOptions(args));
  return await distill(
    problems,
    student,
    profile.roles.program,
    teacher,
    programFilter(sandbox, 2000),
    settings,
    args.out,
  );
}

function rationaleRole({ name, roles }: Profile): NonNullable<Profile['roles']['rationale']> {
  if (roles.rationale) return roles.rationale;
  throw new T1Error(
    'USAGE',
    `the prompt profile '${name}' of the student has no judgements to learn: its reward is yes-no`,
  );
}

function endpoint(args: Arguments, store: Store, progress: Progress, signal: AbortSignal): Teacher {
  const key = KEY_VARIABLES.map((name) => process.env[name]).find((value) => value !== undefined && value !== '');
  const onProgress = (finished: number, total: number) =>
    progress.show({ type: 'progress', stage: 'verify', finished, total, generatedTokens: 0 });
  return endpointTeacher({
    url: args.teacher,
    model: args.teacherModel ?? '',
    key,
    store,
    signal,
    concurrency: args.concurrency,
    onProgress,
  });
}

function settingsOf(args: Arguments, { defaults }: Profile, { model }: Engine): DistillSettings {
  const tool = args.role === 'tool';
  const known = model.metadata['general.base_model.0.repo_url'] ?? model.metadata['general.repo_url'];
  return {
    role: args.role,
    samples: args.nSamples ?? (tool ? 4 : 8),
    temperature: args.temp,
    completions: args.completions,
    teacherTemperature: args.teacherTemp,
    teacherTokens: args.teacherTokens ?? (tool ? defaults.programTokens : defaults.rationaleTokens),
    showAnswer: args.showAnswer,
    seed: args.seed,
    baseModel: args.baseModel ?? known?.replace(/^https:\/\/huggingface\.co\//, '') ?? 'BASE_MODEL',
  };
}

function told(summary: DistillSummary, out: string): string {
  const dropped = Object.entries(summary.drops).map(([why, count]) => `  ${count} dropped: ${why}`);
  const name =
    summary.baseModel === 'BASE_MODEL'
      ? ['The GGUF does not say whose weights it has: put their name for BASE_MODEL, or give --base-model.']
      : [];
  return [
    `${summary.problems} problems, ${summary.solutions} distinct solutions with an answer (${summary.unanswered} without), ${summary.replies} replies`,
    `  ${summary.kept} kept`,
    ...dropped,
    `Written to ${out}: data.jsonl, axolotl.yaml, trl.yaml, README.md`,
    ...name,
    '',
  ].join('\n');
}
