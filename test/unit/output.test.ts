/** What commands print as JSON: nothing of it is without a version and a schema, and none can be forgotten. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { outputJsonSchema, outputNames, outputSchemas } from '../../src/output/output-schemas.js';
import { OUTPUT_VERSIONS } from '../../src/output/versions.js';
import { packageRoot } from '../../src/paths.js';
import { settingsOf } from '../../src/settings/setting.js';
import { allCommands, type NamedCommand } from '../support/commands.js';

const called = await allCommands();

const has = ({ command }: NamedCommand, flag: string): boolean =>
  settingsOf(command.flags).some((setting) => setting.flag === flag);

describe('every command that prints JSON', () => {
  test('has a schema', () => {
    const printing = called.filter((each) => has(each, 'json')).map(({ name }) => name);
    expect(printing).toContain('index search');
    expect(printing).toContain('runs compare');
    expect(printing.filter((name) => !Object.hasOwn(outputSchemas, name))).toEqual([]);
  });

  test('and there is none for what no command prints', () => {
    const flagOf = { 'python batch': 'batch', 'eval progress': 'progress', 'index search queries': 'queries' };
    const names = called.map(({ name }) => name);
    const others = outputNames.filter((name) => !names.includes(name));
    expect(others.sort()).toEqual(Object.keys(flagOf).sort());
    for (const [name, flag] of Object.entries(flagOf)) {
      const command = called.find((each) => each.name === name.replace(/ \w+$/, ''));
      expect(command && has(command, flag), name).toBe(true);
    }
  });

  test('prints it where a schema is named, nowhere else', () => {
    const folder = join(packageRoot, 'src', 'cli');
    const uses = readdirSync(folder).flatMap((file) => {
      const found = readFileSync(join(folder, file), 'utf8').match(/\bJSON\.stringify\b/g);
      return found ? [[file, found.length]] : [];
    });
    expect(uses).toEqual([
      ['json.ts', 1],
      ['runs.ts', 2], // configuration and hardware, in lines for people
      ['schema.ts', 1], // the schemas themselves
      ['solve-table.ts', 1], // what a program printed, in quotes
    ]);
  });
});

const object = z.looseObject({
  type: z.literal('object'),
  additionalProperties: z.literal(false),
  required: z.array(z.string()),
  properties: z.looseObject({ version: z.looseObject({ const: z.number() }) }),
});

test.each(outputNames)('%s: an object with a version, and nothing that the schema does not name', (name) => {
  const { $schema, ...schema } = outputJsonSchema(name);
  expect($schema).toBe('https://json-schema.org/draft/2020-12/schema');
  const kinds = Array.isArray(schema['oneOf']) ? (schema['oneOf'] as readonly unknown[]) : [schema];
  expect(kinds.length).toBeGreaterThan(0);
  for (const kind of kinds) {
    const { properties, required } = object.parse(kind);
    expect(required).toContain('version');
    expect(properties.version.const).toBe(OUTPUT_VERSIONS[name]);
  }
});
