/** Which commands there are; a command's code is loaded when it is named. */
import type { CommandEntry } from './command.js';

export const commands: readonly CommandEntry[] = [
  {
    usage: 'solve [problem]',
    describe: 'sample solutions, refute them with programs, score them, answer',
    load: async () => (await import('./solve.js')).solveCommand,
  },
  {
    usage: 'sample [prompt]',
    describe: 'sample completions of one prompt (engine only)',
    load: async () => (await import('./sample.js')).sampleCommand,
  },
  {
    usage: 'select <file>',
    describe: 'accuracy of every strategy from pools of candidates, with intervals',
    load: async () => (await import('./select.js')).selectCommand,
  },
  {
    usage: 'python [file]',
    describe: 'run a Python program in the sandbox',
    load: async () => (await import('./python.js')).pythonCommand,
  },
  {
    usage: 'cache <action>',
    describe: 'stats: what the database holds; clear: forget it all',
    load: async () => (await import('./cache.js')).cacheCommand,
  },
  {
    usage: 'index',
    describe: 'indexes of passages: add files, list, remove, search',
    load: async () => ({ actions: (await import('./indexes.js')).indexActions }),
  },
  {
    usage: 'inspect <what>',
    describe: 'model: what a GGUF is and how it is prompted; gpu: the devices found',
    load: async () => (await import('./inspect.js')).inspectCommand,
  },
  {
    usage: 'eval <task> [more..]',
    describe: 'run a benchmark: accuracy of every strategy, against samples and tokens',
    load: async () => (await import('./eval.js')).evalCommand,
  },
  {
    usage: 'retry <run>',
    describe: 'go on with a run: only what failed or is missing',
    load: async () => (await import('./eval.js')).retryCommand,
  },
  {
    usage: 'runs <what> [runs..]',
    describe:
      'ls: list; show RUN: its figures and making; compare A B: is one better; export RUN: its records as JSONL',
    load: async () => (await import('./runs.js')).runsCommand,
  },
  {
    usage: 'report <run>',
    describe: 'write a run as one HTML file that needs no network',
    load: async () => (await import('./report.js')).reportCommand,
  },
  {
    usage: 'view <run>',
    describe: 'show a run in the browser, for this machine only; follows it while it goes on',
    load: async () => (await import('./view.js')).viewCommand,
  },
  {
    usage: 'ls <what>',
    describe: 'list the benchmarks',
    load: async () => (await import('./ls.js')).lsCommand,
  },
  {
    usage: 'distill',
    describe: 'make training data for the tool or the reward role',
    load: async () => (await import('./distill.js')).distillCommand,
  },
  {
    usage: 'grade <file>',
    describe: 'is each answer the same as the right one?',
    load: async () => (await import('./grade.js')).gradeCommand,
  },
  {
    usage: 'schema [command..]',
    describe: 'what a command prints as JSON, as a JSON Schema',
    load: async () => (await import('./schema.js')).schemaCommand,
  },
];
