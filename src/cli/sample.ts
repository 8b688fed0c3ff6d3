/** `t1 sample`: the engine alone, without verification or store. */
import { z } from 'zod';
import { sampleSeed } from '../generate/seeds.js';
import { resolveModel } from '../model/resolve.js';
import { shippedModel } from '../paths.js';
import { parseProblem } from '../problem/problem.js';
import { promptTokens } from '../prompt/prompt.js';
import { modelSettings } from '../settings/session-settings.js';
import { samplingSettings } from '../settings/stage-settings.js';
import { command } from './command.js';
import { checkedEngine, engineFlags } from './engine-flags.js';
import { jsonFlag, promptFile } from './flags.js';
import { argumentText, readBytes } from './input.js';
import { jsonLine } from './json.js';
import { loadForCommand } from './load.js';
import { Progress } from './progress.js';

export const sampleCommand = command({
  flags: {
    ...modelSettings,
    ...samplingSettings,
    maxTokens: {
      ...samplingSettings.maxTokens,
      type: samplingSettings.maxTokens.type.unwrap().default(256),
    },
    ...promptFile,
    chat: {
      type: z.boolean().default(false),
      group: 'Sampling',
      help: "send the prompt as a user's turn through the chat template",
    },
    grammar: {
      type: z.string().min(1).optional(),
      group: 'Sampling',
      help: 'file with a GBNF grammar that every sample follows',
    },
    stop: {
      type: z.array(z.string()).default([]),
      group: 'Sampling',
      help: 'end a sample where this text appears; several may be given',
    },
    ...jsonFlag,
    ...engineFlags,
  },
  words: { prompt: { type: z.string().optional(), group: 'Options', help: 'the prompt; - reads standard input' } },
  text: 'prompt',
  run: async ({ flags, words, signal }) => {
    const { samples, seed, temperature, topK, topP, minP, maxTokens } = flags;
    const settings = checkedEngine(flags);
    const prompt = parseProblem(await argumentText(words.prompt, 'prompt', flags.file)).text;
    const grammar = flags.grammar === undefined ? undefined : (await readBytes(flags.grammar)).toString('utf8');
    const path = await resolveModel(flags.model ?? shippedModel, { signal });
    const progress = new Progress();
    await using engine = await loadForCommand({ ...settings, path }, progress);
    const text = flags.chat
      ? await engine.render([{ role: 'user', content: prompt }], { addGenerationPrompt: true })
      : prompt;
    const tokens = await (flags.chat ? promptTokens(engine, text) : engine.tokenize(text, { special: false }));
    progress.show({ type: 'progress', stage: 'sample', finished: 0, total: samples, generatedTokens: 0 });
    const start = performance.now();
    const result = await engine
      .sample({
        prompts: [{ tokens, seeds: Array.from({ length: samples }, (_, index) => sampleSeed(seed, index)) }],
        sampler: { temperature, topK, topP, minP },
        maxTokens,
        stop: flags.stop,
        grammar,
        signal,
        onProgress: (event) => progress.show({ type: 'progress', stage: 'sample', ...event }),
      })
      .finally(() => progress.stop());
    if (flags.json) {
      const samplesJson = result.samples.map(({ prompt: _, tokens: ids, logprobs, ...sample }) => ({
        ...sample,
        tokens: [...ids],
        logprobs: [...logprobs],
      }));
      const timing = { sample: performance.now() - start };
      process.stdout.write(jsonLine('sample', { prompt, samples: samplesJson, usage: result.usage, timing }));
    } else {
      for (const sample of result.samples)
        process.stdout.write(`--- ${sample.index} (${sample.finish})\n${sample.text}\n`);
    }
  },
});
