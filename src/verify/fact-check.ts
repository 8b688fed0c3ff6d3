/**
 * Tool verifier for knowledge (arXiv 2504.04718 §3 and prompt D.2): problem and solution are the query, the passages
 * found go before the model, and it judges m times whether they refute a statement. A statement that they do not cover
 * counts as right.
 */
import { sampleCached } from '../generate/cached.js';
import { sampleSeed } from '../generate/seeds.js';
import { T1Error } from '../errors.js';
import type { Hit } from '../knowledge/knowledge-index.js';
import { must } from '../must.js';
import type { Problem } from '../problem/problem.js';
import type { Profile } from '../prompt/profile.js';
import { renderPrompt, type Prompt } from '../prompt/prompt.js';
import { distinctSolutions } from '../prompt/role-prompts.js';
import type { StageContext } from '../stage-context.js';
import type { Candidate, FactCheck, FoundPassage, ToolVerdict } from '../types.js';
import { tokensOf } from './math.js';
import { judge } from './opinion-rules.js';

/**
 * Passages are cut to the first of these lengths with which the prompt fits the context; a small one is better than no
 * check.
 */
const PASSAGE_WORDS = [Infinity, 160, 80, 40, 20];

const NOT_ASKED: ToolVerdict = { verdict: 'unknown', programs: [] };

/**
 * Makes sure, before anything is sampled, that the model can be asked and the index be searched.
 *
 * @throws T1Error USAGE: the profile has no such role; and what opening the index raises
 */
export async function checkKnowledge(run: StageContext): Promise<void> {
  const example = { problem: 'problem', solution: 'solution', passages: ['passage'] };
  await renderPrompt(run.engine, factRole(run.profile), example);
  await run.knowledge();
}

/** Judgements are remembered; the verdict follows from them and from what is found. */
export async function verifyKnowledge(
  problem: Problem,
  solvePrompt: Prompt,
  candidates: readonly Candidate[],
  run: StageContext,
): Promise<ToolVerdict[]> {
  const role = factRole(run.profile);
  const { checkTokens, checkTemperature, checks: usual } = run.profile.defaults;
  const count = checkTemperature === 0 ? 1 : (run.settings.checks ?? usual);
  const seeds = Array.from({ length: count }, (_, i) =>
    checkTemperature === 0 ? 0 : sampleSeed(run.settings.seed, i),
  );
  const index = await run.knowledge();
  const {
    passages: most,
    bm25: { k1, b },
  } = run.settings;
  const bm25 = { ...(k1 !== undefined && { k1 }), ...(b !== undefined && { b }) };
  const found = (solution: string): Hit[] => index.search(`${problem.text} ${solution}`, most, bm25);
  const solutions = distinctSolutions(candidates, solvePrompt).map(async ({ text, candidates: same, turn }) => {
    const render = (passages: readonly FoundPassage[]): Promise<Prompt> =>
      renderPrompt(run.engine, role, { problem: problem.text, solution: text, passages: passages.map(asText) }, turn);
    const fitting = await fitPassages(found(text).map(toPassage), render, run.engine.model.contextLength - checkTokens);
    if (!fitting) return [];
    return [{ ...fitting, candidates: same }];
  });
  const asked = (await Promise.all(solutions)).flat();

  const verdicts = new Map<number, ToolVerdict>(); // by index of the candidate
  const replies = await sampleCached(
    run,
    'verify',
    asked.map(({ prompt }) => ({ tokens: prompt.tokens, seeds })),
    {
      sampler: { temperature: checkTemperature, topK: 0, topP: 1, minP: 0 },
      maxTokens: checkTokens,
      adapter: run.adapters.tool,
      grammar: role.grammar,
    },
  );
  for (const [i, { passages, candidates: same }] of asked.entries()) {
    const said = must(replies[i], 'the checks of a solution');
    const checks = said.map(({ text }): FactCheck => ({ text, verdict: verdictOf(text, role) }));
    const opinions = checks.map(({ verdict }) => verdict);
    const verdict = judge(opinions, run.settings.checkRule);
    const tool = { verdict, programs: [], passages, checks, tokens: tokensOf(said) };
    for (const { index: candidate } of same) {
      verdicts.set(candidate, tool);
      run.emit({ type: 'verdict', index: candidate, tool });
    }
  }
  // Those without an answer, or too long to ask about, were not asked.
  return candidates.map(({ index: candidate }) => verdicts.get(candidate) ?? NOT_ASKED);
}

/** The first of the two words after what it writes last before it; without such, the last line must be one of them. */
export function verdictOf(
  text: string,
  { ask, good, bad }: Pick<FactRole, 'ask' | 'good' | 'bad'>,
): FactCheck['verdict'] {
  const at = ask === undefined ? -1 : text.lastIndexOf(ask);
  if (ask !== undefined && at === -1) return 'unknown';
  const said = ask === undefined ? (text.trim().split('\n').at(-1) ?? '') : text.slice(at + ask.length);
  const word = /[\p{L}]+/u.exec(said)?.[0].toLowerCase();
  const among = (words: readonly string[]): boolean => words.some((each) => each.trim().toLowerCase() === word);
  if (ask === undefined && said.trim().toLowerCase() !== word) return 'unknown';
  return among(good) ? 'pass' : among(bad) ? 'fail' : 'unknown';
}

export type FactRole = NonNullable<Profile['roles']['fact']>;

function factRole({ name, roles }: Profile): FactRole {
  if (roles.fact) return roles.fact;
  throw new T1Error(
    'USAGE',
    `the prompt profile '${name}' has no fact check, so the verifier knowledge cannot be used with this model: use math or steps`,
  );
}

const toPassage = ({ passage: { id, title, text }, score }: Hit): FoundPassage => ({ id, title, text, score });
const asText = ({ title, text }: FoundPassage): string =>
  title === null || text.startsWith(title) ? text : `${title}: ${text}`;

async function fitPassages(
  whole: readonly FoundPassage[],
  render: (passages: readonly FoundPassage[]) => Promise<Prompt>,
  tokens: number,
) {
  for (const words of PASSAGE_WORDS) {
    const passages = whole.map((passage) => ({ ...passage, text: firstWords(passage.text, words) }));
    const prompt = await render(passages);
    if (prompt.tokens.length <= tokens) return { passages, prompt };
  }
  return undefined;
}

/** The text up to its n-th word, as it is written. */
function firstWords(text: string, words: number): string {
  let end = 0;
  for (const { index, 0: word } of text.matchAll(/\S+/g)) {
    if (words-- <= 0) return `${text.slice(0, end)} …`;
    end = index + word.length;
  }
  return text;
}
