/** Flags that several commands share. */
import type { Argv } from 'yargs';
import { defaultDatabase, indexFolder, shippedModel } from '../paths.js';
import { SANDBOXES, type SandboxChoice, type SandboxOptions } from '../sandbox/sandbox.js';

export const withModel = <T>(yargs: Argv<T>) =>
  yargs.option('model', {
    alias: 'm',
    type: 'string',
    default: shippedModel,
    defaultDescription: 'the model that ships',
    requiresArg: true,
    describe: 'GGUF file, or hf:user/repo:quant to download one',
  });

export const withSampling = <T>(yargs: Argv<T>) =>
  yargs
    .option('n-samples', {
      alias: 'n',
      type: 'number',
      default: 16,
      requiresArg: true,
      describe: 'candidates to sample',
    })
    .option('seed', {
      type: 'number',
      default: 0,
      requiresArg: true,
      describe: 'sample i uses a seed mixed from this and i',
    })
    .option('temp', { type: 'number', default: 0.8, requiresArg: true, describe: 'temperature; 0 is greedy' })
    .option('top-k', { type: 'number', default: 0, requiresArg: true, describe: '0 keeps the whole vocabulary' })
    .option('top-p', { type: 'number', default: 1, requiresArg: true, describe: '1 is off' })
    .option('min-p', { type: 'number', default: 0, requiresArg: true, describe: '0 is off' })
    .option('max-tokens', {
      type: 'number',
      requiresArg: true,
      describe: "most new tokens of a candidate (default: the model profile's)",
    });

export const withDatabase = <T>(yargs: Argv<T>) =>
  yargs.option('db', {
    type: 'string',
    default: defaultDatabase(),
    defaultDescription: "the user's cache folder",
    requiresArg: true,
    describe: 'database of results',
  });

export const withIndexFolder = <T>(yargs: Argv<T>) =>
  yargs.option('index-dir', {
    type: 'string',
    default: indexFolder(),
    defaultDescription: "indexes in the user's cache folder",
    requiresArg: true,
    describe: 'folder of the indexes',
  });

export const withJson = <T>(yargs: Argv<T>) =>
  yargs.option('json', { type: 'boolean', default: false, describe: 'print one JSON object' });

/** Of every command that runs programs. */
export const withSandbox = <T>(yargs: Argv<T>) =>
  yargs
    .option('sandbox', {
      choices: SANDBOXES,
      default: 'pyodide' as const,
      requiresArg: true,
      describe:
        "pyodide: CPython in WebAssembly, the same everywhere; cpython: the system's, locked in by Linux; auto: cpython if it can be had",
    })
    .option('python', {
      type: 'string',
      requiresArg: true,
      describe: 'cpython: the interpreter (default: the first usable python3 on the PATH, or T1_PYTHON)',
    })
    .option('system-sympy', {
      type: 'boolean',
      default: true,
      describe: 'cpython: let programs use its SymPy, where it has one',
    })
    .option('sympy', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: 'pyodide: folder or wheel with SymPy, another with mpmath if need be; their code is trusted',
    });

interface SandboxArguments {
  readonly sandbox: SandboxChoice;
  readonly python: string | undefined;
  readonly systemSympy: boolean;
  readonly sympy: readonly string[] | undefined;
}

export const sandboxOptions = ({ sandbox, python, systemSympy, sympy }: SandboxArguments): SandboxOptions => ({
  backend: sandbox,
  python: python ?? process.env['T1_PYTHON'],
  systemSympy,
  sympy,
  onChoice: (line) => process.stderr.write(`t1: ${line}\n`),
});

/** How the command line calls the settings of `SolveOptions`. */
const FLAGS: Readonly<Record<string, string>> = {
  samples: '--n-samples',
  seed: '--seed',
  temperature: '--temp',
  topK: '--top-k',
  topP: '--top-p',
  minP: '--min-p',
  maxTokens: '--max-tokens',
  programs: '--programs',
  programTimeoutMs: '--program-timeout',
  verifier: '--verifier',
  programRule: '--program-rule',
  index: '--index',
  passages: '--passages',
  bm25: '--bm25-k1 and --bm25-b',
  checks: '--checks',
  rewardEntry: '--reward-entry',
  rationales: '--rationales',
  rationaleScore: '--rationale-score',
  select: '--select',
  fallback: '--fallback',
  adapterTool: '--adapter-tool',
  adapterReward: '--adapter-reward',
};

export const flagOf = (setting: string): string => FLAGS[setting] ?? setting;

/** Options that may be given several times; of every other one the last counts. */
const REPEATED = new Set([
  '_',
  'adapterTool',
  'adapter-tool',
  'adapterReward',
  'adapter-reward',
  'map',
  'category',
  'runs',
  'paths',
  'more',
  'stop',
  'sympy',
  'compare',
]);

function lastOfRepeated(args: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(args)) {
    if (Array.isArray(value) && !REPEATED.has(name)) args[name] = value.at(-1);
  }
}

/** How words of a command line become flags, wherever one is read. */
export const readingFlags = (yargs: Argv): Argv =>
  yargs
    .parserConfiguration({
      'camel-case-expansion': true,
      'strip-dashed': true,
      'parse-positional-numbers': false,
      'duplicate-arguments-array': true,
    })
    .middleware(lastOfRepeated, true);
