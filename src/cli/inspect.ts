/** `t1 inspect`: what a GGUF says of itself, and which devices llama.cpp found. */
import { z } from 'zod';
import { chooseDevice, isGpu, type EngineChoice } from '../engine/devices.js';
import { listBackends, listDevices, loadEngine } from '../engine/engine.js';
import type { DeviceInfo, ModelInfo } from '../engine/engine-types.js';
import { fingerprint } from '../model/fingerprint.js';
import { resolveModel } from '../model/resolve.js';
import { shippedModel } from '../paths.js';
import { profileFor } from '../prompt/profile.js';
import { rewardEntryFor, type RewardEntry } from '../reward/entry.js';
import { modelSettings } from '../settings/session-settings.js';
import { Store } from '../store/store.js';
import { command } from './command.js';
import { checkedEngine, engineFlags } from './engine-flags.js';
import { jsonFlag } from './flags.js';
import { jsonLine } from './json.js';

export const inspectCommand = command({
  flags: { ...modelSettings, ...engineFlags, ...jsonFlag },
  words: { what: { type: z.enum(['model', 'gpu']), group: 'Options', help: 'what to look at' } },
  run: async ({ flags, words, signal }) => {
    const engine = checkedEngine(flags);
    const result =
      words.what === 'gpu' ? inspectDevices(engine) : await inspectModel(flags.model ?? shippedModel, signal);
    process.stdout.write(flags.json ? result.json : `${result.lines.join('\n')}\n`);
  },
});

interface Inspection {
  /** The line that is printed. */
  readonly json: string;
  readonly lines: readonly string[];
}

/** What was found, what a command with these flags decodes on, and why. */
function inspectDevices({ device, gpuLayers }: EngineChoice): Inspection {
  const devices = listDevices();
  const backends = listBackends();
  const { used, why } = chooseDevice(devices, backends, { device, gpuLayers });
  const line = ({ name, type, backend, description, memoryTotalBytes, memoryFreeBytes }: DeviceInfo) =>
    `${name}  ${type}  ${backend}  ${description}  ${gibibytes(memoryFreeBytes)} of ${gibibytes(memoryTotalBytes)} GiB free`;
  const gpu = devices.some(({ type }) => isGpu(type));
  return {
    json: jsonLine('inspect gpu', { devices, backends, gpu, used: used.name, why }),
    lines: [...devices.map(line), `backends: ${backends.join(', ')}`, `used: ${used.name}, because ${why}`],
  };
}

const gibibytes = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);

async function inspectModel(model: string, signal: AbortSignal): Promise<Inspection> {
  const path = await resolveModel(model, { signal });
  await using engine = await loadEngine({ path });
  const store = Store.open(':memory:');
  try {
    const sha256 = await fingerprint(path, store);
    const profile = profileFor(engine.model).name;
    const entry = rewardEntryFor(engine.model);
    const { metadata, chatTemplate, ...info } = engine.model;
    return {
      json: jsonLine('inspect model', {
        ...info,
        sha256,
        profile,
        reward: entry && {
          entry: entry.name,
          kind: entry.kind,
          ...(entry.kind === 'unsupported' && { why: entry.why }),
        },
        build: engine.build,
        chatTemplate,
        metadata,
      }),
      lines: [
        ...describe(engine.model),
        `sha256       ${sha256}`,
        `profile      ${profile}`,
        ...rewardLines(engine.model, entry),
        `engine       ${engine.build}`,
      ],
    };
  } finally {
    store.close();
  }
}

function rewardLines({ head }: ModelInfo, entry: RewardEntry | undefined): string[] {
  const made =
    entry?.kind === 'unsupported'
      ? `cannot be used (${entry.name}): ${entry.why}`
      : entry && `${entry.kind}, as in the entry ${entry.name}`;
  const found =
    head &&
    (head.problem === undefined
      ? `classes ${head.labels.map((label) => label || '(no name)').join(', ')}`
      : `cannot be used: ${head.problem}`);
  return [...(made ? [`reward       ${made}`] : []), ...(found ? [`head         ${found}`] : [])];
}

const describe = (model: ModelInfo): string[] => [
  `name         ${model.name}`,
  `file         ${model.path} (${(model.sizeBytes / 1e6).toFixed(1)} MB)`,
  `kind         ${model.description || model.architecture}, ${(model.parameters / 1e6).toFixed(1)} million parameters, ${model.layers} layers`,
  `vocabulary   ${model.vocabularySize} tokens`,
  `context      ${model.contextLength} tokens`,
  `chat         ${model.chatTemplate === undefined ? 'no template: t1 solve cannot use it' : 'has a template'}`,
];
