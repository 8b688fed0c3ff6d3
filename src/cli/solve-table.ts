/** The result for people: a table of candidates, then the answer and how it was verified. */
import Table from 'cli-table3';
import type { ScoredCandidate, SolveResult, ToolVerdict, Verdict } from '../types.js';

export function solveTable(result: SolveResult): string {
  const table = new Table({
    head: ['', '#', 'answer', 'tool', 'reward', 'weight', 'finish'],
    colAligns: ['left', 'right', 'right', 'left', 'right', 'right', 'left'],
    style: { head: [], border: [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  for (const candidate of result.candidates) {
    table.push([
      candidate.index === result.chosen ? '→' : '',
      candidate.index,
      candidate.answer ?? '–',
      candidate.tool.verdict,
      candidate.reward === null ? '–' : candidate.reward === 'skipped' ? 'skipped' : candidate.reward.toFixed(3),
      candidate.weight.toFixed(3),
      candidate.finish,
    ]);
  }
  return [
    table.toString(),
    '',
    ...chosenSolution(result),
    `${conclusion(result)}`,
    ...lostPrograms(result),
    ...silent(result),
    usageLine(result),
    '',
  ].join('\n');
}

function chosenSolution({ candidates, chosen }: SolveResult): string[] {
  const candidate = candidates.find(({ index }) => index === chosen);
  if (!candidate) return [];
  const program = candidate.tool.programs.find(({ code }) => code !== null);
  const check = program
    ? [
        '',
        `Check (candidate ${candidate.index}), printed ${JSON.stringify(program.stdout.trim())}:`,
        indent(program.code ?? ''),
      ]
    : [...refutedSteps(candidate.tool), ...lookedUp(candidate.tool)];
  return [`Solution (candidate ${candidate.index}):`, indent(candidate.text), ...scoredSteps(candidate), ...check, ''];
}

/** What a process reward model thinks of each step. */
function scoredSteps({ stepScores = [] }: Pick<ScoredCandidate, 'stepScores'>): string[] {
  if (stepScores.length === 0) return [];
  return [
    '',
    'Scores of its steps:',
    ...stepScores.map(({ text, score }) => `  ${score.toFixed(3)}  ${firstLine(text)}`),
  ];
}

const firstLine = (text: string): string => {
  const [line = ''] = text.split('\n');
  return line.length > 80 ? `${line.slice(0, 79)}…` : line;
};

/** What the solution's own calculations come to, where the tool looked at them. */
function refutedSteps({ steps = [] }: ToolVerdict): string[] {
  if (steps.length === 0) return [];
  const wrong = steps.filter(({ holds }) => !holds);
  if (wrong.length === 0) return ['', `Steps: all ${steps.length} calculations hold.`];
  return ['', ...wrong.map(({ step, value }) => `Step refuted: ${step}; it is ${value}`)];
}

/** Passages and judgements of a fact check, or the line of a tool of the user's own. */
function lookedUp({ passages, checks = [], note }: ToolVerdict): string[] {
  if (note !== undefined) return ['', `Tool: ${note}`];
  if (!passages) return [];
  const said = (wanted: string): number => checks.filter(({ verdict }) => verdict === wanted).length;
  return [
    '',
    `Passages (fact checks: ${said('pass')} say yes, ${said('fail')} no, ${said('unknown')} neither):`,
    ...passages.map(
      ({ id, title, text, score }) =>
        `  ${score.toFixed(2)}  ${id}  ${firstLine(title === null ? text : `${title}: ${text}`)}`,
    ),
  ];
}

function conclusion({ answer, verified, candidates, fallback, select }: SolveResult): string {
  const withVerdict = (wanted: Verdict): number => candidates.filter(({ tool }) => tool.verdict === wanted).length;
  const skipped = withVerdict('skipped');
  const notAsked = skipped === 0 ? '' : `, ${skipped} ${skipped === 1 ? 'was' : 'were'} not asked about (skipped)`;
  const pool = `${withVerdict('pass')} of ${candidates.length} candidates passed the tool${notAsked}`;
  if (answer === null) return `No answer: ${pool}.`;
  if (verified) return `Answer: ${answer}\nVerified: ${pool}; chosen by ${select}.`;
  return `Answer: ${answer}\nNot verified: ${pool}; chosen by ${fallback ?? select}.`;
}

function lostPrograms({ missingModules }: SolveResult): string[] {
  const lost = Object.entries(missingModules).sort(([, a], [, b]) => b - a);
  if (lost.length === 0) return [];
  const total = lost.reduce((sum, [, count]) => sum + count, 0);
  return [
    `${total} checking programs could not run for want of a module: ${lost.map(([name, count]) => `${name} (${count})`).join(', ')}.`,
  ];
}

/** Judgements that never came to a verdict; they were left out. */
function silent({ candidates }: SolveResult): string[] {
  const written = candidates.flatMap(({ rationales = [] }) => rationales);
  const without = written.filter(({ score }) => score === null).length;
  return without === 0
    ? []
    : [`${without} of ${written.length} written judgements came to no verdict and were left out.`];
}

function usageLine({ usage, cache, timing }: SolveResult): string {
  const cached = cache.hits > 0 ? `, ${cache.hits} results from the cache` : '';
  return `${usage.generatedTokens} tokens generated, ${usage.decodedTokens} decoded${cached}, ${(timing.total / 1000).toFixed(2)} s`;
}

const indent = (text: string): string => text.replace(/^/gm, '  ');
