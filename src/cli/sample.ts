/** `t1 sample`: the engine alone, without verification or store. */
import type { Argv, CommandModule } from 'yargs';
import { sampleSeed } from '../generate/seeds.js';
import { resolveModel } from '../model/resolve.js';
import { parseOptions } from '../options.js';
import { parseProblem } from '../problem/problem.js';
import { promptTokens } from '../prompt/prompt.js';
import { engineOptions, withEngine } from './engine-flags.js';
import { flagOf, withJson, withModel, withSampling } from './flags.js';
import { argumentText, readBytes } from './input.js';
import { loadForCommand } from './load.js';
import { Progress } from './progress.js';

const DEFAULT_MAX_TOKENS = 256;

const builder = (yargs: Argv) =>
  withEngine(withJson(withSampling(withModel(yargs))))
    .positional('prompt', { type: 'string', describe: 'the prompt; - reads standard input' })
    .option('chat', {
      type: 'boolean',
      default: false,
      describe: "send the prompt as a user's turn through the chat template",
    })
    .option('grammar', {
      type: 'string',
      requiresArg: true,
      describe: 'file with a GBNF grammar that every sample follows',
    })
    .option('stop', {
      type: 'string',
      array: true,
      nargs: 1,
      default: [] as string[],
      describe: 'end a sample where this text appears',
    });

type Arguments = Awaited<ReturnType<typeof builder>['argv']>;

export const sampleCommand = (signal: AbortSignal): CommandModule<object, Arguments> => ({
  command: 'sample [prompt]',
  describe: 'sample completions of one prompt (engine only)',
  builder: (yargs) => builder(yargs as Argv) as never,
  handler: async (args) => {
    const {
      samples,
      seed,
      temperature,
      topK,
      topP,
      minP,
      maxTokens = DEFAULT_MAX_TOKENS,
    } = parseOptions(
      {
        samples: args.nSamples,
        seed: args.seed,
        temperature: args.temp,
        topK: args.topK,
        topP: args.topP,
        minP: args.minP,
        ...(args.maxTokens !== undefined && { maxTokens: args.maxTokens }),
      },
      flagOf,
    );
    const flags = engineOptions(args);
    const prompt = parseProblem(await argumentText(args.prompt, 'prompt')).text;
    const grammar = args.grammar === undefined ? undefined : (await readBytes(args.grammar)).toString('utf8');
    const path = await resolveModel(args.model, { signal });
    const progress = new Progress();
    await using engine = await loadForCommand({ ...flags, path }, progress);
    const text = args.chat
      ? await engine.render([{ role: 'user', content: prompt }], { addGenerationPrompt: true })
      : prompt;
    const tokens = await (args.chat ? promptTokens(engine, text) : engine.tokenize(text, { special: false }));
    progress.show({ type: 'progress', stage: 'sample', finished: 0, total: samples, generatedTokens: 0 });
    const start = performance.now();
    const result = await engine
      .sample({
        prompts: [{ tokens, seeds: Array.from({ length: samples }, (_, index) => sampleSeed(seed, index)) }],
        sampler: { temperature, topK, topP, minP },
        maxTokens,
        stop: args.stop,
        grammar,
        signal,
        onProgress: (event) => progress.show({ type: 'progress', stage: 'sample', ...event }),
      })
      .finally(() => progress.stop());
    if (args.json) {
      const samplesJson = result.samples.map(({ prompt: _, tokens: ids, logprobs, ...sample }) => ({
        ...sample,
        tokens: [...ids],
        logprobs: [...logprobs],
      }));
      const timing = { sample: performance.now() - start };
      process.stdout.write(`${JSON.stringify({ prompt, samples: samplesJson, usage: result.usage, timing })}\n`);
    } else {
      for (const sample of result.samples)
        process.stdout.write(`--- ${sample.index} (${sample.finish})\n${sample.text}\n`);
    }
  },
});
