/** What commands print for programs. */
import type { Output } from '../output/output-schemas.js';
import { OUTPUT_VERSIONS, type OutputName } from '../output/versions.js';

/** One line: the version, then what there is to say. */
export const jsonLine = <Name extends OutputName>(name: Name, value: Output<Name>): string =>
  `${JSON.stringify({ version: OUTPUT_VERSIONS[name], ...value })}\n`;
