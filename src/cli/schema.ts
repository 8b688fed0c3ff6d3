/** `t1 schema`: what commands print as JSON, as JSON Schemas. */
import { z } from 'zod';
import { T1Error } from '../errors.js';
import { outputJsonSchema, outputNames } from '../output/output-schemas.js';
import type { OutputName } from '../output/versions.js';
import { closest } from '../settings/closest.js';
import { command } from './command.js';

export const schemaCommand = command({
  flags: {},
  words: {
    command: {
      type: z.array(z.string()).default([]),
      group: 'Options',
      help: 'as it is called: solve, runs show, …; without one, those that there are',
    },
  },
  run: ({ words: { command: words } }) => {
    process.stdout.write(words.length === 0 ? `${outputNames.join('\n')}\n` : schemaOf(words.join(' ')));
  },
});

const isOutput = (name: string): name is OutputName => (outputNames as readonly string[]).includes(name);

function schemaOf(name: string): string {
  if (isOutput(name)) return `${JSON.stringify(outputJsonSchema(name), null, 2)}\n`;
  const meant = closest(name, outputNames);
  throw new T1Error(
    'USAGE',
    `nothing is printed as JSON by '${name}'${meant === undefined ? '' : ` (did you mean ${meant}?)`}: t1 schema lists what is`,
  );
}
