/**
 * Training data for the tool or the reward role, the way the paper made it (arXiv 2504.04718 §4): the student solves,
 * the teacher writes programs or judgements, filters keep what is right, and a conversation of each becomes a line that
 * trainers take.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mapAtOnce } from '../at-once.js';
import { makeFolder } from '../make-folder.js';
import type { ChatMessage } from '../engine/engine-types.js';
import { extractBoxed } from '../grade/extract.js';
import { sampleCached, type SampleSource } from '../generate/cached.js';
import { sampleSeed } from '../generate/seeds.js';
import { T1Error } from '../errors.js';
import { message, named } from '../message.js';
import { must } from '../must.js';
import { messagesOf, promptTokens, renderPrompt } from '../prompt/prompt.js';
import type { Profile, Role } from '../prompt/profile.js';
import type { DistillSummary } from './distill-summary.js';
import type { DistillProblem } from './training-problems.js';
import { axolotl, MAX_LENGTH, readme, trl } from './recipe.js';
import type { Drop, Filter } from './filters.js';
import type { DistillSettings } from '../settings/distill-settings.js';
import type { Teacher } from './teacher.js';

interface Solution {
  readonly problem: DistillProblem;
  readonly text: string;
  readonly answer: string;
}

/**
 * @param student its model, profile and store; what either model has written before is not written again
 * @param roleOf what T1 says to the student in this role, so that it learns the very turns it will be asked in
 * @param out folder of the result; made when it is not there
 * @throws T1Error ABORTED, TEACHER_FAILED, DISK_FULL, and what engine and store raise
 */
export async function distill(
  problems: readonly DistillProblem[],
  student: SampleSource & { readonly profile: Profile },
  role: Role,
  teacher: Teacher,
  filter: Filter,
  settings: DistillSettings,
  out: string,
): Promise<DistillSummary> {
  const { solutions, unanswered } = await solve(problems, student, settings);
  const conversations = solutions.map((solution) =>
    messagesOf(role, { problem: solution.problem.problem, solution: solution.text }),
  );
  const asked = conversations.map((messages, i) =>
    settings.showAnswer ? withAnswer(messages, must(solutions[i], 'a solution').problem.answer) : messages,
  );
  const replies = await teacher.complete(asked, {
    temperature: settings.teacherTemperature,
    maxTokens: settings.teacherTokens,
    seeds: Array.from({ length: settings.completions }, (_, i) => sampleSeed(settings.seed, i)),
  });

  const lines = new Set<string>();
  const drops: Partial<Record<Drop | 'too long' | 'said before', number>> = {};
  const judged = replies.flatMap((row, i) => {
    const { answer, problem } = must(solutions[i], 'a solution');
    const messages = must(conversations[i], 'a conversation');
    return row.map((reply) => ({ reply, messages, answer, gold: problem.answer }));
  });
  const reasons = await mapAtOnce(
    judged,
    ({ reply, answer, gold }, signal) => filter({ ...reply, answer, gold }, signal),
    {
      signal: student.signal,
    },
  );
  for (const [i, { reply, messages }] of judged.entries()) {
    const conversation = [...messages, { role: 'assistant' as const, content: role.assistantPrefix + reply.text }];
    const line = JSON.stringify({
      messages: conversation.map((message, k) => ({ ...message, train: k === conversation.length - 1 })),
    });
    const why =
      reasons[i] ??
      ((await lengthOf(conversation, student)) > MAX_LENGTH ? 'too long' : lines.has(line) ? 'said before' : null);
    if (why === null) lines.add(line);
    else drops[why] = (drops[why] ?? 0) + 1;
  }

  const { role: roleName, baseModel, ...rest } = settings;
  const counts = {
    problems: problems.length,
    solutions: solutions.length,
    unanswered,
    replies: judged.length,
    kept: lines.size,
    drops,
  };
  const summary = {
    role: roleName,
    student: student.engine.model.name,
    teacher: teacher.description,
    baseModel,
    ...counts,
    settings: rest,
  };
  write(out, lines, summary);
  return summary;
}

/** Distinct solutions that have an answer. */
async function solve(
  problems: readonly DistillProblem[],
  student: SampleSource & { readonly profile: Profile },
  { samples, temperature, seed }: DistillSettings,
) {
  const { roles, defaults } = student.profile;
  const seeds = Array.from({ length: samples }, (_, i) => sampleSeed(seed, i));
  const rendered = problems.map(({ problem }) => renderPrompt(student.engine, roles.solve, { problem }));
  const prompts = (await Promise.all(rendered)).map(({ tokens }) => ({ tokens, seeds }));
  const pools = await sampleCached(student, 'sample', prompts, {
    sampler: { temperature, topK: 0, topP: 1, minP: 0 },
    maxTokens: defaults.maxTokens,
  });
  const solutions: Solution[] = [];
  let unanswered = 0;
  pools.forEach((pool, i) => {
    const problem = must(problems[i], 'a problem');
    for (const text of new Set(pool.map((sample) => sample.text))) {
      const answer = extractBoxed(text);
      if (answer === null) unanswered++;
      else solutions.push({ problem, text, answer });
    }
  });
  return { solutions, unanswered };
}

function withAnswer(messages: readonly ChatMessage[], answer: string | undefined): ChatMessage[] {
  if (answer === undefined) return [...messages];
  const note = `\n\nFor you alone, not to be mentioned: the right answer is ${answer}.`;
  return messages.map((message, i) =>
    i === messages.length - 1 ? { ...message, content: message.content + note } : message,
  );
}

async function lengthOf(messages: readonly ChatMessage[], { engine }: SampleSource): Promise<number> {
  return (await promptTokens(engine, await engine.render(messages, { addGenerationPrompt: false }))).length;
}

/** The data last, and under its name only when it is whole: who finds it finds all. */
function write(out: string, lines: ReadonlySet<string>, summary: DistillSummary): void {
  try {
    makeFolder(out);
    const files = {
      'axolotl.yaml': axolotl(summary),
      'trl.yaml': trl(summary),
      'README.md': readme(summary),
      'summary.json': `${JSON.stringify(summary, null, 2)}\n`,
    };
    for (const [name, content] of Object.entries(files)) writeFileSync(join(out, name), content);
    const data = join(out, 'data.jsonl');
    writeFileSync(`${data}.partial`, [...lines].map((line) => `${line}\n`).join(''));
    renameSync(`${data}.partial`, data);
  } catch (cause) {
    const full = cause instanceof Error && 'code' in cause && cause.code === 'ENOSPC';
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new T1Error(
      full ? 'DISK_FULL' : 'INPUT',
      message`cannot write the training data to ${out} (${why}): name another ${named('out')}; what was written by the models is stored`,
      { cause },
    );
  }
}
