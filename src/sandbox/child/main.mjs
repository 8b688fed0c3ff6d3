// @ts-check
/** Entry of the sandbox child. Plain JavaScript, so that source tree and build run the same file. */
import { ALLOWED_IMPORTS } from './gate.mjs';
import { buildSnapshot, serve } from './serve.mjs';

const options = JSON.parse(process.argv[2] ?? '{}');
if (options.mode === 'snapshot') await buildSnapshot(options);
else await serve(options, ALLOWED_IMPORTS);
