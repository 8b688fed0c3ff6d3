/** What people who come from llama.cpp type: its names for our flags are understood, or answered with ours. */
import { T1Error } from '../errors.js';

/** Same meaning, another name. yargs would read `-ngl` as `-n -g -l`. */
const RENAMED: Readonly<Record<string, string>> = {
  '-ngl': '--gpu-layers',
  '--n-gpu-layers': '--gpu-layers',
  '-fa': '--flash-attention',
  '--flash-attn': '--flash-attention',
  '-ctk': '--kv-type',
  '--cache-type-k': '--kv-type',
  '-ctv': '--kv-type',
  '--cache-type-v': '--kv-type',
  '--ctx-size': '--context',
  '-ub': '--ubatch-size',
  '-dev': '--device',
  '--temperature': '--temp',
  '--grammar-file': '--grammar',
};

/** Another meaning here, or none. */
const ANSWERED: Readonly<Record<string, string>> = {
  '--n-predict': 'tokens are limited by --max-tokens here; -n counts candidates',
  '--predict': 'tokens are limited by --max-tokens here; -n counts candidates',
  '-p': 'the problem stands without a flag here, in quotes: t1 solve "…"; --file reads it from a file',
  '--prompt': 'the problem stands without a flag here, in quotes: t1 solve "…"; --file reads it from a file',
  '--lora': 'name whom the adapter is for: --adapter-tool or --adapter-reward',
  '--lora-scaled': 'name whom the adapter is for: --adapter-tool FILE:SCALE or --adapter-reward FILE:SCALE',
  '-hf': 'write --model hf:user/repo:quant',
  '-hfr': 'write --model hf:user/repo:quant',
  '--hf-repo': 'write --model hf:user/repo:quant',
  '-mg': 'name the device: --device NAME, as t1 inspect gpu lists them',
  '--main-gpu': 'name the device: --device NAME, as t1 inspect gpu lists them',
};

/** llama.cpp lets these stand alone too. */
const SWITCHES: Readonly<Record<string, readonly [values: readonly string[], alone: string]>> = {
  '--flash-attention': [['on', 'off', 'auto'], 'on'],
};

/**
 * @param line the words after `t1`
 * @returns the same with our names
 * @throws T1Error USAGE for a name whose meaning is another one here
 */
export function understood(line: readonly string[]): string[] {
  const end = line.indexOf('--');
  const ours: string[] = [];
  const kvTypes = new Set<string>();
  for (const [i, word] of line.entries()) {
    const [name = '', ...value] = end >= 0 && i >= end ? [word] : word.split('=');
    const inEnd = end >= 0 && i >= end;
    if (!inEnd && Object.hasOwn(ANSWERED, name)) throw new T1Error('USAGE', `${name}: ${ANSWERED[name]}`);
    const renamed = inEnd || !Object.hasOwn(RENAMED, name) ? undefined : RENAMED[name];
    if (renamed === undefined) {
      ours.push(word);
      continue;
    }
    ours.push([renamed, ...value].join('='));
    const [values, alone] = SWITCHES[renamed] ?? [];
    const next = value.length > 0 ? value.join('=') : line[i + 1];
    if (values && alone !== undefined && (next === undefined || !values.includes(next)) && value.length === 0)
      ours.push(alone);
    if (renamed === '--kv-type' && next !== undefined) kvTypes.add(next);
  }
  if (kvTypes.size > 1)
    throw new T1Error('USAGE', `--kv-type: keys and values are kept alike here, not as ${[...kvTypes].join(' and ')}`);
  return ours;
}
