/** The result for people: a table of candidates, then the answer and how it was verified. */
import Table from 'cli-table3';
import type { SolveResult, ToolVerdict } from '../types.js';

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
      candidate.reward === null ? '–' : candidate.reward.toFixed(3),
      candidate.weight.toFixed(3),
      candidate.finish,
    ]);
  }
  return [table.toString(), '', ...chosenSolution(result), `${conclusion(result)}`, ...lostPrograms(result), usageLine(result), ''].join('\n');
}

function chosenSolution({ candidates, chosen }: SolveResult): string[] {
  const candidate = candidates.find(({ index }) => index === chosen);
  if (!candidate) return [];
  const program = candidate.tool.programs.find(({ code }) => code !== null);
  const check = program
    ? ['', `Check (candidate ${candidate.index}), printed ${JSON.stringify(program.stdout.trim())}:`, indent(program.code ?? '')]
    : refutedSteps(candidate.tool);
  return [`Solution (candidate ${candidate.index}):`, indent(candidate.text), ...check, ''];
}

/** What the solution's own calculations come to, where the tool looked at them. */
function refutedSteps({ steps = [] }: ToolVerdict): string[] {
  if (steps.length === 0) return [];
  const wrong = steps.filter(({ holds }) => !holds);
  if (wrong.length === 0) return ['', `Steps: all ${steps.length} calculations hold.`];
  return ['', ...wrong.map(({ step, value }) => `Step refuted: ${step}; it is ${value}`)];
}

function conclusion({ answer, verified, candidates, fallback, select }: SolveResult): string {
  const passes = candidates.filter(({ tool }) => tool.verdict === 'pass').length;
  const pool = `${passes} of ${candidates.length} candidates passed the tool`;
  if (answer === null) return `No answer: ${pool}.`;
  if (verified) return `Answer: ${answer}\nVerified: ${pool}; chosen by ${select}.`;
  return `Answer: ${answer}\nNot verified: ${pool}; chosen by ${fallback ?? select}.`;
}

function lostPrograms({ missingModules }: SolveResult): string[] {
  const lost = Object.entries(missingModules).sort(([, a], [, b]) => b - a);
  if (lost.length === 0) return [];
  const total = lost.reduce((sum, [, count]) => sum + count, 0);
  return [`${total} checking programs could not run for want of a module: ${lost.map(([name, count]) => `${name} (${count})`).join(', ')}.`];
}

function usageLine({ usage, cache, timing }: SolveResult): string {
  const cached = cache.hits > 0 ? `, ${cache.hits} results from the cache` : '';
  return `${usage.generatedTokens} tokens generated, ${usage.decodedTokens} decoded${cached}, ${(timing.total / 1000).toFixed(2)} s`;
}

const indent = (text: string): string => text.replace(/^/gm, '  ');
