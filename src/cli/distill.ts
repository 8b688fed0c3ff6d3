/** `t1 distill`: training data for the tool or the reward role, and how to train on it. */
import { distill } from '../distill/distill.js';
import { makeFolder } from '../make-folder.js';
import type { DistillSummary } from '../distill/distill-summary.js';
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
import { Memory } from '../store/memory.js';
import { Store } from '../store/store.js';
import { distillSettings, distillSources, type DistillSettings } from '../settings/distill-settings.js';
import { sandboxSettings } from '../settings/sandbox-settings.js';
import { databaseSettings, modelSettings } from '../settings/session-settings.js';
import type { Settled } from '../settings/setting.js';
import type { NameOf } from '../message.js';
import { defaultDatabase, shippedModel } from '../paths.js';
import { command } from './command.js';
import { checkedEngine, engineFlags, halved } from './engine-flags.js';
import { jsonFlag, sandboxOptions } from './flags.js';
import { jsonLine } from './json.js';
import { loadForCommand } from './load.js';
import { Progress } from './progress.js';

const KEY_VARIABLES = ['T1_TEACHER_KEY', 'OPENAI_API_KEY'] as const;

const flags = {
  ...distillSettings,
  ...distillSources,
  ...modelSettings,
  ...databaseSettings,
  ...jsonFlag,
  ...engineFlags,
  sandbox: { parts: sandboxSettings },
} as const;

type Flags = Settled<typeof flags>;

export const distillCommand = command({
  flags,
  words: {},
  run: async ({ flags: args, nameOf, signal }) => {
    const problems = readProblems(args.task, args.limit ?? [0, Infinity]);
    makeOutputFolder(args.out); // before hours of work, not after
    const progress = new Progress();
    const store = Store.open(args.database ?? defaultDatabase());
    try {
      const summary = await run(args, problems, store, progress, nameOf, signal);
      process.stdout.write(args.json ? jsonLine('distill', summary) : told(summary, args.out));
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

function makeOutputFolder(path: string): void {
  try {
    makeFolder(path);
  } catch (cause) {
    throw new T1Error(
      'INPUT',
      `cannot make the folder ${path} (${cause instanceof Error ? cause.message : String(cause)}): name another`,
      { cause, setting: 'out' },
    );
  }
}

async function run(
  args: Flags,
  problems: ReturnType<typeof readProblems>,
  store: Store,
  progress: Progress,
  nameOf: NameOf,
  signal: AbortSignal,
): Promise<DistillSummary> {
  const remote = /^https?:\/\//.test(args.teacher);
  const engineSettings = remote ? checkedEngine(args) : halved(checkedEngine(args));
  if (remote && args.teacherModel === undefined)
    throw new T1Error('USAGE', '--teacher is an address: say which of its models with --teacher-model');
  if (!remote && args.teacherModel !== undefined)
    throw new T1Error('USAGE', '--teacher-model is for a teacher behind an address, and --teacher is a file');
  const resolve = (model: string) => resolveModel(model, { signal, onProgress: (p) => progress.download(p) });
  await using engine = await loadForCommand(
    { ...engineSettings, path: await resolve(args.model ?? shippedModel) },
    progress,
  );
  await using teacherEngine = remote
    ? undefined
    : await loadEngine({ ...engineSettings, path: await resolve(args.teacher) });
  const sourceOf = async (each: Engine): Promise<SampleSource> => ({
    engine: each,
    modelHash: await fingerprint(each.model.path, store),
    memory: new Memory(store),
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
  await using sandbox = await Sandbox.start(sandboxOptions(args.sandbox, nameOf));
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

function endpoint(args: Flags, store: Store, progress: Progress, signal: AbortSignal): Teacher {
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

function settingsOf(args: Flags, { defaults }: Profile, { model }: Engine): DistillSettings {
  const tool = args.role === 'tool';
  const known = model.metadata['general.base_model.0.repo_url'] ?? model.metadata['general.repo_url'];
  return {
    role: args.role,
    samples: args.samples ?? (tool ? 4 : 8),
    temperature: args.temperature,
    completions: args.completions,
    teacherTemperature: args.teacherTemperature,
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
